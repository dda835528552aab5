package record

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// boundaries are the values around which buckets change.
func boundaries() []uint64 {
	values := []uint64{0, 1, math.MaxUint64}
	for k := 1; k < 64; k++ {
		values = append(values, 1<<k-1, 1<<k, 1<<k+1)
	}
	slices.Sort(values)
	return slices.Compact(values)
}

func TestBucketHoldsItsValue(t *testing.T) {
	for _, v := range boundaries() {
		i := BucketOf(v)
		if i < 0 || i >= Buckets {
			t.Fatalf("BucketOf(%d) = %d, want less than %d", v, i, Buckets)
		}
		upper := UpperBound(i)
		if v > upper || i > 0 && v <= UpperBound(i-1) {
			t.Errorf("BucketOf(%d) = %d, which ends at %d", v, i, upper)
		}
		if v > 0 && float64(upper-v) > float64(v)/16 {
			t.Errorf("UpperBound(BucketOf(%d)) = %d: off by more than 1/16", v, upper)
		}
	}
}

func TestBucketsAreContiguous(t *testing.T) {
	for i := range Buckets {
		upper := UpperBound(i)
		if BucketOf(upper) != i {
			t.Errorf("bucket %d ends at %d, which is in bucket %d", i, upper, BucketOf(upper))
		}
		if i+1 < Buckets && BucketOf(upper+1) != i+1 {
			t.Errorf("bucket %d ends at %d, but %d is in bucket %d", i, upper, upper+1, BucketOf(upper+1))
		}
	}
	if got := UpperBound(Buckets - 1); got != math.MaxUint64 {
		t.Errorf("the last bucket ends at %d", got)
	}
}

func TestRecorder(t *testing.T) {
	var r Recorder
	if h := r.Histogram(); h.Count != 0 || h.MinNS != 0 || h.QuantileNS(0.5) != 0 || h.UpperBoundsNS == nil || h.Counts == nil {
		t.Errorf("empty: %+v", h)
	}
	for _, v := range []uint64{300, 0, 7, 300} {
		r.Observe(v)
	}
	h := r.Histogram()
	if h.Count != 4 || h.SumNS != 607 || h.MinNS != 0 || h.MaxNS != 300 {
		t.Errorf("got %+v", h)
	}
	if !slices.Equal(h.UpperBoundsNS, []uint64{0, 7, 303}) || !slices.Equal(h.Counts, []uint64{1, 1, 2}) {
		t.Errorf("buckets %v, counts %v", h.UpperBoundsNS, h.Counts)
	}
	var sum Recorder
	sum.Add(&Recorder{})
	sum.Add(&r)
	sum.Add(&r)
	if h := sum.Histogram(); h.Count != 8 || h.SumNS != 1214 || h.MinNS != 0 || h.MaxNS != 300 ||
		!slices.Equal(h.Counts, []uint64{2, 2, 4}) {
		t.Errorf("twice added: %+v", h)
	}
}

// A quantile is the exact one or up to 1/16 above it, and never above the
// maximum.
func TestQuantile(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 10, 99, 100, 101, 1000} {
		var r Recorder
		values := make([]uint64, n)
		for i := range values {
			values[i] = random.Uint64() >> random.IntN(64)
			r.Observe(values[i])
		}
		slices.Sort(values)
		h := r.Histogram()
		for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 1} {
			exact := values[max(int(math.Ceil(q*float64(n))), 1)-1]
			got := h.QuantileNS(q)
			if got < exact || float64(got-exact) > float64(exact)/16 || got > h.MaxNS {
				t.Errorf("n %d, q %v: got %d, exact is %d, maximum %d", n, q, got, exact, h.MaxNS)
			}
		}
	}
}

func TestReset(t *testing.T) {
	var r, fresh Recorder
	r.Reset()
	for _, v := range []uint64{0, 7, 1 << 20, math.MaxUint64} {
		r.Observe(v)
	}
	r.Reset()
	if diff := cmp.Diff(fresh.Histogram(), r.Histogram()); diff != "" {
		t.Errorf("reset (-fresh +reset):\n%s", diff)
	}
	for _, v := range []uint64{5, 900} {
		r.Observe(v)
		fresh.Observe(v)
	}
	if diff := cmp.Diff(fresh.Histogram(), r.Histogram()); diff != "" {
		t.Errorf("used again (-fresh +reset):\n%s", diff)
	}
}

func BenchmarkObserve(b *testing.B) {
	var r Recorder
	for v := uint64(0); b.Loop(); v += 97 {
		r.Observe(v & 0xffff)
	}
}
