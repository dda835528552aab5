package compare

import (
	"math"
	"testing"

	"github.com/verialloc/verialloc/exporter/view/text"
)

// The figures in sentences are those of the tables beside them.
func TestFiguresAsShown(t *testing.T) {
	values := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), 1e-9, 99.94, 99.95, 99.99999, 100, 100.05, 1e6 / 3}
	for v := -3.0; v < 103; v += 0.0097 {
		values = append(values, v)
	}
	for _, v := range values {
		for _, c := range []struct{ got, want string }{
			{inPercent(v), text.Percent(v)}, {roundedDown(v), text.Coverage(v)}, {signed(v), text.Change(v)},
		} {
			if c.got != c.want {
				t.Errorf("%g is %s in a sentence and %s in a table", v, c.got, c.want)
			}
		}
	}
}
