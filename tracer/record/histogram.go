package record

import "math/bits"

// A histogram is log-linear: each power of two is cut into 2^subBits buckets of
// one width, so a bucket's bound overstates a value by at most 1/16, and any two
// histograms add up exactly. Values below 2^subBits have a bucket each.
const subBits = 4

// Buckets is the number of buckets that cover every uint64.
const Buckets = (64 - subBits + 1) << subBits

// BucketOf returns the index of the bucket that holds v.
func BucketOf(v uint64) int {
	if v < 1<<subBits {
		return int(v)
	}
	shift := bits.Len64(v) - subBits - 1
	return shift<<subBits + int(v>>shift)
}

// UpperBound returns the largest value of bucket i, which is in the bucket.
func UpperBound(i int) uint64 {
	if i < 1<<subBits {
		return uint64(i)
	}
	shift := i>>subBits - 1
	return (uint64(i&(1<<subBits-1)|1<<subBits)+1)<<shift - 1
}

// Histogram is a distribution of latencies in nanoseconds. Buckets without a
// count are left out, so UpperBoundsNS and Counts have one length, ascending.
type Histogram struct {
	Count         uint64   `json:"count"`
	SumNS         uint64   `json:"sum_ns"`
	MinNS         uint64   `json:"min_ns"`
	MaxNS         uint64   `json:"max_ns"`
	UpperBoundsNS []uint64 `json:"upper_bounds_ns"` // inclusive
	Counts        []uint64 `json:"counts"`
}

// QuantileNS returns an upper bound of the q-quantile, 0 <= q <= 1: the bound of
// the bucket that holds it, or the maximum where that is less. It is 0 for an
// empty histogram.
func (h *Histogram) QuantileNS(q float64) uint64 {
	if h.Count == 0 {
		return 0
	}
	rank := uint64(q * float64(h.Count))
	if float64(rank) < q*float64(h.Count) || rank == 0 {
		rank++
	}
	var seen uint64
	for i, n := range h.Counts {
		if seen += n; seen >= rank {
			return min(h.UpperBoundsNS[i], h.MaxNS)
		}
	}
	return h.MaxNS
}

// Recorder gathers values into a histogram. Its zero value is empty and ready;
// it is not safe for concurrent use.
type Recorder struct {
	count, sum, min, max uint64
	buckets              *[Buckets]uint32 // nil until something is observed
}

// Observe adds one value in nanoseconds.
func (r *Recorder) Observe(ns uint64) {
	if r.count == 0 || ns < r.min {
		r.min = ns
	}
	r.max = max(r.max, ns)
	r.count++
	r.sum += ns
	if r.buckets == nil {
		r.buckets = new([Buckets]uint32)
	}
	r.buckets[BucketOf(ns)]++
}

// Add adds all that another recorder has observed.
func (r *Recorder) Add(other *Recorder) {
	if other.count == 0 {
		return
	}
	if r.count == 0 || other.min < r.min {
		r.min = other.min
	}
	r.max = max(r.max, other.max)
	r.count += other.count
	r.sum += other.sum
	if r.buckets == nil {
		r.buckets = new([Buckets]uint32)
	}
	least := BucketOf(other.min)
	for i, n := range other.used() {
		r.buckets[least+i] += n
	}
}

// Reset empties the recorder and keeps its memory.
func (r *Recorder) Reset() {
	clear(r.used())
	r.count, r.sum, r.min, r.max = 0, 0, 0, 0
}

// used are the buckets from the least value's to the greatest's.
func (r *Recorder) used() []uint32 {
	if r.count == 0 {
		return nil
	}
	return r.buckets[BucketOf(r.min) : BucketOf(r.max)+1]
}

// Histogram returns what was observed as plain data.
func (r *Recorder) Histogram() Histogram {
	filled := 0
	for _, n := range r.used() {
		if n > 0 {
			filled++
		}
	}
	h := Histogram{
		Count: r.count, SumNS: r.sum, MinNS: r.min, MaxNS: r.max,
		UpperBoundsNS: make([]uint64, 0, filled), Counts: make([]uint64, 0, filled),
	}
	least := BucketOf(r.min)
	for i, n := range r.used() {
		if n > 0 {
			h.UpperBoundsNS = append(h.UpperBoundsNS, UpperBound(least+i))
			h.Counts = append(h.Counts, uint64(n))
		}
	}
	return h
}
