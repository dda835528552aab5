package veristat

import (
	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// The units of veristat's peak memory and of its durations.
const (
	bytesPerMiB = 1 << 20
	nsPerUS     = 1000
)

// FromRecording returns a row for each program that has bare samples or that could
// not be loaded. Its numbers are the medians of the program's bare samples, whose fraction
// is cut off, as veristat cuts off what is less than a microsecond: recording.Median is
// 15855.5 us for 1733, 1776, 29935 and 45977, and the row has 15855. The verdict is success
// if that of most samples is.
//
// The program's size is that of the object, as veristat has it, not of what the
// verifier made of it; it is the latter where the former is not known. A program that
// could not be loaded has failed and is 0 in all that only a load shows. No attach
// type is the first, and a type that is not known is N/A.
func FromRecording(programs []recording.Loads) *Table {
	t := &Table{Columns: csvColumns(nil)}
	for i := range programs {
		if p := &programs[i]; len(p.Bare) > 0 || p.Program.Failure != "" {
			t.Rows = append(t.Rows, programRow(p.Program, p.Bare))
		}
	}
	return t
}

// measured is where a sample has the number of a stat, and how much of it is one of the
// stat's unit.
var measured = map[Stat]struct {
	number func(*record.Sample) uint64
	unit   float64
}{
	Duration:         {func(s *record.Sample) uint64 { return s.VerifierTimeNS }, nsPerUS},
	TotalInsns:       {func(s *record.Sample) uint64 { return s.InsnsProcessed }, 1},
	TotalStates:      {func(s *record.Sample) uint64 { return s.TotalStates }, 1},
	PeakStates:       {func(s *record.Sample) uint64 { return s.PeakStates }, 1},
	MaxStatesPerInsn: {func(s *record.Sample) uint64 { return s.MaxStatesPerInsn }, 1},
	MaxMarkReadLen:   {func(s *record.Sample) uint64 { return s.LongestMarkReadWalk }, 1},
	ProgSize:         {func(s *record.Sample) uint64 { return s.ProgSize }, 1},
	ProgSizeJited:    {func(s *record.Sample) uint64 { return s.ProgSizeJited }, 1},
	StackDepth:       {func(s *record.Sample) uint64 { return s.StackDepth }, 1},
}

func programRow(p *record.Program, samples []*record.Sample) Row {
	r := Row{File: p.File, Prog: p.Name}
	r.Set(Verdict, whole(1, 0, samples, func(s *record.Sample) (float64, bool) {
		if s.Verdict == record.VerdictAccepted {
			return 1, true
		}
		return 0, true
	}))
	r.Set(MemPeak, whole(bytesPerMiB, notMeasured, samples, recording.Counter(record.CounterMemoryPeak)))
	for stat, m := range measured {
		r.Set(stat, whole(m.unit, 0, samples, func(s *record.Sample) (float64, bool) {
			return float64(m.number(s)), true
		}))
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

// whole returns how many whole units the median is, and none if there are no numbers.
func whole(unit float64, none int64, samples []*record.Sample, number func(*record.Sample) (float64, bool)) int64 {
	median, ok := recording.MedianOf(samples, number)
	if !ok {
		return none
	}
	return int64(median / unit)
}
