package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// traced are the objects that veristat loads under the tracer: networking, loops,
// kernel types, callbacks, iterators, dynamic pointers, and many states.
var traced = []string{
	"bpf_dctcp.bpf.o", "bpf_flow.bpf.o", "bpf_loop.bpf.o", "dynptr_success.bpf.o", "iters_num.bpf.o",
	"fentry_fexit-el.elf", "linked_list.bpf.o", "loop6.bpf.o", "pyperf50.bpf.o", "strobemeta_bpf_loop.bpf.o",
	"test_cls_redirect.bpf.o", "test_l4lb_noinline.bpf.o", "test_xdp_noinline.bpf.o",
	"xdp-dispatcher.o", "xdp_synproxy_kern.bpf.o", "xdpfilt_alw_tcp.o",
}

// objectsNamed returns the objects of these names.
func objectsNamed(t *testing.T, names []string) []string {
	t.Helper()
	paths := slices.DeleteFunc(objects(t), func(path string) bool { return !slices.Contains(names, filepath.Base(path)) })
	if len(paths) != len(names) {
		t.Errorf("the corpus has %d of the %d objects", len(paths), len(names))
	}
	return paths
}

// trace runs a command line under verialloc trace, and returns what it printed and the
// feed's records of loads that reached the verifier.
func trace(t *testing.T, line []string) (stdout string, verifications []*record.Verification) {
	t.Helper()
	feed := filepath.Join(t.TempDir(), "feed")
	args := append([]string{"verialloc", "trace", "--strict", "--ring-size", "64M", "-o", "jsonl", "--output", feed, "--"}, line...)
	stdout, stderr, err := runLine(t, args...)
	if err != nil {
		t.Fatalf("verialloc trace: %v: %.2000s", err, stderr)
	}
	f, err := os.Open(feed)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for line, err := range recording.ReadJSONL(f) {
		if err != nil {
			t.Fatal(err)
		}
		v, ok := line.(*record.Verification)
		if !ok || !v.ReachedVerifier {
			continue
		}
		if !v.Exact {
			t.Errorf("load of %s is not exact: %v", v.ProgName, v.Lossy)
		}
		verifications = append(verifications, v)
	}
	return stdout, verifications
}

// TestLiveTraceVeristat traces veristat, whose own output of the same run says what the
// tracer has to report of each program, the verifier's time included.
func TestLiveTraceVeristat(t *testing.T) {
	paths := objectsNamed(t, traced)
	out, verifications := trace(t, tool(t, "veristat", "-q", "-o", "csv", list(t, paths)))
	_, rows := readCSV(t, out)
	seen, listed, equal := len(verifications), 0, 0
	for _, r := range rows {
		if number(r["total_insns"]) == 0 {
			continue // rejected ahead of the verifier's walk, or never loaded
		}
		listed++
		i := slices.IndexFunc(verifications, func(v *record.Verification) bool { return is(v, r) })
		if i < 0 {
			t.Errorf("%s: no traced load is that of veristat's row %v: %s", r.program(), r, named(verifications, r))
			continue
		}
		verifications = slices.Delete(verifications, i, i+1)
		equal++
	}
	if listed < leastTraced {
		t.Errorf("veristat loaded %d programs, fewer than %d", listed, leastTraced)
	}
	t.Logf("kernel %s: %d loads of veristat traced, all exact, %d of %d programs as its CSV has them",
		release(t), seen, equal, listed)
}

// leastTraced is how many programs of the traced objects have to reach the verifier.
const leastTraced = 40

// is reports whether a traced load is what veristat's row is of.
func is(v *record.Verification, r row) bool {
	const nameMax = 15
	name := r["prog_name"]
	return v.ProgName == name[:min(len(name), nameMax)] &&
		(v.Verdict == record.VerdictAccepted) == (r["verdict"] == "success") &&
		same(r["total_insns"], v.InsnsProcessed) && same(r["total_states"], v.TotalStates) &&
		same(r["peak_states"], v.PeakStates) && same(r["max_states_per_insn"], v.MaxStatesPerInsn) &&
		same(r["max_mark_read_len"], v.LongestMarkReadWalk) && same(r["prog_size"], uint64(v.InsnCount)) &&
		r["duration"] == strconv.FormatUint(v.VerifierTimeNS/1000, 10)
}

func same(text string, n uint64) bool { return text == strconv.FormatUint(n, 10) }

// named describes the traced loads of programs with the row's name.
func named(verifications []*record.Verification, r row) string {
	var all []string
	for _, v := range verifications {
		if v.ProgName != "" && strings.HasPrefix(r["prog_name"], v.ProgName) {
			all = append(all, strings.Join([]string{
				v.ProgName, string(v.Verdict), "insns", strconv.Itoa(int(v.InsnsProcessed)), "states", strconv.Itoa(int(v.TotalStates)),
				"peak", strconv.Itoa(int(v.PeakStates)), "size", strconv.Itoa(int(v.InsnCount)), "ns", strconv.Itoa(int(v.VerifierTimeNS)),
			}, " "))
		}
	}
	return strings.Join(all, "; ")
}

// TestLiveTraceBpftrace traces bpftrace, which loads a program for each probe, but one
// for both ends of a function.
func TestLiveTraceBpftrace(t *testing.T) {
	directory(t, toolsVariable) // skips where this is no guest
	script := `
tracepoint:syscalls:sys_enter_openat { @opens[comm] = count(); @paths = hist(strlen(str(args.filename))); }
kprobe:vfs_read { @start[tid] = nsecs; }
kretprobe:vfs_read /@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start, tid); }
BEGIN { $i = 0; while ($i < 10) { @squares[$i] = $i * $i; $i++; } exit(); }`
	out, verifications := trace(t, tool(t, "bpftrace", "-e", script))
	if !strings.Contains(out, "@squares[9]: 81") {
		t.Errorf("bpftrace printed %.1000q", out)
	}
	var accepted []string
	for _, v := range verifications {
		if v.Verdict == record.VerdictAccepted {
			accepted = append(accepted, v.ProgName)
		}
	}
	for _, start := range []string{"tracepoint_sysc", "kprobe_vfs_read", "begin"} {
		if !slices.ContainsFunc(accepted, func(name string) bool { return strings.HasPrefix(name, start) }) {
			t.Errorf("no traced load is that of %s: %v", start, accepted)
		}
	}
	t.Logf("kernel %s: %d loads of bpftrace traced, all exact", release(t), len(verifications))
}
