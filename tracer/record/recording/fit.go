package recording

import "math"

// MinSizes is how many sizes a fit needs for its error to be known.
const MinSizes = 3

// fitExponent fits value = c * size^exponent by least squares on the logarithms, and
// returns the exponent with its standard error; not ok where there is no fit: it takes
// MinSizes sizes, not all the same, and all numbers above 0.
func fitExponent(sizes, values []float64) (exponent, standardError float64, ok bool) {
	n := float64(len(sizes))
	if len(sizes) < MinSizes || len(values) != len(sizes) {
		return 0, 0, false
	}
	var meanX, meanY float64
	for i := range sizes {
		if !(sizes[i] > 0 && values[i] > 0) { // NaN is neither
			return 0, 0, false
		}
		meanX += math.Log(sizes[i]) / n
		meanY += math.Log(values[i]) / n
	}
	var xx, xy float64
	for i := range sizes {
		x, y := math.Log(sizes[i])-meanX, math.Log(values[i])-meanY
		xx += x * x
		xy += x * y
	}
	if xx < 1e-12 { // all of one size, up to rounding
		return 0, 0, false
	}
	exponent = xy / xx
	var residual float64
	for i := range sizes {
		x, y := math.Log(sizes[i])-meanX, math.Log(values[i])-meanY
		residual += (y - exponent*x) * (y - exponent*x)
	}
	return rounded(exponent), rounded(math.Sqrt(residual / (n - 2) / xx)), true
}

// rounded drops what is of the arithmetic alone.
func rounded(f float64) float64 { return math.Round(f*1e6) / 1e6 }
