package assemble

import "github.com/verialloc/verialloc/tracer/record"

// eventBuffer holds the one event record that is handed out over and over.
type eventBuffer struct {
	record   record.Event
	latency  uint64
	lifetime uint64
	node     int
}

func (b *eventBuffer) alloc(a *Assembler, e *Event, o object, l *leaf) *record.Event {
	b.fill(a, e, record.OpAlloc)
	b.describe(o, l)
	b.record.CallSite = l.site.label
	b.record.Path = pathNames[l.path]
	b.record.GFP = e.GFP
	if e.LatencyNS != LatencyNone {
		b.latency = e.LatencyNS
		b.record.LatencyNS = &b.latency
	}
	b.node = int(e.Node)
	b.record.Node = &b.node
	return &b.record
}

// free takes no leaf for an object that is not the verification's.
func (b *eventBuffer) free(a *Assembler, e *Event, o object, l *leaf) *record.Event {
	b.fill(a, e, record.OpFree)
	_, b.record.CallSite = a.locate(e.CallSite)
	b.record.Foreign = l == nil
	if l != nil {
		b.describe(o, l)
		b.lifetime = e.TimeNS - o.timeNS
		b.record.LifetimeNS = &b.lifetime
	}
	return &b.record
}

func (b *eventBuffer) fill(a *Assembler, e *Event, op string) {
	b.record = record.Event{
		Head:         record.NewHead(record.KindEvent),
		Verification: e.Verification,
		Op:           op,
		TimeUnixNS:   int64(e.TimeNS) + a.options.UnixOffsetNS,
		TID:          e.TID,
		CPU:          e.CPU,
		Pointer:      record.Pointer(e.Pointer),
	}
}

func (b *eventBuffer) describe(o object, l *leaf) {
	b.record.Type = l.site.objectType
	b.record.Cache = l.site.cache
	b.record.Requested = o.requested
	b.record.Allocated = o.allocated
}
