// Package sample has records for the tests of feeds and views, and compares what those
// write with files under testdata.
package sample

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/tracer/record"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Golden compares what write writes with a file under testdata.
func Golden(t *testing.T, name string, write func(*bytes.Buffer) error) {
	t.Helper()
	var got bytes.Buffer
	if err := write(&got); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// Latencies returns their histogram.
func Latencies(values ...uint64) record.Histogram {
	var r record.Recorder
	for _, v := range values {
		r.Observe(v)
	}
	return r.Histogram()
}

// Time is that of all samples.
const Time = 1768224600123456789 // 2026-01-12 13:30:00.123456789 UTC

// Group is one of a verification.
func Group(name string, allocs, requested, allocated uint64, latency record.Histogram) record.Group {
	return record.Group{
		Name: name, Allocs: allocs, Frees: allocs, BytesRequested: requested, BytesAllocated: allocated,
		PeakLive: allocs, PeakLiveBytes: allocated, AllocTimeNS: latency.SumNS, Latency: latency,
	}
}

// Accepted is exact, and all its allocations were timed.
func Accepted() *record.Verification {
	all := Latencies(180, 190, 210, 260, 300, 480, 1023, 1024, 70_000)
	return &record.Verification{
		Head: record.NewHead(record.KindVerification), ID: 7, TimeUnixNS: Time,
		PID: 4242, TID: 4243, Comm: "bpftool", ProgName: "stress", FullName: "stress", ProgID: 311, ProgType: "socket_filter",
		ProgTag: "a04f5eef06a7f555", InsnCount: 2003, XlatedInsns: 2003, Subprograms: 1,
		Verdict: record.VerdictAccepted, Outcome: record.OutcomeAccepted, ReachedVerifier: true,
		DurationNS: 25_200_000,
		VerifierStats: record.VerifierStats{
			VerifierTimeNS: 25_100_000, SyscallNS: 25_900_000,
			InsnsProcessed: 5003, TotalStates: 874, PeakStates: 874, MaxStatesPerInsn: 1, LongestMarkReadWalk: 3,
		},
		StateListAllocs: 874, TracedPeak: 874, Allocs: 9, Frees: 9, ForeignFrees: 2,
		BytesRequested: 1_310_720, BytesAllocated: 2_097_152, PeakLiveBytes: 1_572_864,
		AllocTimeNS: all.SumNS, LatencyCoverage: 1, Latency: all,
		VisitsMeans: "fentry+fexit", Visits: &record.Visits{Count: 3, PruneHits: 1, Latency: Latencies(2048, 4095, 9000)},
		Exact: true, Lossy: []record.Loss{},
		Types: []record.Group{
			Group("state_list", 3, 576, 576, Latencies(180, 190, 210)),
			Group("func_state", 6, 1_310_144, 2_096_576, Latencies(260, 300, 480, 1023, 1024, 70_000)),
		},
		Caches: []record.Group{
			merged(Group("bpf_verifier_state_list", 3, 576, 576, Latencies(180, 190, 210)), "proc_dir_entry", "inet_peer", "proc_dir_entry"),
			merged(Group("kmalloc-cg-2k", 6, 1_310_144, 2_096_576, Latencies(260, 300, 480, 1023, 1024, 70_000)), "", "biovec-max"),
		},
		Sites: []record.Group{Group("do_check_common+0x1c2a", 9, 1_310_720, 2_097_152, all)},
		Paths: []record.Group{Group("fast", 9, 1_310_720, 2_097_152, record.Histogram{})},
	}
}

// merged is a group of a slab cache that shares its slabs.
func merged(g record.Group, kernelName string, aliases ...string) record.Group {
	g.KernelName, g.Aliases = kernelName, aliases
	return g
}

// Lossy is rejected, lost events, was timed in part and has a name that
// would take over a terminal.
func Lossy() *record.Verification {
	v := Accepted()
	v.ID, v.Comm, v.ProgName = 8, "evil\x1b]0;x\a", "no\xffutf8"
	v.Verdict, v.Outcome, v.Errno = record.VerdictRejected, record.OutcomeRejected, 13
	v.Reason, v.ReasonFrom = "invalid access to packet, off=0 size=1, R2(id=0,off=0,r=0); R2 offset is outside of the packet", record.ReasonFromCalls
	v.Exact = false
	v.Lossy = []record.Loss{{Reason: record.LossRingFull, Count: 120}, {Reason: record.LossTotalStates, Count: 3}}
	v.Latency = Latencies(200, 300)
	v.Visits = nil
	return v
}

// Unverified failed before there was anything to verify.
func Unverified() *record.Verification {
	return &record.Verification{
		Head: record.NewHead(record.KindVerification), TimeUnixNS: Time, PID: 1, Comm: "systemd",
		Verdict: record.VerdictRejected, Outcome: record.OutcomeRefused, Errno: 524, Lossy: []record.Loss{},
	}
}

// Incomplete began before the probes were live.
func Incomplete() *record.Verification {
	v := Unverified()
	v.Verdict, v.Outcome, v.Errno = record.VerdictIncomplete, record.OutcomeIncomplete, 0
	v.IncompleteReason = "it began before the probes were live"
	v.Lossy = []record.Loss{{Reason: record.LossIncomplete, Count: 1}}
	return v
}

// CutOff was at the verifier as the tracer ended.
func CutOff() *record.Verification {
	v := Accepted()
	v.ProgTag, v.Verdict, v.Outcome = "", record.VerdictIncomplete, record.OutcomeIncomplete
	v.IncompleteReason = "the tracer ended"
	v.DurationNS, v.VerifierStats = 0, record.VerifierStats{}
	v.Exact, v.Lossy = false, []record.Loss{{Reason: record.LossIncomplete, Count: 1}}
	return v
}

// Environment has two hooks attached and one not.
func Environment() *record.Environment {
	return &record.Environment{
		Head: record.NewHead(record.KindEnvironment), TimeUnixNS: Time,
		Version: "v0.1.0", Kernel: "6.12.117", Build: "#1 SMP", Architecture: "x86_64", CPUs: 2,
		System: record.System{
			KernelCommandLine: "console=ttyS0 no_timer_check", KernelBuildID: "d01f77c7eb9976096e297898b0aa41e36eac404b",
			ClockSource: "tsc", Hypervisor: "KVM", BootID: "4f97ba27-22c3-4d5d-af85-c519ae50b3bd",
		},
		Absent:      map[string]string{"config_sha256": "/boot/config-6.12.117: permission denied", "icount": "only TCG counts instructions"},
		Nonexistent: []string{"icount"},
		Ledger:      "tracepoint", Latency: "fentry", Visits: "none",
		Hooks: Hooks(), Missing: []string{},
		Lacks:        []record.Lack{{Kind: record.HookVisit, Name: "is_state_visited is inlined", Why: "its visits are not counted"}},
		ProbeFloorNS: 184, ProbeFloor: "fentry",
		ProbeFloors: []record.ProbeFloor{
			{Hook: "kmalloc", Means: record.MeansFentry, FloorNS: 184}, {Hook: "kmem_cache_alloc", Means: record.MeansFentry, FloorNS: 257},
		},
		RingBytes: 16 << 20, TypeBytes: map[string]uint64{"bpf_verifier_state_list": 176},
		PeakRule: "final",
	}
}

// Hooks are two attached and one not.
func Hooks() []record.Hook {
	return []record.Hook{
		{
			Name: "kmem_cache_zalloc", Purpose: "slab objects", Kind: record.HookLedger, State: record.HookAttached, Required: true,
			Targets: []record.Target{{Means: record.MeansTracepoint, Name: "kmem:kmem_cache_alloc"}},
		},
		{
			Name: "kzalloc", Purpose: "kmalloc objects", Kind: record.HookLedger, State: record.HookAttached, Required: true,
			Targets: []record.Target{{Means: record.MeansTracepoint, Name: "kmem:kmalloc"}},
		},
		{
			Name: "is_state_visited", Purpose: "visits and prune hits", Kind: record.HookVisit, State: record.HookAbsent,
			Reason: "inlined into do_check_common before 7.1", Advice: "nothing: states are counted all the same",
		},
	}
}

// Summary has losses.
func Summary() *record.Summary {
	return &record.Summary{
		Head: record.NewHead(record.KindSummary), TimeUnixNS: Time, DurationNS: 12_300_000_000,
		Verifications: 48, Verdicts: map[record.Verdict]uint64{record.VerdictRejected: 8, record.VerdictAccepted: 40}, Exact: 47,
		TotalStates: 41_952, Allocs: 412_800, BytesRequested: 62_914_560, BytesAllocated: 100_663_296,
		AllocTimeNS: 123_000_000, DurationSumNS: 1_209_600_000, LatencyCoverage: 0.998,
		Simultaneous: &record.Simultaneous{
			PeakLiveBytes: 12_582_912, PeakLiveAccountedBytes: 12_058_624, Loads: 8, TimeUnixNS: Time + 1_000_000_000, LeftOut: 1,
		},
		Losses: []record.Loss{{Reason: record.LossRingFull, Count: 120}},
	}
}

// Loss is a report of one.
func Loss() *record.LossReport {
	return &record.LossReport{
		Head: record.NewHead(record.KindLoss), TimeUnixNS: Time,
		Losses: []record.Loss{{Reason: record.LossRingFull, Count: 120}}, Advice: "make the ring larger with --ring-size",
	}
}

// Events are two allocations and two frees, one of them foreign.
func Events() []*record.Event {
	return []*record.Event{
		{
			Head: record.NewHead(record.KindEvent), Verification: 7, Op: record.OpAlloc, TimeUnixNS: Time, TID: 4243, CPU: 1,
			Pointer: 0xffff8881002a3c00, Type: "state_list", CallSite: "do_check_common+0x1c2a", Requested: 176, Allocated: 192,
			Cache: "kmalloc-192", LatencyNS: new(uint64(212)), Path: "fast", GFP: 0xdc0, Node: new(-1),
		},
		{
			Head: record.NewHead(record.KindEvent), Verification: 7, Op: record.OpFree, TimeUnixNS: Time + 1_500_000, TID: 4243, CPU: 1,
			Pointer: 0xffff8881002a3c00, Type: "state_list", CallSite: "free_states+0x5e", Requested: 176, Allocated: 192,
			Cache: "kmalloc-192", LifetimeNS: new(uint64(1_500_000)),
		},
		{
			Head: record.NewHead(record.KindEvent), Verification: 7, Op: record.OpAlloc, TimeUnixNS: Time + 2_000_000, TID: 4243,
			Pointer: 0xffffc90000a01000, Type: "vmalloc", Requested: 386_000, Allocated: 389_120, Path: "vmalloc", GFP: 0x400dc0, Node: new(0),
		},
		{
			Head: record.NewHead(record.KindEvent), Verification: 7, Op: record.OpFree, TimeUnixNS: Time + 2_100_000, TID: 4243,
			Pointer: 0xffff888100aa0000, CallSite: "bpf_check+0xb1", Foreign: true,
		},
	}
}

// Feed is one line of each kind in the order of a feed.
func Feed() []any {
	lines := []any{Environment(), Accepted()}
	for _, e := range Events() {
		lines = append(lines, e)
	}
	lossy := Lossy()
	lossy.ProgName = "utf8" // JSON holds nothing else
	return append(lines, Loss(), lossy, Unverified(), Incomplete(), Summary())
}
