package compare

import (
	"fmt"
	"strings"
)

// observe returns what tracing costs on both sides; nil unless it is known of both.
func observe(p pair, budget float64) *Observer {
	base, baseOK := p.base.observerPercent()
	comp, compOK := p.comp.observerPercent()
	if !baseOK || !compOK {
		return nil
	}
	return &Observer{base, comp, max(base, comp) > budget || p.base.disturbed() || p.comp.disturbed()}
}

// observerPercent returns how much longer than bare loads traced ones take, by their
// medians; not ok where there are not both.
func (s *subject) observerPercent() (percent float64, ok bool) {
	if s.observer == nil {
		return 0, false
	}
	return 100 * (s.observer.Ratio - 1), true
}

// disturbed reports whether what tracing costs is not known, as bare loads took longer.
func (s *subject) disturbed() bool { return s.observer != nil && s.observer.Disturbed() }

// warnOfContention says which sides' loads were held up by other work.
func (c *comparing) warnOfContention(p pair) {
	var shares, faster []string
	for _, side := range []struct {
		name string
		*subject
	}{{"BASE", p.base}, {"NEW", p.comp}} {
		if side.onCPU > 0 {
			shares = append(shares, fmt.Sprintf("%s of the time (%s)", inPercent(100*side.onCPU), side.name))
		}
		if side.disturbed() {
			faster = append(faster, side.name)
		}
	}
	if len(shares) > 0 {
		c.warn("contended", p.base.key, "", "bare loads were on a CPU %s: other tasks took the CPU, or they waited; task_clock is the measure, not times by the clock",
			strings.Join(shares, " and "))
	}
	if len(faster) > 0 {
		c.warn("disturbed", p.base.key, "", "traced loads took less time than bare ones (%s): the machine was disturbed, and what tracing costs is not known",
			strings.Join(faster, ", "))
	}
}
