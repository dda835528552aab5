package stats

import (
	"flag"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "print the table of TestDipCritical in full")

// The quality of faculties of statistics, as the R package diptest has it; its manual
// gives this dip.
func TestDipOfKnownData(t *testing.T) {
	faculty := []float64{
		30, 33, 35, 36, 37, 37, 39, 39, 39, 39, 39, 40, 40, 40, 40, 41, 42, 43, 43, 43, 44, 44, 45, 45, 46,
		46, 47, 47, 48, 48, 48, 49, 50, 50, 51, 52, 52, 53, 53, 53, 53, 53, 54, 54, 57, 57, 59, 60, 60, 60,
		61, 61, 61, 61, 62, 62, 62, 62, 63, 66, 70, 72, 72,
	}
	if got := dip(faculty); math.Abs(got-0.05952381) > 1e-8 {
		t.Errorf("dip %.8f, want 0.05952381", got)
	}
	if got := dip([]float64{1, 2, 3, 4, 5, 6, 7, 8}); got != 1.0/16 {
		t.Errorf("dip of equidistant values %v, want 1/16", got)
	}
	// Two equal lumps far apart: no single mode comes nearer than a quarter.
	lumps := []float64{0, 1e-9, 2e-9, 3e-9, 1, 1 + 1e-9, 1 + 2e-9, 1 + 3e-9}
	if got := dip(lumps); math.Abs(got-0.25) > 1e-6 {
		t.Errorf("dip of two lumps %v, want 0.25", got)
	}
}

func TestDipOfMirrored(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		values := make([]float64, 4+random.IntN(60))
		for i := range values {
			values[i] = math.Round(40*random.NormFloat64()) / 10
		}
		mirrored := make([]float64, len(values))
		for i, v := range values {
			mirrored[i] = -v
		}
		slices.Sort(values)
		slices.Sort(mirrored)
		a, b := dip(values), dip(mirrored)
		if math.Abs(a-b) > 1e-12 || a < 0.5/float64(len(values)) || a > 0.25 {
			t.Fatalf("dip %v, mirrored %v: %v", a, b, values)
		}
	}
}

// quantileOfDip draws sets of n uniform values.
func quantileOfDip(n, sets int, q float64) float64 {
	random := rand.New(rand.NewPCG(20260101, uint64(n)))
	dips, values := make([]float64, sets), make([]float64, n)
	for i := range dips {
		for j := range values {
			values[j] = random.Float64()
		}
		slices.Sort(values)
		dips[i] = dip(values) * math.Sqrt(float64(n))
	}
	slices.Sort(dips)
	return Quantile(dips, q)
}

func TestDipCritical(t *testing.T) {
	sets, tolerance := 2000, 0.02
	if *update {
		sets, tolerance = 200_000, 0.0001
	}
	for _, row := range dipCritical {
		got := quantileOfDip(row.n, sets, 0.95)
		t.Logf("{%d, %.4f},", row.n, got)
		if math.Abs(got-row.critical) > tolerance {
			t.Errorf("n=%d: the table has %v, want %.4f", row.n, row.critical, got)
		}
	}
}
