package object

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// seedErrors are the errors of using each seed, sorted: none but what the fake kernel does
// not have, and what the seed is there for. No maps are made, so none can be referred to.
var seedErrors = map[string][]string{
	"arena-el.elf":                {"it has no programs"},
	"btf_map_init-el.elf":         {"map prog_array_init: the object has none"},
	"constants-el.elf":            {"map .rodata: the object has none"},
	"errors-el.elf":               nil,
	"fentry_fexit-el.elf":         {"attach target target: this kernel has no target: not found"},
	"freplace-el.elf":             {"the program that it replaces a function of is not known, and no program type goes with its argument"},
	"fwd_decl-el.elf":             {"extern fwd is neither the kernel's nor of its configuration: the object is not linked"},
	"invalid-kfunc-el.elf":        {"kfunc bpf_kfunc_call_test_mem_len_pass1: this kernel has no bpf_kfunc_call_test_mem_len_pass1: not found"},
	"invalid_btf_map_init-el.elf": {"load BTF maps: section .maps: map hash_map: initializing BTF map definitions: not supported"},
	"invalid_map-el.elf":          {"it has no programs"},
	"invalid_map_static-el.elf":   {"load programs: section xdp: offset 32 in section xdp: relocating instruction: possible erroneous static qualifier on map definition: found reference to \"\""},
	"iproute2_map_compat-el.elf":  {"it has no programs"},
	"kconfig-el.elf":              {"map .kconfig: the object has none"},
	"kfunc-el.elf": {
		"attach target bpf_fentry_test2: this kernel has no bpf_fentry_test2: not found",
		"attach target task_newtask: this kernel has no btf_trace_task_newtask: not found",
		"kfunc bpf_ct_release: this kernel has no bpf_ct_release: not found",
	},
	"kfunc-kmod-el.elf":      {"kfunc bpf_testmod_test_mod_kfunc: this kernel has no bpf_testmod_test_mod_kfunc: not found"},
	"ksym-el.elf":            {"map array_map: the object has none"},
	"linked-el.elf":          nil,
	"linked1-el.elf":         {"extern l2 is neither the kernel's nor of its configuration: the object is not linked"},
	"linked2-el.elf":         {"extern l1 is neither the kernel's nor of its configuration: the object is not linked"},
	"loader-clang-14-el.elf": {"extern MY_CONST has no type"},
	"loader-clang-17-el.elf": {"extern MY_CONST has no type"},
	"loader-clang-22-el.elf": {"extern MY_CONST has no type"},
	"loader_nobtf-el.elf": {
		"map .rodata.cst32: the object has none",
		"map .rodata: the object has none",
		"map hash_map: the object has none",
	},
	"manyprogs-el.elf":      {"map kprobe_map: the object has none"},
	"map_spin_lock-el.elf":  {"it has no programs"},
	"raw_tracepoint-el.elf": nil,
	"strings-el.elf":        {"map my_map: the object has none"},
	"struct_ops-el.elf": {
		"no struct_ops variable refers to it",
		"struct_ops testmod_ops: member data: this kernel's bpf_testmod_ops has none",
	},
	"subprog_reloc-el.elf": {"map hash_map: the object has none"},
	"variables-el.elf": {
		"map .bss: the object has none",
		"map .data.array: the object has none",
		"map .data.atomic: the object has none",
		"map .data.struct: the object has none",
		"map .data: the object has none",
		"map .rodata: the object has none",
		"var_array = 1: the variable has 8192 bytes from 0 on, in a section that goes on for 8192",
		"var_array[4294967294] = 1: the index 4294967294 is not within [0, 8192)",
		"var_struct = 1: the variable has 16 bytes from 0 on, in a section that goes on for 48",
		"var_struct_pad = 1: the variable has 32 bytes from 0 on, in a section that goes on for 32",
	},
}

// TestSeeds checks that the seeds go where the fuzzing is to go.
func TestSeeds(t *testing.T) {
	useFakeKernel(t)
	paths := libraryObjects(t)
	if paths == nil {
		t.Skip("no go command to ask for the library's directory")
	}
	missing := maps.Clone(seedErrors)
	for _, path := range paths {
		name := filepath.Base(path)
		delete(missing, name)
		image, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, known := seedErrors[name]
		if got := errorLines(useObject(image)); !known || !slices.Equal(got, want) {
			t.Errorf("%s: errors %#v, want %#v", name, got, want)
		}
	}
	for name := range missing {
		t.Errorf("the library has no %s any more", name)
	}
}

// errorLines returns the lines of an error, sorted, each once. It leaves out those of
// variables that are neither an array nor a structure, which setAll takes each for.
func errorLines(err error) []string {
	if err == nil {
		return nil
	}
	lines := strings.Split(err.Error(), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool {
		return strings.HasSuffix(line, ": what should have an index is no array") ||
			strings.Contains(line, ": what should have a member ")
	})
	slices.Sort(lines)
	return slices.Compact(lines)
}
