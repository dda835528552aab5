package tracer

import (
	"time"

	"github.com/verialloc/verialloc/tracer/record"
)

// reportLosses hands the losses to the sink if they have grown.
func (t *Tracer) reportLosses() error {
	now, err := t.source.losses()
	if err != nil || now == t.losses { // it fails for a closed tracer only
		return nil
	}
	t.losses = now
	return t.sink.Loss(&record.LossReport{
		Head:       record.NewHead(record.KindLoss),
		TimeUnixNS: time.Now().UnixNano(),
		Losses:     t.lossList(),
		Advice:     t.lossAdvice(),
	})
}

// lossList gives the losses as last read.
func (t *Tracer) lossList() []record.Loss {
	losses := []record.Loss{}
	for _, l := range []record.Loss{
		{Reason: record.LossRingFull, Count: t.losses.RingFull},
		{Reason: record.LossStarts, Count: t.losses.Starts},
		{Reason: record.LossEnds, Count: t.losses.Ends},
		{Reason: record.LossLoadsFull, Count: t.losses.LoadsFull},
		{Reason: record.LossTasksFull, Count: t.losses.TasksFull},
		{Reason: record.LossOrphans, Count: t.losses.Orphans},
		{Reason: record.LossRecursion, Count: t.misses},
	} {
		if l.Count > 0 {
			losses = append(losses, l)
		}
	}
	return losses
}

func (t *Tracer) lossAdvice() string {
	switch l := &t.losses; {
	case l.RingFull+l.Starts+l.Ends+l.Orphans > 0:
		return "give a larger ring buffer (--ring-size)"
	case l.LoadsFull > 0:
		return "more loads at once than there is room for: trace less at once"
	default:
		return "the command has more children than can be followed: trace the machine in place of the command"
	}
}
