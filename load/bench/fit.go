package bench

import (
	"errors"
	"math"
)

// MinSizes is how many sizes a fit needs for its error to be known.
const MinSizes = 3

// errTooFew is returned where there is no fit.
var errTooFew = errors.New("a fit takes three different sizes, and values above 0")

// FitExponent fits value = c * size^exponent by least squares on the logarithms, and
// returns the exponent with its standard error. It takes three sizes at the least, and
// all numbers above 0.
func FitExponent(sizes, values []float64) (exponent, standardError float64, err error) {
	n := float64(len(sizes))
	if len(sizes) < MinSizes || len(values) != len(sizes) {
		return 0, 0, errTooFew
	}
	var meanX, meanY float64
	for i := range sizes {
		if sizes[i] <= 0 || values[i] <= 0 {
			return 0, 0, errTooFew
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
	if xx < 1e-12 { // all of one size, except for rounding
		return 0, 0, errTooFew
	}
	exponent = xy / xx
	var residual float64
	for i := range sizes {
		x, y := math.Log(sizes[i])-meanX, math.Log(values[i])-meanY
		residual += (y - exponent*x) * (y - exponent*x)
	}
	return rounded(exponent), rounded(math.Sqrt(residual / (n - 2) / xx)), nil
}

// rounded drops what is of the arithmetic alone.
func rounded(f float64) float64 { return math.Round(f*1e6) / 1e6 }
