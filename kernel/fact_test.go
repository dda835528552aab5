package kernel

import (
	"errors"
	"testing"
)

func TestFact(t *testing.T) {
	why := errors.New("no permission")
	for _, c := range []struct {
		name                   string
		fact                   Fact[int]
		value                  int
		known, absent, unknown bool
		why                    error
	}{
		{"zero", Fact[int]{}, 0, false, false, true, errNotRead},
		{"known", Known(7), 7, true, false, false, nil},
		{"known to be zero", Known(0), 0, true, false, false, nil},
		{"absent", Absent[int](why), 0, false, true, false, why},
		{"unknown", Unknown[int](why), 0, false, false, true, why},
	} {
		value, ok := c.fact.Get()
		if value != c.value || ok != c.known || c.fact.IsKnown() != c.known ||
			c.fact.IsAbsent() != c.absent || c.fact.IsUnknown() != c.unknown || !errors.Is(c.fact.Why(), c.why) {
			t.Errorf("%s: %d, %v, %+v", c.name, value, ok, c.fact)
		}
	}
}
