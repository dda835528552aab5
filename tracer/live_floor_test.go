package tracer

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/bpf"
	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer/assemble"
	"github.com/verialloc/verialloc/tracer/record"
)

// Where time passes by instructions a span is the same each time, and a ledger's program may
// differ from the floor's by a few instructions that find the load.
const (
	spanSlack = 24 // ns
	spanRuns  = 201
)

// Every program of the ledger at which a latency ends does the same work of ours until it
// reads the clock, and that is what the floor holds: measured from a program ahead of it
// on the same tracepoint, so that no allocator is in it.
func TestLiveLedgerSpans(t *testing.T) {
	requireLive(t)
	system, _, _ := kernel.ReadSystem().Record()
	counted := system.ICount != "" && system.ICount != "off"
	for _, ledger := range []record.Means{record.MeansRawTracepoint, record.MeansTracepoint} {
		for _, name := range timedHooks {
			t.Run(fmt.Sprintf("%s %s", ledger, name), func(t *testing.T) {
				at := place{"kmem", name}
				o := spanObject(t)
				probe := probe{"raw_" + name, ledger, name, ""}
				if ledger == record.MeansTracepoint {
					probe.program, probe.group = "tp_"+name, at.group
				}
				floor := spansTo(t, o, at, floorEnd(ledger, at))
				got := spansTo(t, o, at, probe)
				spread := max(floor.spread(), got.spread())
				t.Logf("to the ledger's clock: median %d, spread %d ns; to the floor's: median %d, spread %d ns; time by instructions: %v",
					got.median(), got.spread(), floor.median(), floor.spread(), counted)
				if !counted {
					return // it says how long a busy machine takes
				}
				if got.median() > floor.median()+spread+spanSlack {
					t.Errorf("the ledger's program takes %d ns to its clock, the floor's %d", got.median(), floor.median())
				}
			})
		}
	}
}

// spanObject is the programs with a floor of their own, and nothing attached.
func spanObject(t *testing.T) *object {
	t.Helper()
	k, err := readKernel()
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{IncludeSelf: true, Events: true}
	if err := cfg.normalize(); err != nil {
		t.Fatal(err)
	}
	o, err := newObject(k, &cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := o.calibrate(); err != nil {
		t.Fatal(err)
	}
	return o
}

// spans are in ascending order.
type spans []uint64

func (s spans) median() uint64 { return s[len(s)/2] }

// spread is what the middle four fifths are apart.
func (s spans) spread() uint64 { return s[len(s)*9/10] - s[len(s)/10] }

// spansTo has the programs take this thread for one that verifies, and returns how long
// after the clock of floorBegin() one of them reads its own, of the floor or of the ledger.
// Each time it is the last allocation of a few, so that it is of the same slab cache: from
// 6.19 a classic tracepoint copies the cache's name, and that takes as long as the name is.
func spansTo(t *testing.T, o *object, at place, end probe) spans {
	t.Helper()
	before := len(o.links)
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	var cpus unix.CPUSet
	if err := unix.SchedGetaffinity(0, &cpus); err != nil {
		t.Fatal(err)
	}
	cpu := uint32(0)
	for !cpus.IsSet(int(cpu)) {
		cpu++
	}
	cpus.Zero()
	cpus.Set(int(cpu))
	if err := unix.SchedSetaffinity(0, &cpus); err != nil {
		t.Fatal(err)
	}
	if err := o.attach(choice{probes: []probe{floorBegin(at), end}}); err != nil {
		t.Fatal(err)
	}
	load := bpf.VeriallocLoad{Tid: uint32(unix.Gettid()), Verification: 1, Env: uint64(os.Getpagesize())}
	load.Slot = load.Tid & uint32(defaultMaxLoads-1)
	// The load first: a CPU keeps in mind that its task has none.
	if err := o.base.Maps["loads"].Put(load.Slot, &load); err != nil {
		t.Fatal(err)
	}
	if err := o.set("active", uint32(1)); err != nil {
		t.Fatal(err)
	}
	var found spans
	for range spanRuns {
		if err := o.base.Maps["loads"].Put(load.Slot, &load); err != nil {
			t.Fatal(err)
		}
		if err := allocate(); err != nil {
			t.Fatal(err)
		}
		// To read a map takes a kmalloc() as well, before what is read is copied.
		var note bpf.VeriallocCpu
		if err := o.base.Maps["cpus"].Lookup(cpu, &note); err != nil {
			t.Fatal(err)
		}
		var after bpf.VeriallocLoad
		if err := o.base.Maps["loads"].Lookup(load.Slot, &after); err != nil {
			t.Fatal(err)
		}
		// An interrupt's allocations are seen by the first program alone.
		if end == floorEnd(end.means, at) {
			found = append(found, note.FloorSpan)
		} else if now := firstAllocNS(t, &after, note.FloorNs); now > 0 {
			found = append(found, now-note.FloorNs)
		}
	}
	if err := errors.Join(o.set("active", uint32(0)), o.detach(before)); err != nil {
		t.Fatal(err)
	}
	if len(found) < spanRuns/2 {
		t.Fatalf("%d of %d allocations were seen by both", len(found), spanRuns)
	}
	slices.Sort(found)
	return found
}

// firstAllocNS returns when the first allocation after a time was seen, of those in a load's
// batch; 0: none was.
func firstAllocNS(t *testing.T, load *bpf.VeriallocLoad, after uint64) uint64 {
	t.Helper()
	d := decoder{header: load.Batch.H, batch: load.Batch.Events[:load.Used]}
	for len(d.batch) > 0 {
		e, err := d.batched()
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == assemble.KindAlloc && e.TimeNS > after {
			return e.TimeNS
		}
	}
	return 0
}
