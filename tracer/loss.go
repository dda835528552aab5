package tracer

import "github.com/verialloc/verialloc/tracer/record"

// reportLosses hands the losses to the sink if they have grown.
func (t *Tracer) reportLosses() error {
	now, err := t.source.losses()
	if err != nil || now == t.losses { // it fails for a closed tracer only
		return nil
	}
	t.losses = now
	losses := t.lossList()
	remedy := record.RemedyOf(losses)
	return t.sink.Loss(&record.LossReport{
		Head:       record.NewHead(record.KindLoss),
		TimeUnixNS: t.clock.unixNow(),
		Losses:     losses,
		RingBytes:  t.source.ringBytes(),
		Advice:     remedy.Advice(),
		Remedy:     remedy,
	})
}

// lossList gives the losses as last read.
func (t *Tracer) lossList() []record.Loss {
	losses := []record.Loss{}
	for _, l := range []record.Loss{
		{Reason: record.LossRingFull, Count: t.losses.RingFull},
		{Reason: record.LossStarts, Count: t.losses.Starts},
		{Reason: record.LossEnds, Count: t.losses.Ends},
		{Reason: record.LossLateEnds, Count: t.assembler.LateEnds()},
		{Reason: record.LossLoadsFull, Count: t.losses.LoadsFull},
		{Reason: record.LossOrphans, Count: t.losses.Orphans},
		{Reason: record.LossRecursion, Count: t.misses},
	} {
		if l.Count > 0 {
			losses = append(losses, l)
		}
	}
	return losses
}
