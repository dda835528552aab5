package recording

import (
	"math"
	"testing"
)

func TestFitExponent(t *testing.T) {
	for _, c := range []struct {
		name            string
		sizes, values   []float64
		exponent, error float64
	}{
		{"linear", []float64{100, 1000, 10000}, []float64{5, 50, 500}, 1, 0},
		{"square", []float64{1, 2, 4, 8}, []float64{3, 12, 48, 192}, 2, 0},
		{"constant", []float64{1, 10, 100}, []float64{7, 7, 7}, 0, 0},
		// By hand: x = -1, 0, 1 and y = 0, 1, 1 (to the base e) give slope 0.5 and
		// residuals -1/6, 1/3, -1/6, so the error is sqrt(1/6/1/2).
		{"bent", []float64{1 / math.E, 1, math.E}, []float64{1, math.E, math.E}, 0.5, math.Sqrt(1.0 / 12)},
	} {
		exponent, standardError, ok := fitExponent(c.sizes, c.values)
		if !ok || math.Abs(exponent-c.exponent) > 1e-6 || math.Abs(standardError-c.error) > 1e-6 {
			t.Errorf("%s: %v with error %v, %t; want %v, %v", c.name, exponent, standardError, ok, c.exponent, c.error)
		}
	}
	for name, c := range map[string][2][]float64{
		"two sizes": {{1, 2}, {1, 2}},
		"one size":  {{5, 5, 5}, {1, 2, 3}},
		"zero":      {{1, 2, 3}, {0, 1, 2}},
		"unequal":   {{1, 2, 3}, {1, 2}},
	} {
		if exponent, _, ok := fitExponent(c[0], c[1]); ok {
			t.Errorf("%s: %v", name, exponent)
		}
	}
}
