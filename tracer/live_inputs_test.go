package tracer

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/bpf"
	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/tracer/record"
)

// rawLoad makes the system call with what a test has put into bpf_attr, until no signal
// ends it, and closes the program.
func rawLoad(attr *bpf.VeriallocLoadAttr, size uintptr) unix.Errno {
	for {
		fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(attr)), size)
		if errno == 0 {
			unix.Close(int(fd))
		}
		if errno != unix.EAGAIN {
			return errno
		}
	}
}

// address gives the address of a slice that its user keeps alive and pinned.
func address[T any](pins *runtime.Pinner, s []T) uint64 {
	pins.Pin(unsafe.SliceData(s))
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(s))))
}

// return0 is r0 = 0; exit.
var return0 = []byte{0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0}

// TestLiveInputs compares a record's inputs with what the test itself has put into
// bpf_attr, of loads that the kernel accepts, rejects and refuses ahead of the verifier.
func TestLiveInputs(t *testing.T) {
	requireLive(t)
	running, err := kernel.RunningVersion()
	if err != nil {
		t.Fatal(err)
	}
	var pins runtime.Pinner
	defer pins.Unpin()
	gpl, proprietary := address(&pins, []byte("GPL\x00")), address(&pins, []byte("Proprietary\x00"))
	log := make([]byte, 1<<16)
	var builder btf.Builder
	int32Type := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	function := &btf.Func{Name: "main", Type: &btf.FuncProto{Return: int32Type}, Linkage: btf.GlobalFunc}
	functionID, err := builder.Add(function)
	if err != nil {
		t.Fatal(err)
	}
	types, err := btf.NewHandle(&builder)
	if err != nil {
		t.Fatal(err)
	}
	defer types.Close()
	array, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer array.Close()
	kernelTypes, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	var target *btf.Func
	if err := kernelTypes.TypeByName("bpf_fentry_test1", &target); err != nil {
		t.Fatal(err)
	}
	targetID, err := kernelTypes.TypeID(target)
	if err != nil {
		t.Fatal(err)
	}
	replaced, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "replaced", Type: ebpf.XDP, License: "GPL",
		Instructions: asm.Instructions{
			btf.WithFuncMetadata(asm.Mov.Imm(asm.R0, 0).WithSymbol("replaced"), &btf.Func{
				Name: "replaced", Linkage: btf.GlobalFunc,
				Type: &btf.FuncProto{Return: int32Type, Params: []btf.FuncParam{{Name: "ctx", Type: &btf.Pointer{Target: &btf.Struct{Name: "xdp_md", Size: 4, Members: []btf.Member{{Name: "data", Type: int32Type}}}}}}},
			}),
			asm.Return(),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer replaced.Close()

	// Described is the program with its function and line.
	described := func(a *bpf.VeriallocLoadAttr) {
		a.ProgBtfFd, a.FuncInfoRecSize, a.FuncInfoCnt, a.LineInfoRecSize, a.LineInfoCnt = uint32(types.FD()), 8, 1, 16, 1
		a.FuncInfo = address(&pins, []uint32{0, uint32(functionID)})
		a.LineInfo = address(&pins, []uint32{0, 1, 1, 1 << 10})
	}
	cases := []struct {
		name       string
		put        func(*bpf.VeriallocLoadAttr)
		want       func(*record.Inputs)
		attachName string
		unverified bool // refused ahead of bpf_check()
		either     bool // that, or in it
		since      kernel.Version
	}{
		{name: "plain", put: func(*bpf.VeriallocLoadAttr) {}, want: func(*record.Inputs) {}},
		{
			name: "log",
			put: func(a *bpf.VeriallocLoadAttr) {
				a.LogLevel, a.LogBuf, a.LogSize = 2, address(&pins, log), uint32(len(log))
			},
			want: func(i *record.Inputs) { i.LogLevel, i.LogBytes = 2, 1<<16 },
		},
		{
			name: "flags", put: func(a *bpf.VeriallocLoadAttr) { a.ProgFlags, a.KernVersion = 8|2, 0x60c00 },
			want: func(i *record.Inputs) { i.ProgFlags, i.KernelVersion = 10, 0x60c00 },
		},
		{
			name: "proprietary", put: func(a *bpf.VeriallocLoadAttr) { a.License = proprietary },
			want: func(i *record.Inputs) { *i.GPL = false },
		},
		{
			name: "described", put: described,
			want: func(i *record.Inputs) {
				i.BTF, i.FuncInfoCount, i.FuncInfoBytes, i.LineInfoCount, i.LineInfoBytes = true, 1, 8, 1, 16
			},
		},
		{
			name: "fd_array", put: func(a *bpf.VeriallocLoadAttr) { a.FdArray = address(&pins, []int32{int32(array.FD())}) },
			want: func(i *record.Inputs) { i.FDArray = true },
		},
		{
			name: "fd_array_count", since: kernel.Version{Major: 6, Minor: 14},
			put: func(a *bpf.VeriallocLoadAttr) {
				a.FdArray, a.FdArrayCnt = address(&pins, []int32{int32(array.FD())}), 1
			},
			want: func(i *record.Inputs) { i.FDArray, i.FDArrayCount = true, 1 },
		},
		{
			name: "fentry", attachName: "trace_fentry",
			put: func(a *bpf.VeriallocLoadAttr) {
				a.ProgType, a.ExpectedAttachType, a.AttachBtfId = uint32(ebpf.Tracing), uint32(ebpf.AttachTraceFEntry), uint32(targetID)
			},
			want: func(i *record.Inputs) { i.AttachBTFID = uint32(targetID) },
		},
		{
			name: "replaces", put: func(a *bpf.VeriallocLoadAttr) {
				described(a)
				a.ProgType, a.AttachFd, a.AttachBtfId = uint32(ebpf.Extension), uint32(replaced.FD()), 1
			},
			want: func(i *record.Inputs) {
				i.BTF, i.FuncInfoCount, i.FuncInfoBytes, i.LineInfoCount, i.LineInfoBytes = true, 1, 8, 1, 16
				i.AttachBTFID, i.AttachFD, *i.AttachProg = 1, true, true
			},
		},
		{
			name: "cgroup", attachName: "cgroup_inet_ingress",
			put:  func(a *bpf.VeriallocLoadAttr) { a.ProgType = uint32(ebpf.CGroupSKB) },
			want: func(*record.Inputs) {},
		},
		{
			name: "token", unverified: true, since: kernel.Version{Major: 6, Minor: 9},
			put:  func(a *bpf.VeriallocLoadAttr) { a.ProgFlags, a.ProgTokenFd = tokenFlag, -1 },
			want: func(i *record.Inputs) { i.ProgFlags, i.Token = tokenFlag, true },
		},
		{
			// Checked by bpf_check() itself on 7.3.
			name: "signature", either: true, since: kernel.Version{Major: 6, Minor: 18},
			put: func(a *bpf.VeriallocLoadAttr) {
				a.Signature, a.SignatureSize = address(&pins, make([]byte, 100)), 100
			},
			want: func(i *record.Inputs) { i.SignatureBytes = 100 },
		},
		{
			name: "relocations",
			put: func(a *bpf.VeriallocLoadAttr) {
				described(a)
				a.CoreReloRecSize, a.CoreReloCnt, a.CoreRelos = 16, 1, address(&pins, []uint32{8, 0, 0, 0})
			},
			want: func(i *record.Inputs) {
				i.BTF, i.FuncInfoCount, i.FuncInfoBytes, i.LineInfoCount, i.LineInfoBytes = true, 1, 8, 1, 16
				i.CoreRelocCount, i.CoreRelocBytes = 1, 16
			},
		},
	}

	s := trace(t, Config{IncludeSelf: true})
	from := record.InputsFromLoader
	if s.served("verification start") {
		from = record.InputsFromKernel
	}
	errnos := make([]unix.Errno, len(cases))
	for i, c := range cases {
		if !running.AtLeast(c.since) {
			continue
		}
		attr := &bpf.VeriallocLoadAttr{
			ProgType: uint32(ebpf.SocketFilter), InsnCnt: 2, Insns: address(&pins, return0), License: gpl,
			ProgName: chars[[16]uint8](fmt.Sprintf("in_%d", i)),
		}
		c.put(attr)
		pins.Pin(attr)
		// An older kernel accepts no more than it knows, and none of what it does not.
		errnos[i] = rawLoad(attr, unsafe.Sizeof(*attr))
	}
	records := s.finish()
	for i, c := range cases {
		if !running.AtLeast(c.since) {
			continue // the kernel does not know that member
		}
		t.Run(c.name, func(t *testing.T) {
			found := named(records, fmt.Sprintf("in_%d", i))
			if len(found) == 0 {
				t.Fatal("no record")
			}
			v := found[len(found)-1]
			no, yes := false, true
			want := record.Inputs{From: from, AttachProg: &no, GPL: &yes, Privileges: []string{
				record.PrivilegeBPF, record.PrivilegeLeakPointers, record.PrivilegeBypassSpecV1, record.PrivilegeBypassSpecV4,
			}}
			c.want(&want)
			// A kernel that lets no program trace functions refuses such loads as well.
			forbidden := !s.served("verification start") && errnos[i] == unix.EPERM
			unverified := c.unverified || forbidden || c.either && !v.ReachedVerifier
			if unverified {
				want.From, want.AttachProg, want.GPL, want.Privileges = record.InputsFromLoader, nil, nil, nil
			}
			if diff := cmp.Diff(&want, v.Inputs); diff != "" {
				t.Errorf("inputs of a load with error %d (-put +record):\n%s", errnos[i], diff)
			}
			if v.ReachedVerifier == unverified || v.Errno != int(errnos[i]) || v.InsnCount != 2 || v.AttachTypeName != c.attachName {
				t.Errorf("reached the verifier %v, error %d, %d instructions, attach type %q", v.ReachedVerifier, v.Errno, v.InsnCount, v.AttachTypeName)
			}
		})
	}
}

// TestLiveCommonAttributes makes the call with which libbpf asks for common attributes: a load
// from 7.2 on, and no command at all before.
func TestLiveCommonAttributes(t *testing.T) {
	requireLive(t)
	running, err := kernel.RunningVersion()
	if err != nil {
		t.Fatal(err)
	}
	const commonAttributes = 1 << 16 // BPF_COMMON_ATTRS
	var pins runtime.Pinner
	defer pins.Unpin()
	attr := &bpf.VeriallocLoadAttr{ProgType: uint32(ebpf.SocketFilter), InsnCnt: 2, Insns: address(&pins, return0), ProgName: chars[[16]uint8]("common")}
	s := trace(t, Config{IncludeSelf: true})
	pins.Pin(attr)
	_, _, errno := unix.Syscall6(unix.SYS_BPF, unix.BPF_PROG_LOAD|commonAttributes, uintptr(unsafe.Pointer(attr)), unsafe.Sizeof(*attr), 0, 0, 0)
	if errno == 0 {
		t.Fatal("a program without a license was loaded")
	}
	records := s.finish()
	if want := running.AtLeast(kernel.Version{Major: 7, Minor: 2}); want != (len(named(records, "common")) == 1) || !want && len(records) > 0 {
		t.Errorf("kernel %s, error %d: %d records, a load is %v", running, errno, len(records), want)
	}
}

// TestLiveInputsThatCost loads one program in ways that differ in cost, which the records
// have to tell apart.
func TestLiveInputsThatCost(t *testing.T) {
	requireLive(t)
	program := generate.Stress(1000).Spec
	s := trace(t, Config{IncludeSelf: true})
	for _, o := range []load.Options{
		{Name: "level_4"},
		{Name: "level_6", LogLevel: 2, LogSize: 16 << 20},
		{Name: "often", Flags: 1 << 3},
	} {
		if _, err := load.Load(program, o); err != nil {
			t.Fatal(err)
		}
	}
	records := s.finish()
	plain := one(t, records, "level_4")
	for name, want := range map[string]record.Inputs{
		"level_4": {LogLevel: 4, LogBytes: 1 << 20},
		"level_6": {LogLevel: 6, LogBytes: 16 << 20},
		"often":   {LogLevel: 4, LogBytes: 1 << 20, ProgFlags: plain.Inputs.ProgFlags | 8},
	} {
		v := one(t, records, name)
		if name != "often" {
			want.ProgFlags = plain.Inputs.ProgFlags
		}
		if diff := cmp.Diff(&want, v.Inputs, cmpopts.IgnoreFields(record.Inputs{},
			"From", "BTF", "FuncInfoCount", "FuncInfoBytes", "AttachProg", "GPL", "Privileges")); diff != "" {
			t.Errorf("%s (-put +record):\n%s", name, diff)
		}
	}
	if often := one(t, records, "often"); often.TotalStates <= plain.TotalStates {
		t.Errorf("%d states with BPF_F_TEST_STATE_FREQ, %d without", often.TotalStates, plain.TotalStates)
	}
}

// TestLiveAttrLayout compares what is read of bpf_attr with the kernel's own, by its BTF.
func TestLiveAttrLayout(t *testing.T) {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		t.Skip(err)
	}
	var union *btf.Union
	if err := spec.TypeByName("bpf_attr", &union); err != nil {
		t.Fatal(err)
	}
	want := map[string]uintptr{}
	for _, m := range union.Members {
		s, ok := m.Type.(*btf.Struct)
		if !ok || !slices.ContainsFunc(s.Members, func(m btf.Member) bool { return m.Name == "prog_type" }) {
			continue
		}
		for _, m := range s.Members {
			want[m.Name] = uintptr(m.Offset.Bytes())
		}
	}
	var a bpf.VeriallocLoadAttr
	for name, offset := range map[string]uintptr{
		"insns": unsafe.Offsetof(a.Insns), "log_level": unsafe.Offsetof(a.LogLevel), "prog_name": unsafe.Offsetof(a.ProgName),
		"prog_btf_fd": unsafe.Offsetof(a.ProgBtfFd), "line_info_cnt": unsafe.Offsetof(a.LineInfoCnt),
		"attach_btf_id": unsafe.Offsetof(a.AttachBtfId), "core_relo_cnt": unsafe.Offsetof(a.CoreReloCnt),
		"fd_array": unsafe.Offsetof(a.FdArray), "prog_token_fd": unsafe.Offsetof(a.ProgTokenFd),
		"fd_array_cnt": unsafe.Offsetof(a.FdArrayCnt), "signature_size": unsafe.Offsetof(a.SignatureSize),
	} {
		if at, ok := want[name]; ok && at != offset {
			t.Errorf("%s at %d, the kernel has it at %d", name, offset, at)
		}
	}
	if len(want) < 20 {
		t.Errorf("%d members found", len(want))
	}
}
