package tracer

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/cilium/ebpf"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/tracer/record"
)

// busyMaps updates a map from several threads until the test ends. A task that is
// preempted while bpf(2) updates a map keeps classic tracepoint programs and
// kprobes from running on its CPU (bpf_prog_active).
func busyMaps(t *testing.T, threads int) {
	t.Helper()
	m, err := ebpf.NewMap(&ebpf.MapSpec{Name: "busy", Type: ebpf.Hash, KeySize: 4, ValueSize: 8, MaxEntries: 1024})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range threads {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for key := uint32(0); ctx.Err() == nil; key = (key + 1) % 1024 {
				if err := m.Put(key, uint64(key)); err != nil {
					t.Errorf("update a map: %v", err)
					return
				}
			}
		})
	}
	t.Cleanup(func() {
		stop()
		wg.Wait()
		m.Close()
	})
}

// Other tasks' use of BPF hides no load, and a verification of which it may hide a part
// says so.
func TestLiveConcurrentWithMaps(t *testing.T) {
	requireLive(t)
	const loads = 100
	s := trace(t, Config{IncludeSelf: true, Select: Select{Prog: "stress_*"}})
	busyMaps(t, 3)
	want, err := load.Parallel(t.Context(), 1, loads, generate.Stress(10).Spec, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	records := s.finish()
	if len(records) != loads {
		t.Errorf("%d records of %d loads", len(records), loads)
	}
	allocs := map[uint64]int{}
	var exact int
	for _, v := range records {
		if len(v.Lossy) > 0 {
			t.Logf("%s: %v", v.ProgName, v.Lossy)
			continue
		}
		checkExact(t, v, want[v.ProgName])
		if v.Verdict != record.VerdictAccepted || !v.ReachedVerifier || !v.Exact {
			t.Errorf("%s: %s, reached the verifier: %v", v.ProgName, v.Verdict, v.ReachedVerifier)
		}
		exact++
		allocs[ownedAllocs(v)]++
	}
	// An object's allocation and free can both be missed, which nothing shows except
	// this comparison.
	if len(allocs) > 1 {
		t.Errorf("exact records of the same program have different numbers of allocations: %v", allocs)
	}
	// Where no program of the ledger is skipped, the return still may be missed.
	if !s.attachment.skippable && exact < loads*9/10 || exact == 0 {
		t.Errorf("only %d of %d loads are exact", exact, loads)
	}
	t.Logf("kernel %s: %d of %d exact", s.Environment().Kernel, exact, len(records))
}

// ownedAllocs counts the objects that the verifier alone asks for: the allocator's own
// needs differ from load to load.
func ownedAllocs(v *record.Verification) uint64 {
	var owned uint64
	for _, g := range v.Types {
		switch g.Name {
		case "state_list", "func_state", "stack_elem", "verifier_state", "jmp_history", "state_arrays", "env":
			owned += g.Allocs
		}
	}
	return owned
}

// Loads for which there is no room are each counted, once, and shown as incomplete.
func TestLiveNoRoom(t *testing.T) {
	requireLive(t)
	const loaders, loads = 4, 6
	s := trace(t, Config{IncludeSelf: true, MaxLoads: 1, Select: Select{Prog: "stress_*"}})
	want, err := load.Parallel(t.Context(), loaders, loads, generate.Stress(1000).Spec, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	records := s.finish()
	if len(records) != loaders*loads {
		t.Errorf("%d records of %d loads", len(records), loaders*loads)
	}
	var turnedAway uint64
	for _, v := range records {
		if v.Verdict == record.VerdictIncomplete && v.IncompleteReason == "too many loads were in flight" {
			turnedAway++
			continue
		}
		checkExact(t, v, want[v.ProgName])
	}
	var counted uint64
	for _, l := range s.Summary().Losses {
		if l.Reason == record.LossLoadsFull {
			counted += l.Count
		}
	}
	if counted == 0 || counted != turnedAway {
		t.Errorf("%d loads are counted, %d shown", counted, turnedAway)
	}
}
