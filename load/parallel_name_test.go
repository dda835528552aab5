package load

import "testing"

func TestParallelName(t *testing.T) {
	for want, got := range map[string]string{
		"stress_0_12":     parallelName("stress", 0, 12),
		"subprogra_12_34": parallelName("subprograms", 12, 34),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
