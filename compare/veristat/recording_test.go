package veristat

import (
	"bytes"
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

func TestFromRecording(t *testing.T) {
	programs := []record.Program{
		{ID: 0, File: "a.bpf.o", Name: "even", Type: "xdp", Attach: "xdp", InsnCount: 40},
		{ID: 1, File: "a.bpf.o", Name: "once", Type: "raw_tracepoint"},
		{ID: 2, File: "b.bpf.o", Name: "unloadable", Type: "newer_than_libbpf", Attach: "lsm_mac", InsnCount: 9, Failure: "no such map"},
		{ID: 3, File: "b.bpf.o", Name: "not_reached", Type: "xdp"},
		{ID: 4, File: "b.bpf.o", Name: "rejected", Type: "tracing", Attach: "trace_fentry", InsnCount: 3},
	}
	bare := func(program int, durationNS, peakBytes uint64) record.Sample {
		return record.Sample{
			Program: program, Mode: record.ModeBare, Verdict: record.VerdictAccepted,
			VerifierStats: record.VerifierStats{
				VerifierTimeNS: durationNS, InsnsProcessed: 211, TotalStates: 13, PeakStates: 12, MaxStatesPerInsn: 2, LongestMarkReadWalk: 1,
			},
			StackDepth: 48, ProgSize: 44, ProgSizeJited: 180, Counters: map[string]record.Counter{"memory_peak_bytes": {Value: peakBytes}},
		}
	}
	traced := bare(0, 1_000_000, 0)
	traced.Mode = record.ModeTraced
	unmeasured := bare(1, 7000, 0)
	unmeasured.Counters = map[string]record.Counter{"memory_peak_bytes": {Absent: "no cgroup"}}
	rejected := record.Sample{
		Program: 4, Mode: record.ModeBare, Verdict: record.VerdictRejected,
		VerifierStats: record.VerifierStats{VerifierTimeNS: 5999, InsnsProcessed: 2},
	}
	rec := recording.Recording{Programs: programs, Samples: []record.Sample{
		bare(0, 9000, 3<<20), unmeasured, bare(0, 3000, 2<<20-1), traced, bare(0, 4000, 2<<20), bare(0, 5000, 9<<20), rejected,
	}}
	table := FromRecording(rec.Loads())
	const want = "file_name,prog_name,verdict,duration,total_insns,total_states,peak_states,max_states_per_insn,max_mark_read_len," +
		"prog_size,prog_size_jited,prog_type,attach_type,stack_depth,mem_peak\n" +
		"a.bpf.o,even,success,4,211,13,12,2,1,40,180,xdp,xdp,48,2\n" +
		"a.bpf.o,once,success,7,211,13,12,2,1,44,180,raw_tracepoint,cgroup_inet_ingress,48,-1\n" +
		"b.bpf.o,rejected,failure,5,2,0,0,0,0,3,0,tracing,trace_fentry,0,-1\n" +
		"b.bpf.o,unloadable,failure,0,0,0,0,0,0,9,0,N/A,lsm_mac,0,-1\n"
	var out bytes.Buffer
	if err := table.WriteCSV(&out, View{}); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if _, err := ReadCSV(&out); err != nil {
		t.Error(err)
	}
}
