package compare

import (
	"fmt"
	"io"
	"slices"

	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// readRecording reads the JSON Lines of bench.
func readRecording(r io.Reader, o ReadOptions) (*Input, error) {
	rec, err := recording.Read(r, recording.Options{Partial: o.Partial, Bench: true})
	if err != nil {
		return nil, err
	}
	in := &Input{
		source: Source{
			Format: FormatRecording, Kernel: rec.Machine.Kernel, Build: rec.Machine.Build, Samples: len(rec.Samples),
		},
		machine: rec.Machine, environment: rec.Environment, loads: rec.Loads(),
	}
	for _, w := range rec.Warnings {
		in.warn(string(w.Code), key{}, "%s", w.Text)
	}
	for i := range in.loads {
		s := newSubject(&in.loads[i])
		s.build = in.source.Build
		if s.loaded {
			in.source.Programs++
		}
		in.subjects = append(in.subjects, s)
	}
	in.refuseAmbiguous()
	return in, nil
}

// newSubject returns a program of a recording with its loads.
func newSubject(l *recording.Loads) *subject {
	p := l.Program
	s := &subject{
		key: key{p.File, p.Name}, hash: p.SHA256, failure: p.Failure,
		inputs: map[string][]string{}, values: map[string][]float64{}, allocator: map[string][]float64{}, absent: map[string]string{},
	}
	for _, sample := range slices.Concat(l.Bare, l.Traced) {
		s.add(sample)
	}
	for _, sample := range l.Traced {
		if ns, ok := recording.VerifierTime(sample); ok {
			s.tracedNS = append(s.tracedNS, ns)
		}
		if sample.Traced != nil && sample.Traced.Exact {
			s.traced = append(s.traced, sample.Traced)
		}
	}
	for _, sample := range l.Bare {
		if ns, ok := recording.VerifierCPUTime(sample); ok {
			s.cpuNS = append(s.cpuNS, ns)
		}
	}
	if share, contended := l.Contention(); contended {
		s.onCPU = share
	}
	if cost, ok := l.ObserverCost(); ok {
		s.observer = &cost
	}
	return s
}

// add takes the metrics of one load.
func (s *subject) add(sample *record.Sample) {
	s.loaded = true
	s.verdicts = append(s.verdicts, verdictOf(sample.Verdict))
	s.addInputs(sample.Inputs)
	if sample.Traced != nil {
		s.addInputs(sample.Traced.Inputs)
	}
	for i := range metrics {
		m := &metrics[i]
		if m.mode != sample.Mode || m.value == nil {
			continue
		}
		value, why := m.value(sample)
		if why != "" {
			s.absent[m.name] = why
			continue
		}
		if m.allocator != nil {
			own := m.ofAllocator(sample.Traced)
			s.allocator[m.name] = append(s.allocator[m.name], own)
			value -= own
		}
		s.values[m.name] = append(s.values[m.name], value)
	}
}

// verdictOf returns veristat's word for a verdict, so that a recording can be compared
// with a CSV.
func verdictOf(v record.Verdict) string {
	switch v {
	case record.VerdictAccepted:
		return "success"
	case record.VerdictRejected:
		return "failure"
	default:
		return string(v)
	}
}

// refuseAmbiguous makes a failure of programs that share file and name, since it is
// not known which of them the other side's is.
func (in *Input) refuseAmbiguous() {
	count := map[key]int{}
	for _, s := range in.subjects {
		count[s.key]++
	}
	in.subjects = slices.DeleteFunc(in.subjects, func(s *subject) bool {
		if count[s.key] < 0 {
			return true // the first of them is a failure already
		}
		if count[s.key] > 1 {
			s.failure = fmt.Sprintf("%d programs have this file and name", count[s.key])
			count[s.key] = -1
		}
		return false
	})
}
