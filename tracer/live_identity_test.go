package tracer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/bpf"
	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer/record"
)

// withFunctions returns a program of an entry function and others that it calls, which have
// these names in its types. It is rejected if r0 is not set.
func withFunctions(valid bool, names ...string) *ebpf.ProgramSpec {
	number := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	function := func(name string, linkage btf.FuncLinkage) *btf.Func {
		params := []btf.FuncParam{{Name: "ctx", Type: &btf.Pointer{Target: &btf.Struct{Name: "__sk_buff", Size: 4, Members: []btf.Member{{Name: "len", Type: number}}}}}}
		if linkage == btf.StaticFunc {
			params = nil
		}
		return &btf.Func{Name: name, Linkage: linkage, Type: &btf.FuncProto{Return: number, Params: params}}
	}
	var insns asm.Instructions
	for i := range names[1:] {
		insns = append(insns, asm.Call.Label(fmt.Sprintf("f%d", i)))
	}
	if valid {
		insns = append(insns, asm.Mov.Imm(asm.R0, 0))
	} else {
		insns = append(insns, asm.Mov.Reg(asm.R0, asm.R9))
	}
	insns = append(insns, asm.Return())
	insns[0] = btf.WithFuncMetadata(insns[0].WithSymbol(names[0]), function(names[0], btf.GlobalFunc))
	for i, name := range names[1:] {
		first := asm.Mov.Imm(asm.R0, 0).WithSymbol(fmt.Sprintf("f%d", i))
		insns = append(insns, btf.WithFuncMetadata(first, function(name, btf.StaticFunc)), asm.Return())
	}
	return &ebpf.ProgramSpec{Name: names[0], Type: ebpf.SocketFilter, License: "GPL", Instructions: insns}
}

// functionsOf returns the names of a loaded program's functions, as the kernel shows them.
func functionsOf(t *testing.T, prog *ebpf.Program) []string {
	t.Helper()
	info, err := prog.Info()
	if err != nil {
		t.Fatal(err)
	}
	functions, err := info.FuncInfos()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(functions, func(a, b btf.FuncOffset) int { return int(a.Offset) - int(b.Offset) })
	names := make([]string, len(functions))
	for i, f := range functions {
		names[i] = f.Func.Name
	}
	return names
}

func idOf(t *testing.T, prog *ebpf.Program) uint32 {
	t.Helper()
	info, err := prog.Info()
	if err != nil {
		t.Fatal(err)
	}
	id, ok := info.ID()
	if !ok {
		t.Fatal("the kernel shows no id of a program")
	}
	return uint32(id)
}

// Names and ids are those that the kernel shows of the loaded program: up to the longest
// names and the most functions that it permits.
func TestLiveWholeNames(t *testing.T) {
	requireLive(t)
	many := []string{"many_functions_here"}
	for i := range 255 {
		many = append(many, fmt.Sprintf("function_with_quite_a_long_name_%d", i))
	}
	longest := []string{strings.Repeat("m", 512), strings.Repeat("s", 511), strings.Repeat("e", 8), "f"}
	programs := [][]string{
		{"tail_nodeport_nat_egress_ipv4"}, {"tail_nodeport_nat_ingress_ipv4", "one", "two"}, many, longest,
	}
	s := trace(t, Config{IncludeSelf: true})
	want := map[uint32][]string{}
	for _, names := range programs {
		prog, err := ebpf.NewProgram(withFunctions(true, names...))
		if err != nil {
			t.Fatal(err)
		}
		defer prog.Close()
		want[idOf(t, prog)] = functionsOf(t, prog)
	}
	rejected := []string{"rejected_for_its_return_value", "helper_of_the_rejected"}
	if _, err := ebpf.NewProgram(withFunctions(false, rejected...)); err == nil {
		t.Fatal("a program that returns nothing was accepted")
	}
	var refused bool
	for _, v := range s.finish() {
		if v.FullName == rejected[0] {
			refused = true
			if v.Verdict != record.VerdictRejected || v.ProgID != 0 || !slices.Equal(v.SubprogramNames, rejected[1:]) {
				t.Errorf("%s: %s, id %d, %q", v.FullName, v.Verdict, v.ProgID, v.SubprogramNames)
			}
		}
		names, ok := want[v.ProgID]
		if !ok || v.ProgID == 0 {
			continue
		}
		delete(want, v.ProgID)
		if v.FullName != names[0] || !slices.Equal(v.SubprogramNames, names[1:]) || v.WholeName() != names[0] || !v.Exact {
			t.Errorf("program %d is %q with %q, %v; the kernel shows %q", v.ProgID, v.FullName, v.SubprogramNames, v.Lossy, names)
		}
	}
	if len(want) > 0 || !refused {
		t.Errorf("no record of %v; of the rejected one: %v", want, refused)
	}
}

// A glob tells programs apart whose names the kernel cuts to the same.
func TestLiveSelectWholeName(t *testing.T) {
	requireLive(t)
	s := trace(t, Config{IncludeSelf: true, Select: Select{Prog: "tail_nodeport_nat_e*_ipv4"}})
	for _, name := range []string{"tail_nodeport_nat_egress_ipv4", "tail_nodeport_nat_ingress_ipv4", "tail_nodeport_n"} {
		prog, err := ebpf.NewProgram(withFunctions(true, name))
		if err != nil {
			t.Fatal(err)
		}
		prog.Close()
	}
	records := s.finish()
	if len(records) != 1 || records[0].FullName != "tail_nodeport_nat_egress_ipv4" || records[0].ProgName != "tail_nodeport_n" {
		t.Errorf("selected: %d records", len(records))
	}
	summary := s.Summary()
	if summary.NotSelected < 2 || !slices.Contains(summary.NotSelectedNames, "tail_nodeport_nat_ingress_ipv4") {
		t.Errorf("%d not selected: %q", summary.NotSelected, summary.NotSelectedNames)
	}
}

// What a program attaches to is named as it was asked for.
func TestLiveAttachTarget(t *testing.T) {
	requireLive(t)
	replaced, err := ebpf.NewProgram(withFunctions(true, "the_program_replaced", "unused"))
	if err != nil {
		t.Fatal(err)
	}
	defer replaced.Close()
	replacing := withFunctions(true, "replacing")
	replacing.Type, replacing.AttachTarget, replacing.AttachTo = ebpf.Extension, replaced, "the_program_replaced"
	tracing := func(name string, attach ebpf.AttachType, to string) *ebpf.ProgramSpec {
		return &ebpf.ProgramSpec{
			Name: name, Type: ebpf.Tracing, AttachType: attach, AttachTo: to, License: "GPL",
			Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
		}
	}
	member := tracing("at_member", ebpf.AttachStructOps, "tcp_congestion_ops:ssthresh")
	member.Type = ebpf.StructOps
	s := trace(t, Config{IncludeSelf: true})
	cases := []struct {
		spec       *ebpf.ProgramSpec
		target     string
		attachName string
		prog       string
		id         uint32
	}{
		{spec: tracing("at_fentry", ebpf.AttachTraceFEntry, "bpf_fentry_test1"), target: "bpf_fentry_test1", attachName: "trace_fentry"},
		{spec: tracing("at_tp_btf", ebpf.AttachTraceRawTp, "sched_switch"), target: "sched_switch", attachName: "trace_raw_tp"},
		{spec: tracing("at_iter", ebpf.AttachTraceIter, "bpf_map"), target: "bpf_iter_bpf_map", attachName: "trace_iter"},
		{spec: member, target: "ssthresh"},
		{spec: replacing, target: "the_program_replaced", prog: "the_program_rep", id: idOf(t, replaced)},
	}
	ids := make([]uint32, len(cases))
	for i, c := range cases {
		prog, err := ebpf.NewProgram(c.spec)
		if errors.Is(err, unix.EPERM) && !s.served("verification start") {
			t.Logf("%s is not permitted here: %v", c.spec.Name, err)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer prog.Close()
		ids[i] = idOf(t, prog)
	}
	records := s.finish()
	for i, c := range cases {
		if ids[i] == 0 {
			continue
		}
		at := slices.IndexFunc(records, func(v *record.Verification) bool { return v.ProgID == ids[i] })
		if at < 0 {
			t.Errorf("%s: no record of program %d", c.spec.Name, ids[i])
			continue
		}
		v := records[at]
		if v.ProgName != c.spec.Name || v.AttachTarget != c.target || v.AttachTypeName != c.attachName || v.AttachProgName != c.prog || v.AttachProgID != c.id {
			t.Errorf("%s attaches to %q as %q of %q (%d)", v.ProgName, v.AttachTarget, v.AttachTypeName, v.AttachProgName, v.AttachProgID)
		}
		if v.Inputs == nil || v.Inputs.AttachBTFID == 0 || v.AskedFor != nil {
			t.Errorf("%s: inputs %+v, asked for %+v", v.ProgName, v.Inputs, v.AskedFor)
		}
	}
}

// A thread of the loader that writes into bpf_attr while it is read misleads nobody: what
// the record names is what the kernel shows of the loaded program.
func TestLiveAttrChangesMeanwhile(t *testing.T) {
	requireLive(t)
	const loads = 500
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0))))
	var pins runtime.Pinner
	defer pins.Unpin()
	attr := &bpf.VeriallocLoadAttr{
		ProgType: uint32(ebpf.SocketFilter), InsnCnt: 2, Insns: address(&pins, return0), License: address(&pins, []byte("GPL\x00")),
		ProgName: chars[[16]uint8]("flip_a"),
	}
	pins.Pin(attr)
	s := trace(t, Config{IncludeSelf: true})

	ctx, stop := context.WithCancel(t.Context())
	var flipping sync.WaitGroup
	flipping.Go(func() {
		letter := (*uint32)(unsafe.Pointer(&attr.ProgName[4])) // _a or _b and what follows
		for i := 0; ctx.Err() == nil; i++ {
			atomic.StoreUint32(&attr.ProgType, []uint32{uint32(ebpf.SocketFilter), uint32(ebpf.XDP)}[i%2])
			atomic.StoreUint32(letter, []uint32{'_' | 'b'<<8, '_' | 'a'<<8}[i/2%2])
		}
	})
	type shown struct{ name, kind string }
	want := map[uint32]shown{}
	for range loads {
		fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(attr)), unsafe.Sizeof(*attr))
		if errno == unix.EAGAIN {
			continue
		}
		if errno != 0 {
			t.Fatal(errno)
		}
		prog, err := ebpf.NewProgramFromFD(int(fd))
		if err != nil {
			t.Fatal(err)
		}
		info, err := prog.Info()
		if err != nil {
			t.Fatal(err)
		}
		id, _ := info.ID()
		want[uint32(id)] = shown{info.Name, s.progType(uint32(info.Type))}
		prog.Close()
	}
	stop()
	flipping.Wait()

	var exact, told int
	for _, v := range s.finish() {
		if !strings.HasPrefix(v.ProgName, "flip") || v.PID != uint32(os.Getpid()) || v.Verdict != record.VerdictAccepted {
			continue
		}
		w, ok := want[v.ProgID]
		if !ok {
			t.Fatalf("program %d was not loaded", v.ProgID)
		}
		delete(want, v.ProgID)
		if v.ProgName != w.name || v.ProgType != w.kind {
			t.Errorf("program %d is %s, %s; the kernel shows %s, %s", v.ProgID, v.ProgName, v.ProgType, w.name, w.kind)
		}
		if v.Exact {
			exact++
		}
		if v.AskedFor != nil {
			told++
		}
	}
	if len(want) > 0 || exact == 0 {
		t.Errorf("%d loads without a record, %d exact", len(want), exact)
	}
	t.Logf("kernel %s: %d exact, %d of them asked for another program", s.Environment().Kernel, exact, told)
}

// enterCgroup moves this process into a new control group until the test ends, and returns
// the path of that.
func enterCgroup(t *testing.T, name string) string {
	t.Helper()
	own, ok := kernel.FindCgroup().Get()
	if !ok {
		t.Skip(kernel.FindCgroup().Why()) // no loader is in one then
	}
	enter := func(group string) error {
		return os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0)
	}
	group := filepath.Join(own.Own, name)
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(enter(own.Own), os.Remove(group)); err != nil {
			t.Error(err)
		}
	})
	if err := enter(group); err != nil {
		t.Fatal(err)
	}
	within, err := filepath.Rel(own.Mount, group)
	if err != nil {
		t.Fatal(err)
	}
	return "/" + within
}

// A load is of its loader's control group, container and command line.
func TestLiveCgroupAndLoader(t *testing.T) {
	requireLive(t)
	id := strings.Repeat("0123456789abcdef", 4)
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := trace(t, Config{IncludeSelf: true, LoaderCommand: true})
	load := func(name string) {
		prog, err := ebpf.NewProgram(withFunctions(true, name))
		if err != nil {
			t.Fatal(err)
		}
		prog.Close()
	}
	load("outside")
	path := enterCgroup(t, "docker-"+id+".scope")
	load("inside")
	records := s.finish() // while the group is there
	outside, inside := one(t, records, "outside"), one(t, records, "inside")
	if outside.CgroupPath == "" || outside.CgroupPath == path || outside.CgroupID == inside.CgroupID {
		t.Errorf("outside: group %d, %q", outside.CgroupID, outside.CgroupPath)
	}
	if inside.CgroupPath != path || inside.ContainerID != id {
		t.Errorf("inside: %q, container %q; want %q", inside.CgroupPath, inside.ContainerID, path)
	}
	for _, v := range []*record.Verification{outside, inside} {
		want := &record.Loader{CommandLine: os.Args, Executable: executable}
		if diff := cmp.Diff(want, v.Loader); diff != "" {
			t.Errorf("%s: loader (-want +got):\n%s", v.ProgName, diff)
		}
	}
}
