package load_test

import (
	"context"
	"errors"
	"testing"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/load/internal/loadtest"
)

func TestParallel(t *testing.T) {
	loadtest.RequireRoot(t)
	const loaders, loads = 4, 5

	all, err := load.Parallel(t.Context(), loaders, loads, generate.Stress(100).Spec, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != loaders*loads {
		t.Errorf("%d loads, want %d", len(all), loaders*loads)
	}
	want, err := load.Load(generate.Stress(100).Spec, load.Options{})
	if err != nil || want.TotalStates == 0 {
		t.Fatalf("%+v, error %v", want, err)
	}
	for name, stats := range all {
		if stats.Errno != 0 || stats.TotalStates != want.TotalStates {
			t.Errorf("%s: %+v, want %+v", name, stats, want)
		}
	}
}

func TestParallelCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	all, err := load.Parallel(ctx, 2, 5, generate.Stress(100).Spec, load.Options{})
	if !errors.Is(err, context.Canceled) || len(all) != 0 {
		t.Errorf("%d loads, error %v", len(all), err)
	}
}
