package generate

import (
	"regexp"
	"testing"
)

func TestSuiteNames(t *testing.T) {
	valid := regexp.MustCompile(`^[A-Za-z0-9_.]{1,15}$`)
	seen := make(map[string]bool)
	for _, p := range Suite() {
		name := p.Spec.Name
		if !valid.MatchString(name) {
			t.Errorf("%q is not a name for a BPF object", name)
		}
		if seen[name] {
			t.Errorf("%q is there twice", name)
		}
		seen[name] = true
	}
}

func TestSuiteLoads(t *testing.T) {
	for _, p := range Suite() {
		t.Run(p.Spec.Name, func(t *testing.T) {
			stats := loadCase(t, p)
			t.Logf("insns=%d total=%d peak=%d max=%d mark_read=%d stack=%v time=%v wall=%v errno=%d",
				stats.InsnsProcessed, stats.TotalStates, stats.PeakStates, stats.MaxStatesPerInsn,
				stats.MarkRead, stats.StackDepth, stats.VerificationTime, stats.Wall, stats.Errno)
		})
	}
}
