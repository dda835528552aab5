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

// header is what every event begins with, a free being the smallest.
const (
	offsetKind = unsafe.Offsetof(bpf.VeriallocFreeEvent{}.H) + unsafe.Offsetof(bpf.VeriallocFreeEvent{}.H.Kind)
	headerSize = unsafe.Sizeof(bpf.VeriallocFreeEvent{}.H)
)

// decode reads one event. It fails only for bytes that the BPF side of this
// build cannot have sent.
func (d *decoder) decode(raw []byte) (*assemble.Event, error) {
	if len(raw) < int(headerSize) {
		return nil, fmt.Errorf("event of %d bytes: shorter than a header", len(raw))
	}
	switch kind := raw[offsetKind]; assemble.Kind(kind) {
	case assemble.KindStart:
		return d.decodeStart(raw)
	case assemble.KindAlloc:
		e, err := view[bpf.VeriallocAllocEvent](raw)
		if err != nil {
			return nil, err
		}
		d.event = assemble.Event{
			Kind: assemble.KindAlloc, Verification: e.H.Verification, TimeNS: e.H.TimeNs, TID: e.H.Tid, CPU: e.H.Cpu,
			Pointer: e.Ptr, CallSite: e.CallSite, Requested: e.Requested, Allocated: e.Allocated,
			LatencyNS: e.LatencyNs, Cache: e.Cache, GFP: e.Gfp, Node: e.Node,
			Source: assemble.Source(e.Source), Path: e.Path,
		}
	case assemble.KindFree:
		e, err := view[bpf.VeriallocFreeEvent](raw)
		if err != nil {
			return nil, err
		}
		d.event = assemble.Event{
			Kind: assemble.KindFree, Verification: e.H.Verification, TimeNS: e.H.TimeNs, TID: e.H.Tid, CPU: e.H.Cpu,
			Pointer: e.Ptr, CallSite: e.CallSite,
		}
	case assemble.KindVisit:
		e, err := view[bpf.VeriallocVisitEvent](raw)
		if err != nil {
			return nil, err
		}
		d.event = assemble.Event{
			Kind: assemble.KindVisit, Verification: e.H.Verification, TimeNS: e.H.TimeNs, TID: e.H.Tid, CPU: e.H.Cpu,
			LatencyNS: e.LatencyNs, Result: e.Result,
		}
	case assemble.KindCache:
		e, err := view[bpf.VeriallocCacheEvent](raw)
		if err != nil {
			return nil, err
		}
		d.event = assemble.Event{
			Kind: assemble.KindCache, Verification: e.H.Verification, TimeNS: e.H.TimeNs, TID: e.H.Tid, CPU: e.H.Cpu,
			Cache: e.Cache, Name: text(e.Name[:]),
		}
	case assemble.KindEnd, assemble.KindOrphan:
		return d.decodeEnd(raw, assemble.Kind(kind))
	default:
		return nil, fmt.Errorf("event of unknown kind %d", kind)
	}
	return &d.event, nil
}

func (d *decoder) decodeStart(raw []byte) (*assemble.Event, error) {
	e, err := view[bpf.VeriallocStartEvent](raw)
	if err != nil {
		return nil, err
	}
	d.start = assemble.Start{
		Request: assemble.Request{
			Name: text(e.Request.Name[:]), ProgType: e.Request.ProgType,
			AttachType: e.Request.ExpectedAttachType, InsnCount: e.Request.InsnCount,
		},
		Env: e.Env, CgroupID: e.CgroupId, PID: e.Pid, UID: e.Uid, Comm: text(e.Comm[:]),
	}
	d.event = assemble.Event{
		Kind: assemble.KindStart, Verification: e.H.Verification, TimeNS: e.H.TimeNs, TID: e.H.Tid, CPU: e.H.Cpu,
		Start: &d.start,
	}
	return &d.event, nil
}

func (d *decoder) decodeEnd(raw []byte, kind assemble.Kind) (*assemble.Event, error) {
	e, err := view[bpf.VeriallocEndEvent](raw)
	if err != nil {
		return nil, err
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
	d.event = assemble.Event{
		Kind: kind, Verification: e.H.Verification, TimeNS: e.H.TimeNs, TID: e.H.Tid, CPU: e.H.Cpu,
		End: &d.end,
	}
	return &d.event, nil
}

// text reads a NUL-terminated string.
func text(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
