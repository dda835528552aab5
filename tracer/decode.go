package tracer

import (
	"bytes"
	"fmt"
	"unsafe"

	"github.com/verialloc/verialloc/bpf"
	"github.com/verialloc/verialloc/tracer/assemble"
)

// decoder turns raw events into assemble.Event values. It keeps the values it
// points to, so an event is good until the next one is decoded.
type decoder struct {
	event assemble.Event
	start assemble.Start
	end   assemble.End
}

// view gives raw bytes as a struct of the BPF side, in native byte order. The
// ring buffer aligns its records to 8 bytes; other memory is refused.
func view[T any](raw []byte) (*T, error) {
	var t T
	if len(raw) < int(unsafe.Sizeof(t)) {
		return nil, fmt.Errorf("event of %d bytes: want %d for its kind", len(raw), unsafe.Sizeof(t))
	}
	p := unsafe.Pointer(unsafe.SliceData(raw))
	if uintptr(p)%8 != 0 {
		return nil, fmt.Errorf("event at %p: not aligned", p)
	}
	return (*T)(p), nil
}

// decode reads one event. It fails only for bytes that the BPF side of this build
// cannot have sent.
func (d *decoder) decode(raw []byte) (*assemble.Event, error) {
	// Every event begins with the same header, and a free has little else.
	first, err := view[bpf.VeriallocFreeEvent](raw)
	if err != nil {
		return nil, err
	}
	h := &first.H
	d.event = assemble.Event{
		Kind: assemble.Kind(h.Kind), Verification: h.Verification, TimeNS: h.TimeNs, TID: h.Tid, CPU: h.Cpu,
	}
	switch d.event.Kind {
	case assemble.KindStart:
		err = d.decodeStart(raw)
	case assemble.KindAlloc:
		err = d.decodeAlloc(raw)
	case assemble.KindFree:
		d.event.Pointer, d.event.CallSite = first.Ptr, first.CallSite
	case assemble.KindVisit:
		err = d.decodeVisit(raw)
	case assemble.KindCache:
		err = d.decodeCache(raw)
	case assemble.KindEnd, assemble.KindOrphan:
		err = d.decodeEnd(raw)
	default:
		err = fmt.Errorf("event of unknown kind %d", h.Kind)
	}
	if err != nil {
		return nil, err
	}
	return &d.event, nil
}

func (d *decoder) decodeAlloc(raw []byte) error {
	e, err := view[bpf.VeriallocAllocEvent](raw)
	if err != nil {
		return err
	}
	v := &d.event
	v.Pointer, v.CallSite, v.Requested, v.Allocated = e.Ptr, e.CallSite, e.Requested, e.Allocated
	v.LatencyNS, v.Cache, v.GFP, v.Node = e.LatencyNs, e.Cache, e.Gfp, e.Node
	v.Source, v.Path = assemble.Source(e.Source), e.Path
	return nil
}

func (d *decoder) decodeVisit(raw []byte) error {
	e, err := view[bpf.VeriallocVisitEvent](raw)
	if err != nil {
		return err
	}
	d.event.LatencyNS, d.event.Result = e.LatencyNs, e.Result
	return nil
}

func (d *decoder) decodeCache(raw []byte) error {
	e, err := view[bpf.VeriallocCacheEvent](raw)
	if err != nil {
		return err
	}
	d.event.Cache, d.event.Name = e.Cache, text(e.Name[:])
	return nil
}

func (d *decoder) decodeStart(raw []byte) error {
	e, err := view[bpf.VeriallocStartEvent](raw)
	if err != nil {
		return err
	}
	d.start = assemble.Start{
		Request: assemble.Request{
			Name: text(e.Request.Name[:]), ProgType: e.Request.ProgType,
			AttachType: e.Request.ExpectedAttachType, InsnCount: e.Request.InsnCount,
		},
		Env: e.Env, CgroupID: e.CgroupId, PID: e.Pid, UID: e.Uid, Comm: text(e.Comm[:]),
	}
	d.event.Start = &d.start
	return nil
}

func (d *decoder) decodeEnd(raw []byte) error {
	e, err := view[bpf.VeriallocEndEvent](raw)
	if err != nil {
		return err
	}
	d.end = assemble.End{
		Request: assemble.Request{
			Name: text(e.Request.Name[:]), ProgType: e.Request.ProgType,
			AttachType: e.Request.ExpectedAttachType, InsnCount: e.Request.InsnCount,
		},
		PID: e.Pid, UID: e.Uid, Comm: text(e.Comm[:]), CgroupID: e.CgroupId,
		EnterNS: e.EnterNs, BeginNS: e.BeginNs, ReleaseNS: e.ReleaseNs,
		Returned: e.Returned != 0, Ret: e.Ret,
		Allocs: uint64(e.Allocs), Frees: uint64(e.Frees), Visits: uint64(e.Visits), Dropped: uint64(e.Dropped),
		VisitEntries: uint64(e.VisitEntries),
		Result: assemble.Result{
			Valid:               e.Result.Valid != 0,
			VerificationTimeNS:  e.Result.VerificationTimeNs,
			InsnsProcessed:      e.Result.InsnsProcessed,
			TotalStates:         e.Result.TotalStates,
			PeakStates:          e.Result.PeakStates,
			MaxStatesPerInsn:    e.Result.MaxStatesPerInsn,
			LongestMarkReadWalk: e.Result.LongestMarkReadWalk,
			Subprograms:         e.Result.Subprograms,
			ProgType:            e.Result.ProgType,
			AttachType:          e.Result.ExpectedAttachType,
			XlatedInsns:         e.Result.XlatedInsns,
			Tag:                 e.Result.Tag,
			Name:                text(e.Result.Name[:]),
		},
		Usage: assemble.Usage{
			MinorFaults: e.Usage.MinFlt, MajorFaults: e.Usage.MajFlt,
			VoluntarySwitches: e.Usage.Nvcsw, InvoluntarySwitches: e.Usage.Nivcsw,
		},
	}
	d.event.End = &d.end
	return nil
}

// text reads a NUL-terminated string.
func text(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
