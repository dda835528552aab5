package tracer

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// fixture reads a file of testdata without its comments.
func fixture(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func parse(t testing.TB, text string) *symbolTable {
	t.Helper()
	table, err := parseSymbols(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestSymbolOfFixture(t *testing.T) {
	table := parse(t, fixture(t, "testdata/kallsyms-6.18"))
	for _, c := range []struct {
		address uint64
		name    string
		offset  uint64
	}{
		{0xffffffff81506bb1, "bpf_check", 1},
		{0xffffffff81506c00, "bpf_check", 0x50},
		// A call at a function's very end returns to the next one's start.
		{0xffffffff81506bb0, "__pfx_bpf_check", 0x10},
		{0xffffffff81506ba0, "do_check_common", 0x3c30},
		{0xffffffff8162d850, "__slab_alloc.isra.0", 0xa90},
		{0xffffffff814e6720, "push_stack", 0x10},
		// Of two names for one address, the later.
		{0xffffffff81000001, "_text", 1},
		{0xffffffff81000000, "", 0},
		{0xffffffff80ffffff, "", 0},
		{0, "", 0},
	} {
		if name, offset := table.Symbol(c.address); name != c.name || offset != c.offset {
			t.Errorf("Symbol(%#x) = %q, %#x, want %q, %#x", c.address, name, offset, c.name, c.offset)
		}
	}
	if table.hidden() {
		t.Error("hidden")
	}
	for name, want := range map[string]bool{
		"bpf_check": true, "__slab_alloc.isra.0": true, "__slab_alloc": false, "ftrace_trampoline": false, "": false,
	} {
		if table.has(name) != want {
			t.Errorf("has(%q) is %v", name, !want)
		}
	}
}

// A weak function that nothing overrides is a function like others.
func TestSymbolOfWeakFunction(t *testing.T) {
	table := parse(t, fixture(t, "testdata/kallsyms-6.18"))
	if name, offset := table.Symbol(0xffffffff813737b8); name != "arch_vma_name" || offset != 8 {
		t.Errorf("got %s+%#x, want arch_vma_name+0x8", name, offset)
	}
}

// What lies after the kernel proper (modules, BPF programs) has no name in it.
func TestSymbolAfterTheLast(t *testing.T) {
	table := parse(t, fixture(t, "testdata/kallsyms-6.18"))
	if name, offset := table.Symbol(0xffffffffc0201010); name != "" {
		t.Errorf("an address in a module is %s+%#x", name, offset)
	}
}

func TestSymbolsAreSorted(t *testing.T) {
	table := parse(t, "3000 T c\n1000 t a\n2000 T b\n9000 T end\n")
	for address, want := range map[uint64]string{0x1001: "a", 0x2000: "a", 0x2001: "b", 0x3001: "c"} {
		if name, _ := table.Symbol(address); name != want {
			t.Errorf("Symbol(%#x) = %q, want %q", address, name, want)
		}
	}
}

func TestHiddenSymbols(t *testing.T) {
	table := parse(t, "0000000000000000 T _text\n0000000000000000 t do_check_common\n0000000000000000 T kfree\n")
	if !table.hidden() {
		t.Error("not hidden")
	}
	if !table.has("do_check_common") {
		t.Error("the names are lost with the addresses")
	}
	for _, address := range []uint64{0, 1, 0xffffffff81000010} {
		if name, offset := table.Symbol(address); name != "" || offset != 0 {
			t.Errorf("Symbol(%#x) = %q, %#x", address, name, offset)
		}
	}
	if empty := parse(t, ""); !empty.hidden() {
		t.Error("an empty table is not hidden")
	}
}

func TestVariables(t *testing.T) {
	table := parse(t, "1000 A __preempt_count\n2000 D jiffies\n3000 T kfree\n4000 d pcpu_hot\tmodule\n")
	if !slices.Equal(table.variables, []string{"__preempt_count"}) {
		t.Errorf("variables %v, want __preempt_count", table.variables)
	}
	if table.has("jiffies") {
		t.Error("a variable is taken for a function")
	}
}

func TestVariant(t *testing.T) {
	table := parse(t, "1000 t __slab_alloc.cold\n1800 t ___slab_alloc\n2000 t __slab_alloc.isra.0\n3000 T kfree\n")
	for name, want := range map[string]string{
		"__slab_alloc": "__slab_alloc.isra.0", "___slab_alloc": "___slab_alloc", "kfree": "kfree", "vfree": "", "": "",
	} {
		if got := table.variant(name); got != want {
			t.Errorf("variant(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestMalformedSymbols(t *testing.T) {
	for _, line := range []string{
		"\n", "ffffffff81000000\n", "ffffffff81000000 T\n", "ffffffff81000000 TT name\n", "xyz T name\n",
		" T name\n", "1ffffffffffffffff T name\n", "-1 T name\n", "1000 T \n",
	} {
		text := "ffffffff81000000 T _text\n" + line
		if table, err := parseSymbols(strings.NewReader(text)); err == nil {
			t.Errorf("%q gives %q", line, table.names)
		} else if !strings.Contains(err.Error(), strings.TrimSuffix(line, "\n")) {
			t.Errorf("%q: the error does not show it: %v", line, err)
		}
	}
	if _, err := parseSymbols(strings.NewReader("1000 T " + strings.Repeat("n", 1<<17))); err == nil {
		t.Error("a line without end is read")
	}
}

func FuzzParseSymbols(f *testing.F) {
	f.Add(fixture(f, "testdata/kallsyms-6.18"), uint64(0xffffffff81506bb1))
	f.Add("0000000000000000 T _text\n", uint64(1))
	f.Add("1000 t a\n1000 T b\n10 t c\n", uint64(0x1000))
	f.Add("1000 A __preempt_count\nfoo", uint64(0))
	f.Fuzz(func(t *testing.T, text string, address uint64) {
		table, err := parseSymbols(strings.NewReader(text))
		if err != nil {
			if table != nil {
				t.Error("an error and a table")
			}
			return
		}
		if len(table.addresses) != len(table.starts) || !slices.IsSorted(table.addresses) {
			t.Fatalf("%d addresses, %d names, sorted: %v", len(table.addresses), len(table.starts), slices.IsSorted(table.addresses))
		}
		name, offset := table.Symbol(address)
		if name == "" {
			return
		}
		if !table.has(name) || offset == 0 || offset > address {
			t.Errorf("Symbol(%#x) = %q, %#x", address, name, offset)
		}
		i := slices.Index(table.addresses, address-offset)
		if i < 0 || table.hidden() {
			t.Errorf("Symbol(%#x) = %q, %#x: nothing begins there", address, name, offset)
		}
	})
}
