package tracer

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/tracer/record"
)

// Ways to see loads, each of which lacks more programs than the one before.
var waysToSee = []struct {
	name string
	lack []string
	want map[record.LoadClass]record.Verdict // empty: not seen
}{
	{"all", nil, map[record.LoadClass]record.Verdict{
		record.LoadsOf32Bit: record.VerdictAccepted, record.LoadsOfKernel: record.VerdictAccepted,
	}},
	{"raw tracepoints and bpf_check", []string{"fentry_sys_bpf", "fexit_sys_bpf"}, map[record.LoadClass]record.Verdict{
		record.LoadsOf32Bit: record.VerdictAccepted, record.LoadsOfKernel: record.VerdictIncomplete,
	}},
	{"raw tracepoints", []string{"fentry_sys_bpf", "fexit_sys_bpf", "kprobe_bpf_check", "fentry_bpf_check"}, map[record.LoadClass]record.Verdict{
		record.LoadsOf32Bit: record.VerdictAccepted,
	}},
	{"tracepoints", []string{"fentry_sys_bpf", "fexit_sys_bpf", "kprobe_bpf_check", "fentry_bpf_check", "raw_sys_enter"}, nil},
}

// eachWay makes a load of a class in each way to see it, and checks that it has one record,
// or that the environment says that it has none.
func eachWay(t *testing.T, cfg Config, class record.LoadClass, name string, load func(*testing.T)) {
	t.Helper()
	requireLive(t)
	for _, way := range waysToSee {
		t.Run(way.name, func(t *testing.T) {
			s := traceBy(t, func(cfg Config) (*Tracer, error) {
				return openChanged(cfg, func(o *object) error {
					for _, program := range way.lack {
						delete(o.spec.Programs, program)
					}
					return nil
				})
			}, cfg, nil)
			load(t)
			records := named(s.finish(), name)
			e := s.Environment()
			unseen := slices.Contains(e.UnseenLoads, class)
			want := way.want[class]
			refused := slices.ContainsFunc(e.Hooks, func(h record.Hook) bool {
				return h.State == record.HookRefused && (h.Kind == record.HookLoad || h.Kind == record.HookCheck)
			})
			switch {
			case unseen && len(records) > 0:
				t.Errorf("%d records of a load that is said not to be seen", len(records))
			case unseen && want != "" && !refused:
				t.Errorf("not seen, and the kernel refuses nothing: %v", e.Lacks)
			case unseen:
			case want == "":
				t.Errorf("nothing can see it, but unseen is %v", e.UnseenLoads)
			default:
				v := one(t, records, name)
				if v.Verdict != want || v.Exact != (want != record.VerdictIncomplete) || v.ProgType != "socket_filter" {
					t.Errorf("%s %s (%s), exact: %v, want %s", v.ProgType, v.Verdict, v.IncompleteReason, v.Exact, want)
				}
			}
			if summary := s.Summary(); !slices.Equal(summary.UnseenLoads, e.UnseenLoads) {
				t.Errorf("unseen: %v in the environment, %v in the summary", e.UnseenLoads, summary.UnseenLoads)
			}
			// A 32-bit process makes other system calls, too.
			if len(s.records) > len(records) {
				t.Errorf("%d records of one load", len(s.records))
			}
			t.Logf("kernel %s: unseen: %v", e.Kernel, e.UnseenLoads)
		})
	}
}

// smallest is the shortest program there is: r0 = 0; exit.
var smallest = []byte{0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0}

// smallestAttr is what loads it, with what it points to elsewhere.
func smallestAttr(name string, insns, license uint64) []byte {
	attr := make([]byte, 64)
	binary.LittleEndian.PutUint32(attr, uint32(ebpf.SocketFilter))
	binary.LittleEndian.PutUint32(attr[4:], uint32(len(smallest)/asm.InstructionSize))
	binary.LittleEndian.PutUint64(attr[8:], insns)
	binary.LittleEndian.PutUint64(attr[16:], license)
	copy(attr[48:], name)
	return attr
}

// program32 makes an executable for 32-bit x86 that loads a program of this name, and ends
// with 0 if it has.
func program32(name string) []byte {
	const (
		base         = 0x08048000
		header, code = 52 + 32, 64
		attr         = header + code
		insns        = attr + 64
		license      = insns + 16
		size         = license + 4
	)
	le := binary.LittleEndian
	b := append([]byte("\x7fELF\x01\x01\x01"), make([]byte, 9)...)
	b = le.AppendUint16(b, 2) // ET_EXEC
	b = le.AppendUint16(b, 3) // EM_386
	for _, word := range []uint32{1, base + header, 52, 0, 0} {
		b = le.AppendUint32(b, word)
	}
	for _, half := range []uint16{52, 32, 1, 0, 0, 0} {
		b = le.AppendUint16(b, half)
	}
	for _, word := range []uint32{1 /* PT_LOAD */, 0, base, base, size, size, 5 /* R, X */, 4096} {
		b = le.AppendUint32(b, word)
	}
	move := func(register byte, value uint32) { b = le.AppendUint32(append(b, 0xb8+register), value) }
	call := func() { b = append(b, 0xcd, 0x80) }
	const eax, ecx, edx, ebx, edi = 0, 1, 2, 3, 7
	// signalfd(-1, 0, 0), which has the number of bpf(2) for 64 bits, with that one's registers.
	move(eax, 321)
	move(ebx, ^uint32(0))
	move(ecx, 0)
	move(edi, 5)
	call()
	move(eax, 357) // bpf
	move(ebx, 5)   // BPF_PROG_LOAD
	move(ecx, base+attr)
	move(edx, 64)
	call()
	b = append(b, 0xc1, 0xe8, 31) // shr eax, 31
	b = append(b, 0x89, 0xc3)     // mov ebx, eax
	move(eax, 1)                  // exit
	call()
	b = append(b, make([]byte, attr-len(b))...)
	b = append(b, smallestAttr(name, base+insns, base+license)...)
	b = append(b, smallest...)
	return append(b, "GPL\x00"...)
}

// A load by a 32-bit process has a record, and its other system calls have none.
func TestLiveLoadsOf32Bit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "loader32")
	if err := os.WriteFile(path, program32("bits32"), 0o700); err != nil {
		t.Fatal(err)
	}
	eachWay(t, Config{Comm: "loader32"}, record.LoadsOf32Bit, "bits32", func(t *testing.T) {
		t.Helper()
		out, err := exec.Command(path).CombinedOutput()
		if errors.Is(err, unix.ENOEXEC) {
			t.Skip("this kernel runs no 32-bit programs")
		}
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	})
}

// So has a load that the kernel makes, as a light skeleton has it do.
func TestLiveLoadsOfKernel(t *testing.T) {
	cfg := Config{IncludeSelf: true, Select: Select{Prog: "light"}}
	eachWay(t, cfg, record.LoadsOfKernel, "light", func(t *testing.T) {
		t.Helper()
		loader := lightLoader(t, "light")
		if ret, err := loader.Run(&ebpf.RunOptions{}); err != nil || ret != 0 {
			t.Fatalf("the kernel's load: %d, %v", int32(ret), err)
		}
	})
}

// lightLoader returns a program that loads one of this name.
func lightLoader(t *testing.T, name string) *ebpf.Program {
	t.Helper()
	const size, license = 64, 16
	value := make([]byte, 32)
	copy(value, smallest)
	copy(value[license:], "GPL")
	data, err := ebpf.NewMap(&ebpf.MapSpec{
		Name: "loader", Type: ebpf.Array, KeySize: 4, ValueSize: uint32(len(value)), MaxEntries: 1,
		Contents: []ebpf.MapKV{{Key: uint32(0), Value: value}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { data.Close() })
	var insns asm.Instructions
	for at, attr := 0, smallestAttr(name, 0, 0); at < size; at += 8 {
		insns = append(insns,
			asm.LoadImm(asm.R1, int64(binary.LittleEndian.Uint64(attr[at:])), asm.DWord),
			asm.StoreMem(asm.RFP, int16(at-size), asm.R1, asm.DWord))
	}
	insns = append(insns,
		asm.LoadMapValue(asm.R1, data.FD(), 0), asm.StoreMem(asm.RFP, 8-size, asm.R1, asm.DWord),
		asm.LoadMapValue(asm.R1, data.FD(), license), asm.StoreMem(asm.RFP, 16-size, asm.R1, asm.DWord),
		asm.Mov.Imm(asm.R1, 5), // BPF_PROG_LOAD
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -size), asm.Mov.Imm(asm.R3, size),
		asm.FnSysBpf.Call(),
		asm.JSLT.Imm(asm.R0, 0, "exit"),
		asm.Mov.Reg(asm.R1, asm.R0), asm.FnSysClose.Call(), // which gives 0
		asm.Return().WithSymbol("exit"),
	)
	loader, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "loader", Type: ebpf.Syscall, Flags: unix.BPF_F_SLEEPABLE, License: "GPL", Instructions: insns,
	})
	if err != nil {
		t.Fatalf("%+v", err)
	}
	t.Cleanup(func() { loader.Close() })
	return loader
}
