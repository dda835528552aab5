package veristat

import (
	"slices"

	"github.com/verialloc/verialloc/tracer/record"
)

// bytesPerMiB is the unit of veristat's peak memory.
const bytesPerMiB = 1 << 20

// memoryPeak is the counter that veristat's peak memory comes from.
const memoryPeak = "memory_peak_bytes"

// FromRecording returns a row for each program that has bare samples or that could
// not be loaded. Its numbers are the medians of the program's bare samples; of an even
// count the lower of the middle two, so that each is a number that was seen. The
// verdict is success if that of most samples is.
//
// The program's size is that of the object, as veristat has it, not of what the
// verifier made of it; it is the latter where the former is not known. A program that
// could not be loaded has failed and is 0 in all that only a load can tell. No attach
// type is the first, and a type that is not known is N/A.
func FromRecording(programs []record.Program, samples []record.Sample) *Table {
	bare := make(map[int][]*record.Sample)
	for i := range samples {
		if s := &samples[i]; s.Mode == record.ModeBare {
			bare[s.Program] = append(bare[s.Program], s)
		}
	}
	t := &Table{Columns: csvColumns(nil)}
	for i := range programs {
		p := &programs[i]
		if len(bare[p.ID]) > 0 || p.Failure != "" {
			t.Rows = append(t.Rows, programRow(p, bare[p.ID]))
		}
	}
	return t
}

// measured says where a sample has what a stat tells.
var measured = map[Stat]func(*record.Sample) uint64{
	Duration:         func(s *record.Sample) uint64 { return s.VerifierTimeNS / 1000 },
	TotalInsns:       func(s *record.Sample) uint64 { return s.InsnsProcessed },
	TotalStates:      func(s *record.Sample) uint64 { return s.TotalStates },
	PeakStates:       func(s *record.Sample) uint64 { return s.PeakStates },
	MaxStatesPerInsn: func(s *record.Sample) uint64 { return s.MaxStatesPerInsn },
	MaxMarkReadLen:   func(s *record.Sample) uint64 { return s.LongestMarkReadWalk },
	ProgSize:         func(s *record.Sample) uint64 { return s.ProgSize },
	ProgSizeJited:    func(s *record.Sample) uint64 { return s.ProgSizeJited },
	StackDepth:       func(s *record.Sample) uint64 { return s.StackDepth },
}

func programRow(p *record.Program, samples []*record.Sample) Row {
	r := Row{File: p.File, Prog: p.Name}
	var accepted, peaks []int64
	for _, s := range samples {
		verdict := int64(0)
		if s.Verdict == record.VerdictAccepted {
			verdict = 1
		}
		accepted = append(accepted, verdict)
		if c, ok := s.Counters[memoryPeak]; ok && c.Absent == "" {
			peaks = append(peaks, int64(c.Value/bytesPerMiB))
		}
	}
	r.Set(Verdict, median(accepted, 0))
	r.Set(MemPeak, median(peaks, notMeasured))
	for stat, of := range measured {
		var numbers []int64
		for _, s := range samples {
			numbers = append(numbers, int64(of(s)))
		}
		r.Set(stat, median(numbers, 0))
	}
	if p.InsnCount > 0 {
		r.Set(ProgSize, int64(p.InsnCount))
	}
	progType, _ := typeNumber(progTypes, p.Type)
	r.Set(ProgType, progType)
	attachType := int64(0)
	if p.Attach != "" {
		attachType, _ = typeNumber(attachTypes, p.Attach)
	}
	r.Set(AttachType, attachType)
	return r
}

// median returns the lower median, and none if there are no numbers.
func median(numbers []int64, none int64) int64 {
	if len(numbers) == 0 {
		return none
	}
	slices.Sort(numbers)
	return numbers[(len(numbers)-1)/2]
}
