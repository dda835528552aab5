package assemble

import "github.com/verialloc/verialloc/tracer/record"

// eventBuffer holds the one event record that is handed out over and over.
type eventBuffer struct {
	record   record.Event
	latency  uint64
	lifetime uint64
	node     int
}

func (b *eventBuffer) alloc(a *Assembler, e *Event, o object) *record.Event {
	b.fill(a, e, record.OpAlloc)
	b.describe(o)
	b.record.CallSite = o.leaf.site.label
	b.record.Path = pathNames[o.leaf.path]
	b.record.GFP = e.GFP
	if e.LatencyNS != LatencyNone {
		b.latency = e.LatencyNS
		b.record.LatencyNS = &b.latency
	}
	b.node = int(e.Node)
	b.record.Node = &b.node
	return &b.record
}

func (b *eventBuffer) free(a *Assembler, e *Event, o object, matched bool) *record.Event {
	b.fill(a, e, record.OpFree)
	_, b.record.CallSite = a.locate(e.CallSite)
	b.record.Foreign = !matched
	if matched {
		b.describe(o)
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

func (b *eventBuffer) describe(o object) {
	b.record.Type = o.leaf.site.objectType
	b.record.Cache = o.leaf.site.cache
	b.record.Requested = o.requested
	b.record.Allocated = o.allocated
}
