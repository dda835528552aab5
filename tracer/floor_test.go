package tracer

import "testing"

// A floor is what is left of a span; spans that do not go together leave none.
func TestHookFloor(t *testing.T) {
	for _, c := range []struct {
		span, hook, back, want uint64
		ok                     bool
	}{
		{300, 200, 100, 400, true},
		{100, 50, 149, 1, true},
		{100, 50, 150, 0, false},
		{100, 50, 400, 0, false},
		{300, 0, 100, 0, false}, // not reached
	} {
		if ns, ok := hookFloor(c.span, c.hook, c.back); ns != c.want || ok != c.ok {
			t.Errorf("%+v: %d, %v", c, ns, ok)
		}
	}
}
