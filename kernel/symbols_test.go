package kernel

import (
	"errors"
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

func parse(t testing.TB, text string) *Symbols {
	t.Helper()
	table, err := ParseSymbols(strings.NewReader(text))
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
	if table.Hidden() {
		t.Error("hidden")
	}
	for name, want := range map[string]bool{
		"bpf_check": true, "__slab_alloc.isra.0": true, "__slab_alloc": false, "ftrace_trampoline": false, "": false,
	} {
		if table.Has(name) != want {
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
	if !table.Hidden() {
		t.Error("not hidden")
	}
	if !table.Has("do_check_common") {
		t.Error("the names are lost with the addresses")
	}
	for _, address := range []uint64{0, 1, 0xffffffff81000010} {
		if name, offset := table.Symbol(address); name != "" || offset != 0 {
			t.Errorf("Symbol(%#x) = %q, %#x", address, name, offset)
		}
	}
	if empty := parse(t, ""); !empty.Hidden() {
		t.Error("an empty table is not hidden")
	}
}

func TestVariables(t *testing.T) {
	table := parse(t, "1000 A __preempt_count\n2000 D jiffies\n3000 T kfree\n4000 d pcpu_hot\tmodule\n")
	if !slices.Equal(table.variables, []string{"__preempt_count"}) {
		t.Errorf("variables %v, want __preempt_count", table.variables)
	}
	if table.Has("jiffies") {
		t.Error("a variable is taken for a function")
	}
}

func TestAddress(t *testing.T) {
	table := parse(t, "3000 t verbose\n1000 T bpf_log\n2000 t twice\n2010 t twice\n4000 d verbose\n5000 t last\n")
	for name, want := range map[string]uint64{"verbose": 0x3000, "bpf_log": 0x1000} {
		if got, ok := table.Address(name).Get(); !ok || got != want {
			t.Errorf("%s: %#x, %v, want %#x", name, got, ok, want)
		}
	}
	if !table.Address("twice").IsUnknown() || !table.Address("log").IsAbsent() {
		t.Errorf("twice %v, log %v", table.Address("twice").Why(), table.Address("log").Why())
	}
	if why := parse(t, "0 t verbose\n").Address("verbose").Why(); !errors.Is(why, ErrHidden) {
		t.Errorf("hidden: %v", why)
	}
}

func TestVariant(t *testing.T) {
	table := parse(t, "1000 t __slab_alloc.cold\n1800 t ___slab_alloc\n2000 t __slab_alloc.isra.0\n3000 T kfree\n")
	for name, want := range map[string]string{
		"__slab_alloc": "__slab_alloc.isra.0", "___slab_alloc": "___slab_alloc", "kfree": "kfree", "vfree": "", "": "",
	} {
		if got := table.Variant(name); got != want {
			t.Errorf("variant(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestMalformedSymbols(t *testing.T) {
	for _, line := range []string{
		"\n", "ffffffff81000000\n", "ffffffff81000000 T\n", "ffffffff81000000 TT name\n", "xyz T name\n",
		" T name\n", "1ffffffffffffffff T name\n", "-1 T name\n", "1000 T \n", "xyz D name\n",
	} {
		text := "ffffffff81000000 T _text\n" + line
		if table, err := ParseSymbols(strings.NewReader(text)); err == nil {
			t.Errorf("%q gives %q", line, table.names)
		} else if !strings.Contains(err.Error(), strings.TrimSuffix(line, "\n")) {
			t.Errorf("%q: the error does not show it: %v", line, err)
		}
	}
	if _, err := ParseSymbols(strings.NewReader("1000 T " + strings.Repeat("n", 1<<17))); err == nil {
		t.Error("a line without end is read")
	}
}

// A kernel names its own symbols and those of modules; a name may be there twice.
func TestFindSymbols(t *testing.T) {
	const text = "0 A fixed_percpu_data\n1000 T kfree\n2000 t twice\n3000 t twice\n4000 D jiffies\n4000 D jiffies\n5000 t of_module\t[ext4]\n"
	found, err := findSymbols(strings.NewReader(text), []string{"fixed_percpu_data", "kfree", "twice", "jiffies", "of_module", "none"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]uint64{"fixed_percpu_data": 0, "kfree": 0x1000, "jiffies": 0x4000, "of_module": 0x5000} {
		if address, ok := found[name].Get(); !ok || address != want {
			t.Errorf("%s: %#x, %v, want %#x", name, address, found[name].Why(), want)
		}
	}
	if !found["twice"].IsUnknown() || errors.Is(found["twice"].Why(), ErrHidden) {
		t.Errorf("twice: %+v", found["twice"])
	}
	if !found["none"].IsAbsent() {
		t.Errorf("none: %+v", found["none"])
	}
	hidden, err := findSymbols(strings.NewReader("0 T kfree\n0 D jiffies\n0 t twice\n0 t twice\n"), []string{"kfree", "twice", "none"})
	if err != nil || !hidden["kfree"].IsUnknown() || !errors.Is(hidden["kfree"].Why(), ErrHidden) || !errors.Is(hidden["twice"].Why(), ErrHidden) {
		t.Errorf("hidden: %+v, error %v", hidden, err)
	}
	if !hidden["none"].IsAbsent() {
		t.Errorf("the names are lost with the addresses: %+v", hidden["none"])
	}
	if _, err := findSymbols(strings.NewReader("1000 T kfree\nfoo\n"), []string{"kfree"}); err == nil {
		t.Error("a malformed line is read")
	}
}

// Both readers take the same text for symbols, and agree on what is in it.
func FuzzFindSymbols(f *testing.F) {
	f.Add(fixture(f, "testdata/kallsyms-6.18"), "bpf_check")
	f.Add("0 T kfree\n", "kfree")
	f.Add("1000 t a\n2000 t a\n", "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		found, err := findSymbols(strings.NewReader(text), []string{name})
		table, tableErr := ParseSymbols(strings.NewReader(text))
		if (err == nil) != (tableErr == nil) {
			t.Fatalf("%v, but %v", err, tableErr)
		}
		if err == nil && found[name].IsAbsent() && name != "" && table.Has(name) {
			t.Errorf("%q is in the table alone", name)
		}
	})
}

func FuzzParseSymbols(f *testing.F) {
	f.Add(fixture(f, "testdata/kallsyms-6.18"), uint64(0xffffffff81506bb1))
	f.Add("0000000000000000 T _text\n", uint64(1))
	f.Add("1000 t a\n1000 T b\n10 t c\n", uint64(0x1000))
	f.Add("1000 A __preempt_count\nfoo", uint64(0))
	f.Fuzz(func(t *testing.T, text string, address uint64) {
		table, err := ParseSymbols(strings.NewReader(text))
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
		if !table.Has(name) || offset == 0 || offset > address {
			t.Errorf("Symbol(%#x) = %q, %#x", address, name, offset)
		}
		i := slices.Index(table.addresses, address-offset)
		if i < 0 || table.Hidden() {
			t.Errorf("Symbol(%#x) = %q, %#x: nothing begins there", address, name, offset)
		}
	})
}
