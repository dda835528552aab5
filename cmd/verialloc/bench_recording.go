package main

import (
	"time"

	"github.com/verialloc/verialloc/exporter/feed/jsonl"
	"github.com/verialloc/verialloc/tracer/record"
)

// benchRecording is the result of a bench as it comes. With a feed it is written at once as
// well.
type benchRecording struct {
	machine  record.Machine
	programs []record.Program
	samples  []record.Sample // without what is needed no more once it is written
	end      record.End

	feed   *jsonl.Feed // nil: none
	begun  bool        // the feed has the machine, and the programs so far
	failed error       // the first write of the feed that did not succeed
}

func newRecording(m record.Machine) *benchRecording {
	return &benchRecording{machine: m}
}

// Program takes a program. The feed has none before there is a sample: until then it
// replaces no earlier file.
func (r *benchRecording) Program(p *record.Program) error {
	r.programs = append(r.programs, *p)
	if !r.begun {
		return nil
	}
	return r.write(p)
}

// Environment takes the tracer's environment, which the feed alone has.
func (r *benchRecording) Environment(e *record.Environment) error { return r.write(e) }

// Sample takes a sample.
func (r *benchRecording) Sample(s *record.Sample) error {
	kept := *s
	if s.Traced != nil {
		traced := *s.Traced
		traced.Types, traced.Caches, traced.Sites, traced.Paths = nil, nil, nil, nil
		kept.Traced = &traced
	}
	if r.feed != nil {
		kept.Counters = nil
	}
	r.samples = append(r.samples, kept)
	return r.write(s)
}

// write writes lines of the feed, ahead of the first the machine and the programs, unless
// a write has failed.
func (r *benchRecording) write(lines ...any) error {
	if r.feed == nil || r.failed != nil {
		return r.failed
	}
	if !r.begun {
		r.begun = true
		head := []any{&r.machine}
		for i := range r.programs {
			head = append(head, &r.programs[i])
		}
		lines = append(head, lines...)
	}
	for _, line := range lines {
		if r.failed = r.feed.Write(line); r.failed != nil {
			break
		}
	}
	return r.failed
}

// finish writes what is written last.
func (r *benchRecording) finish() error {
	var lines []any
	for _, cost := range r.observerCosts() {
		lines = append(lines, &cost)
	}
	for _, fit := range r.fits() {
		lines = append(lines, &fit)
	}
	r.end.Head = record.NewHead(record.KindEnd)
	r.end.TimeUnixNS = time.Now().UnixNano()
	r.end.Samples = uint64(len(r.samples))
	return r.write(append(lines, &r.end)...)
}
