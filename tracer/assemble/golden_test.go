package assemble

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/tracer/record"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Whole records, as JSON, of streams that hold a little of everything.
func TestGolden(t *testing.T) {
	options := Options{
		UnixOffsetNS: 1_700_000_000_000_000_000,
		ProgType:     func(n uint32) string { return map[uint32]string{1: "socket_filter", 2: "kprobe"}[n] },
	}
	for _, c := range []struct {
		name   string
		kernel Kernel
		write  func(s *stream) []*record.Verification
	}{
		{"accepted-6.18", kernel6_18, writeAccepted},
		{"rejected-6.1", kernel6_1, writeRejected},
		{"accepted-7.3", kernel7_3, writeAccepted},
		{"lossy-6.12", kernel6_12, writeLossy},
		{"end-lost-6.18", kernel6_18, writeEndLost},
	} {
		t.Run(c.name, func(t *testing.T) {
			done := c.write(newStream(t, c.kernel, options))
			for _, v := range done {
				checkSums(t, v)
			}
			got, err := json.MarshalIndent(done, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			path := filepath.Join("testdata", c.name+".json")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("differs from %s (-want +got; go test -update rewrites it):\n%s", path, cmp.Diff(string(want), string(got)))
			}
		})
	}
}

// writeAccepted writes a program of two subprograms that the verifier accepts:
// objects of slab caches and of vmalloc, slow paths, an object that outlives the
// verification and an interrupt's free.
func writeAccepted(s *stream) []*record.Verification {
	l := s.startLoad(11)
	const files = 0xffff888000001000
	s.none(Event{Kind: KindCache, TID: 11, Verification: l.id, Cache: files, Name: "filp"})
	aux := l.alloc("bpf_check", 12*s.kernel.InsnAux, func(e *Event) {
		e.Source, e.LatencyNS, e.Allocated = SourceVmalloc, LatencyNone, 4096
	})
	order := l.alloc("check_cfg", 48, func(e *Event) { e.GFP |= gfpAccount })
	l.subprogram(4, 2)
	l.free(s.fresh(), "rcu_do_batch")
	history := l.alloc("bpf_push_jmp_history", 24, func(e *Event) { e.LatencyNS = LatencyNone })
	l.subprogram(1, 0)
	l.free(history, "bpf_free_verifier_state")
	l.alloc("alloc_empty_file", 232, func(e *Event) { e.Source, e.Cache, e.Allocated, e.Path = SourceCache, files, 256, 3 })
	l.alloc("bpf_prog_realloc", 4096, func(e *Event) { e.Path, e.LatencyNS = 2, 900 })
	if s.kernel.PeakRule == PeakMaximum {
		l.peak(4)
	} else {
		l.peak(3)
	}
	if l.visitor() == "bpf_is_state_visited" {
		l.visit(0, 300)
		l.visit(1, 90)
	}
	l.free(order, "check_cfg")
	l.free(aux, "vfree")
	return []*record.Verification{l.finish(func(e *End) {
		e.Usage = Usage{MinorFaults: 3, MajorFaults: 1, VoluntarySwitches: 2, InvoluntarySwitches: 1}
	})}
}

func writeRejected(s *stream) []*record.Verification {
	unverified := s.add(Event{Kind: KindEnd, TID: 12, End: &End{
		Request: Request{Name: "prog", ProgType: 2, InsnCount: 1, Inputs: fromKernel}, PID: 42, UID: 1000, Comm: "loader",
		EnterNS: s.clock - 40, Returned: true, Ret: -int64(syscall.EINVAL),
	}})
	l := s.startLoad(12)
	l.subprogram(3, 1)
	return append(unverified, l.peak(2).finish(ret(-int64(syscall.EACCES)), func(e *End) { e.Result.Tag = [8]byte{} }))
}

func writeLossy(s *stream) []*record.Verification {
	l := s.startLoad(13)
	l.subprogram(2, 0)
	l.alloc("copy_verifier_state", s.kernel.FuncState) // its free is lost
	l.free(s.fresh(), "free_states")                   // its allocation is lost
	again := l.alloc("push_stack", s.kernel.StackElem)
	l.allocAt(again, "push_stack", s.kernel.StackElem)
	l.free(again, "pop_stack")
	l.end.Allocs++
	l.end.Dropped = 2
	l.end.Result.TotalStates++
	return []*record.Verification{l.peak(3).finish()}
}

func writeEndLost(s *stream) []*record.Verification {
	l := s.startLoad(14)
	l.alloc("do_check_common", s.kernel.State)
	l.list()
	second, done := s.startAfter(14)
	return append(done, second.finish(ret(-int64(syscall.EAGAIN))))
}
