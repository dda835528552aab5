package tracer

import (
	"bytes"
	"fmt"
	"unsafe"

	"github.com/verialloc/verialloc/bpf"
	"github.com/verialloc/verialloc/tracer/assemble"
)

// decoder turns the ring buffer's records into assemble.Event values. It keeps the
// values it points to, so an event is good until the next one is asked for.
type decoder struct {
	event assemble.Event
	start assemble.Start
	end   assemble.End
	words assemble.Words

	header bpf.VeriallocEventHeader // of the record
	single []byte                   // the record, if it is one event
	batch  []byte                   // what is left of it, if it is a batch
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

// open takes a record, which must stay as it is until next has given its events.
// It and next fail only for bytes that the BPF side of this build cannot have sent.
func (d *decoder) open(record []byte) error {
	h, err := view[bpf.VeriallocEventHeader](record)
	if err != nil {
		return err
	}
	d.header, d.single, d.batch = *h, nil, nil
	switch bpf.VeriallocEventKind(h.Kind) {
	case bpf.VeriallocEventKindEVENT_BATCH:
		d.batch = record[unsafe.Sizeof(*h):]
	case bpf.VeriallocEventKindEVENT_START, bpf.VeriallocEventKindEVENT_END, bpf.VeriallocEventKindEVENT_ORPHAN,
		bpf.VeriallocEventKindEVENT_LOG, bpf.VeriallocEventKindEVENT_CALLS:
		d.single = record
	default:
		return fmt.Errorf("record of unknown kind %d", h.Kind)
	}
	return nil
}

// next returns the record's next event, or nil after the last.
func (d *decoder) next() (*assemble.Event, error) {
	h := &d.header
	switch {
	case len(d.batch) > 0:
		return d.batched()
	case d.single == nil:
		return nil, nil
	}
	record := d.single
	d.single = nil
	d.event = assemble.Event{
		Kind: assemble.Kind(h.Kind), Verification: h.Verification, TimeNS: h.TimeNs, TID: h.Tid, CPU: h.Cpu,
	}
	decode := d.decodeEnd
	switch d.event.Kind {
	case assemble.KindStart:
		decode = d.decodeStart
	case assemble.KindLog:
		decode = d.decodeLog
	case assemble.KindCalls:
		decode = d.decodeCalls
	}
	if err := decode(record); err != nil {
		return nil, err
	}
	return &d.event, nil
}

// batched decodes the first of the batch's events that are left.
func (d *decoder) batched() (*assemble.Event, error) {
	h, err := view[bpf.VeriallocBatchedHeader](d.batch)
	if err != nil {
		return nil, err
	}
	d.clear()
	e := &d.event
	e.Kind, e.CPU, e.TID, e.Verification = assemble.Kind(h.Kind), h.Cpu, d.header.Tid, d.header.Verification
	e.TimeNS = d.header.TimeNs + uint64(h.SinceNs)
	var size uintptr
	switch e.Kind {
	case assemble.KindAlloc:
		size, err = d.decodeAlloc()
	case assemble.KindFree:
		size, err = d.decodeFree()
	case assemble.KindVisit:
		size, err = d.decodeVisit()
	case assemble.KindCache:
		size, err = d.decodeCache()
	case assemble.KindFailed:
		size, err = d.decodeFailed()
	case assemble.KindName:
		size, err = d.decodeName()
	default:
		err = fmt.Errorf("event of unknown kind %d", h.Kind)
	}
	if err != nil {
		return nil, err
	}
	d.batch = d.batch[size:]
	return &d.event, nil
}

// clear empties the event, field by field: while the garbage collector marks, to copy a
// struct that has pointers takes as long as all else that is done for an event.
func (d *decoder) clear() {
	e := &d.event
	e.Source, e.Path, e.Pointer, e.CallSite, e.Requested, e.Allocated = 0, 0, 0, 0, 0, 0
	e.LatencyNS, e.Cache, e.GFP, e.Node, e.Result = 0, 0, 0, 0, 0
	e.Owner, e.Index = 0, 0
	if e.Name != "" {
		e.Name = ""
	}
	if e.Start != nil {
		e.Start = nil
	}
	if e.End != nil {
		e.End = nil
	}
	if e.Words != nil {
		e.Words = nil
	}
}

func (d *decoder) decodeAlloc() (uintptr, error) {
	e, err := view[bpf.VeriallocAllocEvent](d.batch)
	if err != nil {
		return 0, err
	}
	v := &d.event
	v.Pointer, v.CallSite, v.Requested, v.Allocated = e.Ptr, e.CallSite, e.Requested, e.Allocated
	v.LatencyNS, v.Cache, v.GFP, v.Node = e.LatencyNs, e.Cache, e.Gfp, e.Node
	v.Source, v.Path = assemble.Source(e.Source), e.Path
	return unsafe.Sizeof(*e), nil
}

func (d *decoder) decodeFree() (uintptr, error) {
	e, err := view[bpf.VeriallocFreeEvent](d.batch)
	if err != nil {
		return 0, err
	}
	d.event.Pointer, d.event.CallSite = e.Ptr, e.CallSite
	return unsafe.Sizeof(*e), nil
}

func (d *decoder) decodeVisit() (uintptr, error) {
	e, err := view[bpf.VeriallocVisitEvent](d.batch)
	if err != nil {
		return 0, err
	}
	d.event.LatencyNS, d.event.Result = e.LatencyNs, e.Result
	return unsafe.Sizeof(*e), nil
}

func (d *decoder) decodeCache() (uintptr, error) {
	e, err := view[bpf.VeriallocCacheEvent](d.batch)
	if err != nil {
		return 0, err
	}
	d.event.Cache, d.event.Name = e.Cache, text(e.Name[:])
	return unsafe.Sizeof(*e), nil
}

func (d *decoder) decodeFailed() (uintptr, error) {
	e, err := view[bpf.VeriallocFailedEvent](d.batch)
	if err != nil {
		return 0, err
	}
	v, f := &d.event, &e.Alloc
	v.CallSite, v.Requested, v.GFP, v.Source = f.CallSite, f.Requested, f.Gfp, assemble.Source(f.Source)
	return unsafe.Sizeof(*e), nil
}

func (d *decoder) decodeName() (uintptr, error) {
	e, err := view[bpf.VeriallocNameEvent](d.batch)
	if err != nil {
		return 0, err
	}
	size := unsafe.Sizeof(*e)
	end := size + uintptr(e.Length)
	padded := (end + 7) &^ 7
	if padded > uintptr(len(d.batch)) {
		return 0, fmt.Errorf("name of %d bytes: %d are left", e.Length, len(d.batch)-int(size))
	}
	d.event.Owner, d.event.Index, d.event.Name = assemble.Owner(e.Owner), e.Index, string(d.batch[size:end])
	return padded, nil
}

func (d *decoder) decodeStart(raw []byte) error {
	e, err := view[bpf.VeriallocStartEvent](raw)
	if err != nil {
		return err
	}
	d.start = assemble.Start{
		Request: request(&e.Request),
		Env:     e.Env, CgroupID: e.CgroupId, PID: e.Pid, UID: e.Uid, Comm: text(e.Comm[:]),
		ProcessStartNS: e.ProcessStart,
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
		Request: request(&e.Request),
		PID:     e.Pid, UID: e.Uid, Comm: text(e.Comm[:]), CgroupID: e.CgroupId, ProcessStartNS: e.ProcessStart,
		EnterNS: e.EnterNs, BeginNS: e.BeginNs, ReleaseNS: e.ReleaseNs,
		Returned: e.Returned != 0, Ret: e.Ret,
		Allocs: uint64(e.Allocs), Frees: uint64(e.Frees), Visits: uint64(e.Visits), Dropped: uint64(e.Dropped),
		VisitEntries: uint64(e.VisitEntries), Names: uint64(e.Names), FailedEvents: uint64(e.FailedEvents), ProgID: e.ProgId, Blind: uint64(e.Blind), NoRoom: e.NoRoom != 0,
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
			LogLevel:            e.Result.LogLevel,
			LogBytes:            e.Result.LogSize,
			Functions:           e.Result.Functions,
			AttachBTFID:         e.Result.AttachBtfId,
			AttachProgID:        e.Result.AttachProgId,
			AttachProgName:      text(e.Result.AttachProgName[:]),
			GPL:                 e.Result.GplCompatible != 0,
			AttachProg:          e.Result.AttachProg != 0,
			Privileges:          assemble.Privileges(e.Result.Privileges),
			Tag:                 e.Result.Tag,
			Name:                text(e.Result.Name[:]),
		},
		Usage: assemble.Usage{
			MinorFaults: e.Usage.MinFlt, MajorFaults: e.Usage.MajFlt,
			VoluntarySwitches: e.Usage.Nvcsw, InvoluntarySwitches: e.Usage.Nivcsw,
			OffCPUNS: e.Usage.OffCpuNs,
		},
		Failures: uint64(e.Failures),
		FirstFailed: assemble.Failed{
			CallSite: e.FirstFailed.CallSite, Requested: e.FirstFailed.Requested,
			GFP: e.FirstFailed.Gfp, Source: assemble.Source(e.FirstFailed.Source),
		},
		Task:   assemble.TaskState(e.TaskState & uint32(bpf.VeriallocTaskStateTASK_STATE_MASK)),
		Signal: uint8(e.TaskState >> 8),
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
