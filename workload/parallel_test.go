package workload

import (
	"context"
	"errors"
	"testing"
)

func TestParallel(t *testing.T) {
	requireRoot(t)
	const loaders, loads = 4, 5

	all, err := Parallel(t.Context(), loaders, loads, Stress(100).Spec, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != loaders*loads {
		t.Errorf("%d loads, want %d", len(all), loaders*loads)
	}
	want := load(t, Stress(100))
	for name, stats := range all {
		if stats.Errno != 0 || stats.TotalStates != want.TotalStates {
			t.Errorf("%s: %+v, want %+v", name, stats, want)
		}
	}
}

func TestParallelCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	all, err := Parallel(ctx, 2, 5, Stress(100).Spec, Options{})
	if !errors.Is(err, context.Canceled) || len(all) != 0 {
		t.Errorf("%d loads, error %v", len(all), err)
	}
}

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
