package object

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cilium/ebpf/asm"
)

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"empty.o": "", "text.o": "no object"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), path+" is not a readable BPF object") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := Open(filepath.Join(dir, "none.o"), Options{}); !os.IsNotExist(err) {
		t.Errorf("error %v", err)
	}
}

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

func TestEssentialName(t *testing.T) {
	for name, want := range map[string]string{
		"task_struct": "task_struct", "bpf_kfunc___v2": "bpf_kfunc", "___x": "___x", "a___b___c": "a___b",
	} {
		if got := essentialName(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
