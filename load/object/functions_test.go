package object

import (
	"strings"
	"testing"

	"github.com/cilium/ebpf/asm"
)

// TestCallOrder checks libbpf's order: a function's callees follow it at once, each
// function is there once, the exception callback comes last.
func TestCallOrder(t *testing.T) {
	function := func(name string, callees ...string) asm.Instructions {
		insns := asm.Instructions{asm.Mov.Imm(asm.R0, 0).WithSymbol(name)}
		for _, callee := range callees {
			insns = append(insns, asm.Call.Label(callee))
		}
		return append(insns, asm.Return())
	}
	var program asm.Instructions
	for _, f := range []asm.Instructions{
		function("main", "a", "b", "extern"), function("b", "shared"), function("a", "deep", "shared"),
		function("shared"), function("deep", "a"),
	} {
		program = append(program, f...)
	}
	callback := append(function("callback", "shared", "own"), function("own")...)
	var order []string
	for _, insn := range callOrder(program, callback) {
		if insn.Symbol() != "" {
			order = append(order, insn.Symbol())
		}
	}
	if got, want := strings.Join(order, " "), "main a deep shared b callback own"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
