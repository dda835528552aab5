package generate

import (
	"reflect"
	"regexp"
	"strconv"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/internal/loadtest"
	"github.com/verialloc/verialloc/tracer/record"
)

// TestLiveStackOfFunctions compares what is read of the stack's use and of the functions
// with the log itself. Functions that are called one after the other share the stack.
func TestLiveStackOfFunctions(t *testing.T) {
	loadtest.RequireLive(t)
	running, err := kernel.RunningVersion()
	if err != nil {
		t.Fatal(err)
	}
	use := func(name string, bytes int16) asm.Instructions {
		return asm.Instructions{asm.StoreImm(asm.RFP, -bytes, 0, asm.Word).WithSymbol(name), asm.Mov.Imm(asm.R0, 0), asm.Return()}
	}
	insns := asm.Instructions{asm.Call.Label("a"), asm.Call.Label("b"), asm.Return()}
	insns = append(append(insns, use("a", 64)...), use("b", 200)...)
	stats, err := load.Load(program("stack_sum", ebpf.SocketFilter, insns).Spec, load.Options{LogLevel: 1})
	if err != nil || stats.Errno != 0 {
		t.Fatalf("load: %v, errno %d; log:\n%s", err, stats.Errno, stats.Log)
	}
	if stats.Stack() != 264 {
		t.Errorf("the stack of all functions is %d, want 264", stats.Stack())
	}

	deepest := regexp.MustCompile(`(?m)^stack depth .*max (\d+)$|^stack depth max (\d+)$`).FindStringSubmatch(stats.Log)
	if told := deepest != nil; told != running.AtLeast(kernel.Version{Major: 7, Minor: 2}) || told != (stats.MaxStackDepth != nil) {
		t.Fatalf("kernel %s: deepest chain %v, read as %v; log:\n%s", running, deepest, stats.MaxStackDepth, stats.Log)
	}
	if deepest != nil {
		if want, _ := strconv.Atoi(deepest[1] + deepest[2]); *stats.MaxStackDepth != want || want < 200 || want >= 264 {
			t.Errorf("the deepest chain has %d bytes, the log says %d", *stats.MaxStackDepth, want)
		}
	}

	var functions []record.Function
	for _, m := range regexp.MustCompile(`(?m)^subprog \d+ \(<unknown>\) (\w+) insns_self (\d+) insns_total (\d+) stack (\d+)$`).FindAllStringSubmatch(stats.Log, -1) {
		f := record.Function{Kind: m[1]}
		for i, number := range []*uint64{&f.InsnsSelf, &f.InsnsTotal, &f.StackDepth} {
			*number, _ = strconv.ParseUint(m[2+i], 10, 64) // digits by the expression
		}
		functions = append(functions, f)
	}
	if !reflect.DeepEqual(stats.Functions, functions) || (len(functions) == 3) != running.AtLeast(kernel.Version{Major: 7, Minor: 3}) {
		t.Errorf("kernel %s: functions %+v, the log has %+v:\n%s", running, stats.Functions, functions, stats.Log)
	}
}

// TestLiveStackOfRejected rejects a program that uses the stack: from 7.2 on the log says 0 for
// the deepest chain, which the kernel then did not come to.
func TestLiveStackOfRejected(t *testing.T) {
	insns := append(asm.Instructions{asm.StoreImm(asm.RFP, -64, 0, asm.Word)}, asm.Return()) // r0 is not set
	stats := loadCase(t, program("stack_rejected", ebpf.SocketFilter, insns).rejected(unix.EACCES))
	if stats.MaxStackDepth != nil {
		t.Errorf("the deepest chain has %d bytes, want none known; log:\n%s", *stats.MaxStackDepth, stats.Log)
	}
}
