package recording

import (
	"slices"

	"github.com/verialloc/verialloc/tracer/record"
)

// Recording is what one file holds: a recording of bench or, without a machine, the feed
// of a trace.
type Recording struct {
	Machine     *record.Machine     // nil: the feed of a trace
	Environment *record.Environment // the tracer's; nil: nothing was traced
	Programs    []record.Program    // in the order of the file
	Samples     []record.Sample     // in the order of the file
	End         *record.End         // nil: it was cut off

	Verifications []*record.Verification // of a trace
	Summary       *record.Summary        // of a trace; nil: it was cut off

	// Warnings are what a reader should know of a file that can be used.
	Warnings []Warning
}

// Warning is a doubt about a recording.
type Warning struct {
	Code WarningCode
	Text string // in words for a person, without the name of the file
}

// WarningCode says what a warning is about.
type WarningCode string

// The codes.
const (
	WarnCutOff      WarningCode = "cut_off"     // its writer did not finish it
	WarnInterrupted WarningCode = "interrupted" // bench took fewer samples than asked for
	// WarnSummary: what the writer made of the samples is not what they give.
	WarnSummary WarningCode = "other_summary"
)

// Loads are the samples of one program, in the order of the file.
type Loads struct {
	Program *record.Program
	Bare    []*record.Sample
	Traced  []*record.Sample
}

// Loads returns the samples of each program, in the order of the programs' ids.
func (r *Recording) Loads() []Loads {
	all := make([]Loads, len(r.Programs))
	for i := range r.Programs {
		all[i].Program = &r.Programs[i]
	}
	slices.SortStableFunc(all, func(a, b Loads) int { return a.Program.ID - b.Program.ID })
	index := map[int]*Loads{}
	for i := range all {
		index[all[i].Program.ID] = &all[i]
	}
	for i := range r.Samples {
		s := &r.Samples[i]
		if l := index[s.Program]; s.Mode == record.ModeBare {
			l.Bare = append(l.Bare, s)
		} else {
			l.Traced = append(l.Traced, s)
		}
	}
	return all
}

// slim returns a sample without what only its own line has a use for: the groups of the
// tracer's record.
func slim(s *record.Sample) record.Sample {
	kept := *s
	if s.Traced != nil {
		traced := *s.Traced
		traced.DropGroups()
		kept.Traced = &traced
	}
	return kept
}
