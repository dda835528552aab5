package tracer

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/cilium/ebpf/btf"
	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/bpf"
	"github.com/verialloc/verialloc/tracer/assemble"
	"github.com/verialloc/verialloc/tracer/record"
)

// bytesOf gives a struct of the BPF side as the ring buffer would.
func bytesOf[T any](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}

// aligned copies bytes to memory that is aligned to 8 bytes, plus an offset.
func aligned(raw []byte, offset int) []byte {
	words := make([]uint64, (offset+len(raw))/8+1)
	b := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(words)*8)[offset : offset+len(raw)]
	copy(b, raw)
	return b
}

func chars[T [16]uint8 | [32]uint8](s string) (b T) {
	copy(bytesOf(&b), s)
	return b
}

// batchOf gives a batch of events as the ring buffer would.
func batchOf(events ...[]byte) []byte {
	h := bpf.VeriallocEventHeader{Verification: 1, TimeNs: 1 << 41, Tid: 3, Cpu: 9, Kind: 2}
	raw := slices.Clone(bytesOf(&h))
	for _, e := range events {
		raw = append(raw, e...)
	}
	return aligned(raw, 0)
}

// decodeAll gives all events of a record.
func decodeAll(d *decoder, record []byte) ([]assemble.Event, error) {
	if err := d.open(record); err != nil {
		return nil, err
	}
	var events []assemble.Event
	for {
		e, err := d.next()
		if e == nil || err != nil {
			return events, err
		}
		events = append(events, *e)
	}
}

// sampleEvents holds one record with an event of each kind, every field with a value of its
// own, and what it decodes to.
func sampleEvents() map[assemble.Kind]struct {
	raw  []byte
	want assemble.Event
} {
	var start bpf.VeriallocStartEvent
	start.H.Verification, start.H.TimeNs, start.H.Tid, start.H.Cpu, start.H.Kind = 1<<40+1, 1<<41+2, 3, 4, 1
	start.Request = bpf.VeriallocLoadRequest{Source: 1, Attr: bpf.VeriallocLoadAttr{
		ProgType: 5, InsnCnt: 6, ExpectedAttachType: 7, ProgName: chars[[16]uint8]("fifteen_letters"),
	}}
	start.CgroupId, start.Env, start.Pid, start.Uid = 1<<42+8, 0xffff888000000009, 10, 11
	start.ProcessStart = 1 << 50
	start.Comm = chars[[16]uint8]("loader")

	var alloc bpf.VeriallocAllocEvent
	alloc.H.SinceNs, alloc.H.Cpu, alloc.H.Kind = 5, 4, 5
	alloc.Ptr, alloc.CallSite, alloc.Requested, alloc.Allocated = 0xffff888000000010, 0xffffffff81000011, 12, 13
	alloc.LatencyNs, alloc.Cache, alloc.Gfp, alloc.Node = ^uint64(0), 0xffff888000000014, 0x400dc0, -1
	alloc.Source, alloc.Path = 2, 3

	var free bpf.VeriallocFreeEvent
	free.H.SinceNs, free.H.Cpu, free.H.Kind = 6, 4, 6
	free.Ptr, free.CallSite = 0xffff888000000010, 0xffffffff81000011

	var visit bpf.VeriallocVisitEvent
	visit.H.SinceNs, visit.H.Cpu, visit.H.Kind = ^uint32(0), 4, 7
	visit.LatencyNs, visit.Result = 5, -12

	var cache bpf.VeriallocCacheEvent
	cache.H.Cpu, cache.H.Kind = 4, 8
	cache.Cache = 0xffff888000000014
	cache.Name = chars[[32]uint8](strings.Repeat("n", 40)) // no NUL: the kernel cut it

	var failed bpf.VeriallocFailedEvent
	failed.H.Cpu, failed.H.Kind = 4, 9
	failed.Alloc = bpf.VeriallocFailedAlloc{Requested: 70, CallSite: 0xffffffff81000071, Gfp: 72, Source: 3}
	var name bpf.VeriallocNameEvent
	name.H.Cpu, name.H.Kind = 4, 10
	name.Owner, name.Index, name.Length = 1, 7, 20
	longName := strings.Repeat("n", 20)

	var end bpf.VeriallocEndEvent
	end.H.Verification, end.H.TimeNs, end.H.Tid, end.H.Cpu, end.H.Kind = 1, 2, 3, 4, 3
	r := &end.Result
	r.VerificationTimeNs, r.InsnsProcessed, r.TotalStates, r.PeakStates, r.MaxStatesPerInsn = 5, 6, 7, 8, 9
	r.LongestMarkReadWalk, r.Subprograms, r.ProgType, r.ExpectedAttachType, r.XlatedInsns = 10, 11, 12, 13, 14
	r.Tag, r.Name, r.Valid = [8]uint8{1, 2, 3, 4, 5, 6, 7, 8}, chars[[16]uint8]("result"), 1
	r.Functions, r.AttachBtfId, r.AttachProgId, r.AttachProgName = 62, 63, 64, chars[[16]uint8]("target")
	r.LogLevel, r.LogSize, r.GplCompatible, r.AttachProg, r.Privileges = 60, 61, 1, 1, 9
	end.Request = bpf.VeriallocLoadRequest{Source: 2, Attr: bpf.VeriallocLoadAttr{
		ProgType: 15, InsnCnt: 16, ExpectedAttachType: 17, ProgName: chars[[16]uint8]("request"),
		LogLevel: 40, LogSize: 41, KernVersion: 42, ProgFlags: 1<<16 | 8, ProgIfindex: 43, ProgBtfFd: 44,
		FuncInfoRecSize: 8, FuncInfoCnt: 1 << 30, LineInfoRecSize: 16, LineInfoCnt: 45, AttachBtfId: 46, AttachFd: 47,
		CoreReloCnt: 48, CoreReloRecSize: 20, FdArray: 49, FdArrayCnt: 50, SignatureSize: 51,
	}}
	end.Usage.MinFlt, end.Usage.MajFlt, end.Usage.Nvcsw, end.Usage.Nivcsw = 18, 19, 20, 21
	end.Usage.OffCpuNs = 22
	end.EnterNs, end.BeginNs, end.ReleaseNs, end.CgroupId, end.Ret = 22, 23, 24, 25, -13
	end.Pid, end.Uid, end.Allocs, end.Frees, end.Visits, end.Dropped, end.VisitEntries = 27, 28, 29, 30, 31, 32, 33
	end.Blind, end.NoRoom, end.Names, end.ProgId = 34, 1, 35, 36
	end.ProcessStart = 1 << 51
	end.Failures, end.FailedEvents, end.TaskState = 80, 79, 9<<8|6
	end.FirstFailed = bpf.VeriallocFailedAlloc{Requested: 81, CallSite: 82, Gfp: 83, Source: 1}
	end.Returned, end.Comm = 1, chars[[16]uint8]("comm")
	wantEnd := assemble.End{
		Request: assemble.Request{
			Name: "request", ProgType: 15, InsnCount: 16, AttachType: 17,
			Inputs: record.Inputs{
				From: record.InputsFromKernel, LogLevel: 40, LogBytes: 41, KernelVersion: 42, ProgFlags: 1<<16 | 8, Ifindex: 43,
				Token: true, SignatureBytes: 51, FDArray: true, FDArrayCount: 50, BTF: true,
				FuncInfoCount: 1 << 30, FuncInfoBytes: 1 << 33, LineInfoCount: 45, LineInfoBytes: 720,
				CoreRelocCount: 48, CoreRelocBytes: 960, AttachBTFID: 46, AttachFD: true,
			},
		},
		PID: 27, UID: 28, Comm: "comm", CgroupID: 25, ProcessStartNS: 1 << 51, EnterNS: 22, BeginNS: 23, ReleaseNS: 24,
		Returned: true, Ret: -13, Allocs: 29, Frees: 30, Visits: 31, Dropped: 32, VisitEntries: 33,
		Blind: 34, NoRoom: true, Names: 35, ProgID: 36,
		Failures: 80, FailedEvents: 79, Task: assemble.TaskDying | assemble.TaskOOMVictim, Signal: 9,
		FirstFailed: assemble.Failed{Requested: 81, CallSite: 82, GFP: 83, Source: assemble.SourceKmalloc},
		Result: assemble.Result{
			Valid: true, VerificationTimeNS: 5, InsnsProcessed: 6, TotalStates: 7, PeakStates: 8, MaxStatesPerInsn: 9,
			LongestMarkReadWalk: 10, Subprograms: 11, ProgType: 12, AttachType: 13, XlatedInsns: 14,
			LogLevel: 60, LogBytes: 61, GPL: true, AttachProg: true, Privileges: assemble.PrivilegeBPF | assemble.PrivilegeBypassSpecV4,
			Tag: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, Name: "result", Functions: 62, AttachBTFID: 63, AttachProgID: 64, AttachProgName: "target",
		},
		Usage: assemble.Usage{MinorFaults: 18, MajorFaults: 19, VoluntarySwitches: 20, InvoluntarySwitches: 21, OffCPUNS: 22},
	}
	var log bpf.VeriallocLogEvent
	log.H.Verification, log.H.Tid, log.H.Cpu, log.H.Kind = 1, 3, 4, 11
	log.Len, log.Cut = uint32(copy(log.Text[:], "R0 !read_ok\n")), 1

	calls := bpf.VeriallocCallsEvent{H: log.H, Cut: 1}
	calls.H.Kind = 12
	call := bpf.VeriallocLogCall{FormatLen: 6, TextLen: [8]uint8{1: 4, 7: 96}, Args: [8]uint64{1, 1 << 63, 3, 4, 5, 6, 7, 8}}
	behind := "%d %s\x00abc\x00" + strings.Repeat("t", 95) + "\x00"
	call.Size = uint16(int(unsafe.Sizeof(call))+len(behind)+7) &^ 7
	rawCalls := slices.Concat(bytesOf(&calls)[:unsafe.Offsetof(calls.Calls)], bytesOf(&call), []byte(behind))
	rawCalls = append(rawCalls, make([]byte, int(call.Size)-int(unsafe.Sizeof(call))-len(behind))...)
	wantCall := assemble.Call{Format: "%d %s"}
	for i, word := range call.Args {
		wantCall.Args = append(wantCall.Args, assemble.Arg{Word: word, Read: i == 1 || i == 7, Cut: i == 7})
	}
	wantCall.Args[1].Text, wantCall.Args[7].Text = "abc", strings.Repeat("t", 95)

	orphan := end
	orphan.H.Kind = 4

	type sample = struct {
		raw  []byte
		want assemble.Event
	}
	return map[assemble.Kind]sample{
		assemble.KindStart: {bytesOf(&start), assemble.Event{
			Kind: assemble.KindStart, Verification: 1<<40 + 1, TimeNS: 1<<41 + 2, TID: 3, CPU: 4,
			Start: &assemble.Start{
				Request: assemble.Request{
					Name: "fifteen_letters", ProgType: 5, InsnCount: 6, AttachType: 7,
					Inputs: record.Inputs{From: record.InputsFromLoader},
				},
				Env: 0xffff888000000009, CgroupID: 1<<42 + 8, PID: 10, UID: 11, Comm: "loader",
				ProcessStartNS: 1 << 50,
			},
		}},
		assemble.KindAlloc: {batchOf(bytesOf(&alloc)), assemble.Event{
			Kind: assemble.KindAlloc, Verification: 1, TimeNS: 1<<41 + 5, TID: 3, CPU: 4,
			Pointer: 0xffff888000000010, CallSite: 0xffffffff81000011, Requested: 12, Allocated: 13,
			LatencyNS: assemble.LatencyNone, Cache: 0xffff888000000014, GFP: 0x400dc0, Node: -1,
			Source: assemble.SourceCache, Path: 3,
		}},
		assemble.KindFailed: {batchOf(bytesOf(&failed)), assemble.Event{
			Kind: assemble.KindFailed, Verification: 1, TimeNS: 1 << 41, TID: 3, CPU: 4,
			CallSite: 0xffffffff81000071, Requested: 70, GFP: 72, Source: assemble.SourceVmalloc,
		}},
		assemble.KindFree: {batchOf(bytesOf(&free)), assemble.Event{
			Kind: assemble.KindFree, Verification: 1, TimeNS: 1<<41 + 6, TID: 3, CPU: 4,
			Pointer: 0xffff888000000010, CallSite: 0xffffffff81000011,
		}},
		assemble.KindVisit: {batchOf(bytesOf(&visit)), assemble.Event{
			Kind: assemble.KindVisit, Verification: 1, TimeNS: 1<<41 + 1<<32 - 1, TID: 3, CPU: 4, LatencyNS: 5, Result: -12,
		}},
		assemble.KindCache: {batchOf(bytesOf(&cache)), assemble.Event{
			Kind: assemble.KindCache, Verification: 1, TimeNS: 1 << 41, TID: 3, CPU: 4,
			Cache: 0xffff888000000014, Name: strings.Repeat("n", 32),
		}},
		assemble.KindName: {batchOf(bytesOf(&name), []byte(longName+"\x00any")), assemble.Event{
			Kind: assemble.KindName, Verification: 1, TimeNS: 1 << 41, TID: 3, CPU: 4,
			Name: longName, Owner: assemble.OwnerFunction, Index: 7,
		}},
		assemble.KindLog: {bytesOf(&log), assemble.Event{
			Kind: assemble.KindLog, Verification: 1, TID: 3, CPU: 4, Words: &assemble.Words{Log: "R0 !read_ok\n", Cut: true},
		}},
		assemble.KindCalls: {aligned(rawCalls, 0), assemble.Event{
			Kind: assemble.KindCalls, Verification: 1, TID: 3, CPU: 4, Words: &assemble.Words{Calls: []assemble.Call{wantCall}, Cut: true},
		}},
		assemble.KindEnd: {bytesOf(&end), assemble.Event{
			Kind: assemble.KindEnd, Verification: 1, TimeNS: 2, TID: 3, CPU: 4, End: &wantEnd,
		}},
		assemble.KindOrphan: {bytesOf(&orphan), assemble.Event{
			Kind: assemble.KindOrphan, Verification: 1, TimeNS: 2, TID: 3, CPU: 4, End: &wantEnd,
		}},
	}
}

func TestDecode(t *testing.T) {
	for kind, s := range sampleEvents() {
		var d decoder
		got, err := decodeAll(&d, aligned(s.raw, 0))
		if err != nil {
			t.Errorf("kind %d: %v", kind, err)
			continue
		}
		if diff := cmp.Diff([]assemble.Event{s.want}, got); diff != "" {
			t.Errorf("kind %d (-want +got):\n%s", kind, diff)
		}
	}
}

// A batch gives its events in their order, whatever their sizes.
func TestDecodeBatch(t *testing.T) {
	samples := sampleEvents()
	var events [][]byte
	var want []assemble.Event
	for _, kind := range []assemble.Kind{
		assemble.KindCache, assemble.KindAlloc, assemble.KindFree, assemble.KindFree, assemble.KindVisit, assemble.KindName, assemble.KindAlloc,
	} {
		events = append(events, samples[kind].raw[recordHeader:])
		want = append(want, samples[kind].want)
	}
	var d decoder
	got, err := decodeAll(&d, batchOf(events...))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := decodeAll(&d, batchOf()); err != nil || len(got) != 0 {
		t.Errorf("an empty batch gives %v, %v", got, err)
	}
	// An event that is cut short takes nothing from those before it.
	whole := batchOf(events...)
	if got, err := decodeAll(&d, whole[:len(whole)-8]); err == nil || len(got) != len(want)-1 {
		t.Errorf("%d of %d events, error %v", len(got), len(want), err)
	}
}

// One decoder for all kinds leaves nothing of the last event in the next.
func TestDecodeLeavesNothing(t *testing.T) {
	samples := sampleEvents()
	var d decoder
	for first, a := range samples {
		for second, b := range samples {
			if _, err := decodeAll(&d, a.raw); err != nil {
				t.Fatal(err)
			}
			got, err := decodeAll(&d, b.raw)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]assemble.Event{b.want}, got); diff != "" {
				t.Errorf("kind %d after %d (-want +got):\n%s", second, first, diff)
			}
		}
	}
}

// What is decoded holds no reference to the ring buffer's memory.
func TestDecodeCopies(t *testing.T) {
	for kind, s := range sampleEvents() {
		raw := aligned(s.raw, 0)
		var d decoder
		got, err := decodeAll(&d, raw)
		if err != nil {
			t.Fatal(err)
		}
		for i := range raw {
			raw[i] = 0xaa
		}
		if diff := cmp.Diff([]assemble.Event{s.want}, got); diff != "" {
			t.Errorf("kind %d changed with its memory (-want +got):\n%s", kind, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for kind, s := range sampleEvents() {
		var d decoder
		for n := range len(s.raw) {
			// A batch may be empty.
			if e, err := decodeAll(&d, aligned(s.raw[:n], 0)); err == nil && (len(e) > 0 || n != recordHeader) {
				t.Errorf("kind %d: %d of %d bytes decode to %+v", kind, n, len(s.raw), e)
			}
		}
		for offset := 1; offset < 8; offset++ {
			if e, err := decodeAll(&d, aligned(s.raw, offset)); err == nil {
				t.Errorf("kind %d: at offset %d decodes to %+v", kind, offset, e)
			}
		}
	}
	for _, kind := range []byte{0, 5, 11, 255} {
		raw := aligned(make([]byte, 512), 0)
		raw[offsetKind] = kind
		var d decoder
		if e, err := decodeAll(&d, raw); err == nil {
			t.Errorf("a record of kind %d decodes to %+v", kind, e)
		}
	}
	for _, kind := range []byte{0, 1, 3, 11, 255} {
		event := bytesOf(&bpf.VeriallocAllocEvent{})
		event[unsafe.Offsetof(bpf.VeriallocBatchedHeader{}.Kind)] = kind
		var d decoder
		if e, err := decodeAll(&d, batchOf(event)); err == nil {
			t.Errorf("an event of kind %d decodes to %+v", kind, e)
		}
	}
	var d decoder
	if _, err := decodeAll(&d, nil); err == nil {
		t.Error("nothing decodes")
	}
}

const (
	recordHeader = int(unsafe.Sizeof(bpf.VeriallocEventHeader{}))
	// offsetKind is where a record has its kind.
	offsetKind = unsafe.Offsetof(bpf.VeriallocEventHeader{}.Kind)
)

// Go knows the kinds by their numbers.
func TestKindsAreThoseOfTheKernelSide(t *testing.T) {
	for _, c := range []struct{ c, g int }{
		{int(bpf.VeriallocEventKindEVENT_START), int(assemble.KindStart)},
		{int(bpf.VeriallocEventKindEVENT_ALLOC), int(assemble.KindAlloc)},
		{int(bpf.VeriallocEventKindEVENT_FREE), int(assemble.KindFree)},
		{int(bpf.VeriallocEventKindEVENT_VISIT), int(assemble.KindVisit)},
		{int(bpf.VeriallocEventKindEVENT_CACHE), int(assemble.KindCache)},
		{int(bpf.VeriallocEventKindEVENT_NAME), int(assemble.KindName)},
		{int(bpf.VeriallocNameOwnerNAME_FUNCTION), int(assemble.OwnerFunction)},
		{int(bpf.VeriallocNameOwnerNAME_ATTACH_TARGET), int(assemble.OwnerAttachTarget)},
		{int(bpf.VeriallocEventKindEVENT_LOG), int(assemble.KindLog)},
		{int(bpf.VeriallocEventKindEVENT_CALLS), int(assemble.KindCalls)},
		{int(bpf.VeriallocEventKindEVENT_END), int(assemble.KindEnd)},
		{int(bpf.VeriallocEventKindEVENT_ORPHAN), int(assemble.KindOrphan)},
		{int(bpf.VeriallocAllocSourceSOURCE_KMALLOC), int(assemble.SourceKmalloc)},
		{int(bpf.VeriallocAllocSourceSOURCE_CACHE), int(assemble.SourceCache)},
		{int(bpf.VeriallocAllocSourceSOURCE_VMALLOC), int(assemble.SourceVmalloc)},
	} {
		if c.c != c.g {
			t.Errorf("%d in C is %d in Go", c.c, c.g)
		}
	}
}

// The structs that cross over are laid out in Go as the C compiler laid them out,
// without padding of its own.
func TestLayout(t *testing.T) {
	spec, err := bpf.LoadVerialloc()
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]struct {
		value any
		size  uintptr // that event.h adds up to
		event bool
	}{
		"start_event":    {bpf.VeriallocStartEvent{}, 24 + 176 + 3*8 + 4 + 4 + 16, true},
		"load_request":   {bpf.VeriallocLoadRequest{}, 168 + 8, true},
		"load_attr":      {bpf.VeriallocLoadAttr{}, 168, true},
		"failed_event":   {bpf.VeriallocFailedEvent{}, 8 + 24, true},
		"event_header":   {bpf.VeriallocEventHeader{}, 24, true},
		"batched_header": {bpf.VeriallocBatchedHeader{}, 8, true},
		"alloc_event":    {bpf.VeriallocAllocEvent{}, 8 + 6*8 + 4 + 2 + 1 + 1, true},
		"free_event":     {bpf.VeriallocFreeEvent{}, 8 + 2*8, true},
		"visit_event":    {bpf.VeriallocVisitEvent{}, 8 + 8 + 4 + 4, true},
		"cache_event":    {bpf.VeriallocCacheEvent{}, 8 + 8 + 32, true},
		"name_event":     {bpf.VeriallocNameEvent{}, 8 + 4 + 2 + 1 + 1, true},
		"end_event":      {bpf.VeriallocEndEvent{}, 24 + 112 + 176 + 40 + 24 + 6*8 + 10*4 + 4 + 3*4 + 16, true},
		"loss_counts":    {bpf.VeriallocLossCounts{}, 5 * 8, false},
		"tracer_config":  {value: bpf.VeriallocTracerConfig{}},
	} {
		goType := reflect.TypeOf(s.value)
		if s.size != 0 && goType.Size() != s.size {
			t.Errorf("%s has %d bytes in Go, want %d", name, goType.Size(), s.size)
		}
		if s.event && goType.Size()%8 != 0 {
			t.Errorf("%s has %d bytes: want a multiple of 8", name, goType.Size())
		}
		var c *btf.Struct
		if err := spec.Types.TypeByName(name, &c); err != nil {
			// Only what is used in C is in its BTF under its name.
			t.Errorf("%s: %v", name, err)
			continue
		}
		if uintptr(c.Size) != goType.Size() {
			t.Errorf("%s has %d bytes in C, %d in Go", name, c.Size, goType.Size())
		}
		compareLayout(t, name, c, goType)
	}
}

func compareLayout(t *testing.T, name string, c *btf.Struct, goType reflect.Type) {
	t.Helper()
	var fields []reflect.StructField
	for i := range goType.NumField() {
		f := goType.Field(i)
		if f.Name != "_" {
			fields = append(fields, f)
		} else if f.Type.Size() > 0 {
			t.Errorf("%s: %d bytes of padding at %d are not explicit", name, f.Type.Size(), f.Offset)
		}
	}
	if len(fields) != len(c.Members) {
		t.Errorf("%s has %d members in C, %d in Go", name, len(c.Members), len(fields))
		return
	}
	var end uint32
	for i, m := range c.Members {
		f := fields[i]
		size, err := btf.Sizeof(m.Type)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.EqualFold(strings.ReplaceAll(m.Name, "_", ""), f.Name) ||
			uintptr(m.Offset.Bytes()) != f.Offset || uintptr(size) != f.Type.Size() {
			t.Errorf("%s.%s: %d bytes at %d in C; %s: %d at %d in Go", name, m.Name, size, m.Offset.Bytes(), f.Name, f.Type.Size(), f.Offset)
		}
		if m.Offset.Bytes() != end {
			t.Errorf("%s.%s: at %d, %d bytes after the end of the last member", name, m.Name, m.Offset.Bytes(), m.Offset.Bytes()-end)
		}
		end = m.Offset.Bytes() + uint32(size)
		if s, ok := btf.UnderlyingType(m.Type).(*btf.Struct); ok && f.Type.Kind() == reflect.Struct {
			compareLayout(t, name+"."+m.Name, s, f.Type)
		}
	}
	if end != c.Size {
		t.Errorf("%s ends %d bytes after its last member", name, c.Size-end)
	}
}

func FuzzDecode(f *testing.F) {
	var all [][]byte
	for kind, s := range sampleEvents() {
		f.Add(s.raw, uint8(0))
		f.Add(s.raw[:len(s.raw)-1], uint8(3))
		if kind > assemble.KindOrphan {
			all = append(all, s.raw[recordHeader:])
		}
	}
	f.Add(batchOf(all...), uint8(0))
	f.Add([]byte{}, uint8(0))
	var d decoder
	f.Fuzz(func(t *testing.T, data []byte, offset uint8) {
		raw := aligned(data, int(offset%8))
		if err := d.open(raw); err != nil {
			return
		}
		if offset%8 != 0 {
			t.Error("unaligned memory was read")
		}
		events := 0
		for {
			e, err := d.next()
			if err != nil && e != nil {
				t.Errorf("an error and an event: %+v", e)
			}
			if e == nil || err != nil {
				break
			}
			events++
			if whole := raw[offsetKind] != 2; whole && byte(e.Kind) != raw[offsetKind] || !whole && e.Kind <= assemble.KindOrphan {
				t.Errorf("kind %d in a record of kind %d", e.Kind, raw[offsetKind])
			}
			if (e.Start != nil) != (e.Kind == assemble.KindStart) ||
				(e.End != nil) != (e.Kind == assemble.KindEnd || e.Kind == assemble.KindOrphan) {
				t.Errorf("kind %d with start %v and end %v", e.Kind, e.Start, e.End)
			}
			if len(e.Name) > 32 || e.Start != nil && len(e.Start.Comm) > 16 || e.End != nil && len(e.End.Result.Name) > 16 {
				t.Errorf("a name is too long: %+v", e)
			}
		}
		if events > len(raw)/int(unsafe.Sizeof(bpf.VeriallocFreeEvent{})) {
			t.Errorf("%d events of %d bytes", events, len(raw))
		}
	})
}

// What an event costs to decode is part of what the reader must keep up with.
func BenchmarkDecode(b *testing.B) {
	samples := sampleEvents()
	var pairs [][]byte
	for range 23 { // as many as a batch of the kernel side holds
		pairs = append(pairs, samples[assemble.KindAlloc].raw[recordHeader:], samples[assemble.KindFree].raw[recordHeader:])
	}
	raw := batchOf(pairs...)
	var d decoder
	b.ReportAllocs()
	events := 0
	for b.Loop() {
		if err := d.open(raw); err != nil {
			b.Fatal(err)
		}
		for {
			e, err := d.next()
			if err != nil {
				b.Fatal(err)
			}
			if e == nil {
				break
			}
			events++
		}
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}
