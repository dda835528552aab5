package recording

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
)

// lines is a sink that keeps lines, until one is refused.
type lines struct {
	text   bytes.Buffer
	refuse error
	count  int
}

func (l *lines) Write(line any) error {
	l.count++
	if l.refuse != nil {
		return l.refuse
	}
	return json.NewEncoder(&l.text).Encode(line)
}

// us are the bare times of a program, in microseconds, of which the lower median is 1776
// and the median 15855.5.
var us = []uint64{29935, 1733, 45977, 1776}

// tracedUS has the median 31711, and the lower median 28416.
var tracedUS = []uint64{28416, 60000, 20000, 35006}

// sampleOf returns a counted load.
func sampleOf(program int, mode record.SampleMode, us, allocs uint64) *record.Sample {
	s := &record.Sample{
		Head: record.NewHead(record.KindSample), Program: program, Mode: mode, Verdict: record.VerdictAccepted,
		VerifierStats: record.VerifierStats{VerifierTimeNS: 1000 * us, TotalStates: 9},
	}
	if mode == record.ModeTraced {
		s.Traced = &record.Verification{
			Head: record.NewHead(record.KindVerification), Exact: true, Allocs: allocs,
			Types: []record.Group{{Name: "env", Allocs: allocs}},
		}
		return s
	}
	s.Counters = map[string]record.Counter{"cycles": {Value: 5}}
	return s
}

// written returns a recording of an object's program, of one that cannot be loaded, and of
// generated ones in three sizes.
func written(t testing.TB, sink LineWriter) *Writer {
	t.Helper()
	w := NewWriter(record.Machine{Head: record.NewHead(record.KindMachine), Kernel: "6.12"}, sink)
	failed := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	program := func(p record.Program) {
		p.Head = record.NewHead(record.KindProgram)
		p.ID = len(w.Recording().Programs)
		failed(w.Program(&p))
	}
	program(record.Program{File: "a.bpf.o", Path: "a.bpf.o", Name: "prog"})
	program(record.Program{File: "a.bpf.o", Path: "a.bpf.o", Name: "unloadable", Failure: "no such map"})
	for _, size := range []int{10, 100, 1000} {
		program(record.Program{File: "stress", Name: "x", Generated: &record.Generated{Kind: "branches", Size: size}})
	}
	for _, n := range us {
		failed(w.Sample(sampleOf(0, record.ModeBare, n, 0)))
	}
	for i, n := range []uint64{10, 100, 1000} {
		failed(w.Sample(sampleOf(2+i, record.ModeBare, n, 0)))
	}
	failed(w.Environment(&record.Environment{Head: record.NewHead(record.KindEnvironment), Kernel: "6.12"}))
	for _, n := range tracedUS {
		failed(w.Sample(sampleOf(0, record.ModeTraced, n, 7)))
	}
	for i, n := range []uint64{10, 100, 1000} {
		failed(w.Sample(sampleOf(2+i, record.ModeTraced, 3*n, n*n)))
	}
	failed(w.Finish(record.End{TracedAbsent: "some"}))
	return w
}

// text is written as it stands in a file.
func text(t testing.TB) string {
	t.Helper()
	var sink lines
	written(t, &sink)
	return sink.text.String()
}

// feed is a feed of a trace.
const feed = `{"schema":"verialloc/1","kind":"environment","kernel":"6.12"}
{"schema":"verialloc/1","kind":"verification","prog_name":"a","types":[{"name":"env"}]}
{"schema":"verialloc/1","kind":"event"}
{"schema":"verialloc/1","kind":"verification","prog_name":"b"}
{"schema":"verialloc/1","kind":"loss"}
{"schema":"verialloc/1","kind":"summary","verifications":2}
`
