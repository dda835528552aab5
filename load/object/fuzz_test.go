package object

import (
	"debug/elf"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/load"
)

// fakeTypes are the types of a kernel: those that the seeds refer to.
func fakeTypes(t testing.TB) *kernel.Types {
	t.Helper()
	integer := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	pointer := &btf.Pointer{Target: &btf.FuncProto{Return: integer}}
	// The seed has a member data, which this kernel has not.
	ops := &btf.Struct{Name: "bpf_testmod_ops", Size: 16, Members: []btf.Member{
		{Name: "test_1", Type: pointer}, {Name: "test_2", Type: pointer, Offset: 64},
	}}
	value := &btf.Struct{Name: "bpf_struct_ops_bpf_testmod_ops", Size: 16, Members: []btf.Member{{Name: "data", Type: ops}}}
	builder, err := btf.NewBuilder([]btf.Type{
		value,
		&btf.Struct{Name: "s", Size: 4, Members: []btf.Member{{Name: "a", Type: integer}}},
		&btf.Var{Name: "bpf_prog_active", Type: integer, Linkage: btf.GlobalVar},
		&btf.Func{Name: "bpf_kfunc_call_test1", Type: &btf.FuncProto{Return: integer}, Linkage: btf.GlobalFunc},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := builder.Spec()
	if err != nil {
		t.Fatal(err)
	}
	return kernel.TypesOf(spec)
}

// useFakeKernel makes objects refer to a kernel of those types, until the test ends.
func useFakeKernel(t testing.TB) {
	t.Helper()
	types, symbols, config := kernelTypes, kernelSymbols, kernelConfig
	t.Cleanup(func() { kernelTypes, kernelSymbols, kernelConfig = types, symbols, config })
	fake := fakeTypes(t)
	kernelTypes = func() (*kernel.Types, error) { return fake, nil }
	kernelSymbols = func(names ...string) (map[string]kernel.Fact[uint64], error) {
		found := make(map[string]kernel.Fact[uint64])
		for _, name := range names {
			found[name] = kernel.Known(uint64(0xffffffff81000000))
		}
		return found, nil
	}
	options, err := kernel.ParseConfig(strings.NewReader("CONFIG_HZ=250\nCONFIG_BPF_SYSCALL=y\nCONFIG_DEFAULT_HOSTNAME=\"here\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	kernelConfig = func() kernel.Config { return options }
}

// libraryObjects are the ebpf library's own test objects for this byte order: most of what
// an object may hold is in one of them, and none is large. It returns none where there is no
// go command to ask for the library's directory.
func libraryObjects(t testing.TB) []string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil { // a guest has none
		return nil
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/cilium/ebpf").Output()
	if err != nil {
		t.Fatal(err)
	}
	pattern := filepath.Join(strings.TrimSpace(string(out)), "testdata", "*-el.elf")
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %d objects, error %v", pattern, len(paths), err)
	}
	return paths
}

// FuzzObject checks that no image of an object makes anything panic that is done with it
// before the kernel is given something.
func FuzzObject(f *testing.F) {
	header := make([]byte, 64)
	copy(header, "\x7fELF\x02\x01\x01")
	header[16], header[18] = 1, byte(elf.EM_BPF)
	f.Add(header)
	for _, path := range objects(f) {
		image, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(image)
	}
	useFakeKernel(f)
	f.Fuzz(func(t *testing.T, image []byte) {
		_ = useObject(image)
	})
}

// useObject does with an object all that is done ahead of the first system call.
func useObject(image []byte) error {
	obj, err := readObject(image)
	if err != nil {
		return err
	}
	if len(obj.programs) == 0 {
		return errors.New("an object without programs")
	}
	errs := []error{setAll(obj)}
	l := &loadedObject{object: obj, maps: map[string]*ebpf.Map{}}
	if obj.bigEndian {
		return nil
	}
	errs = append(errs, l.resolve(), l.buildTypes())
	defer l.externs.close()
	for _, p := range obj.programs {
		insns := slices.Clone(p.spec.Instructions)
		if l.builder != nil {
			errs = append(errs, relocate(insns, l.builder))
		}
		var own closers
		errs = append(errs, l.refer(insns, &own), own.close())
		attr, err := load.AttrOf(p.spec, insns)
		errs = append(errs, err, l.attach(p.spec, &attr))
	}
	for _, spec := range obj.spec.Maps {
		_, _, _ = maxEntries(spec), innerEntries(spec), isData(spec)
	}
	return errors.Join(errs...)
}

// setAll sets each variable of an object, and its first member and element.
func setAll(o *object) error {
	if o.spec.Types == nil {
		return nil
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(o.spec.Variables)) {
		for _, path := range []string{"", "[1]", ".a", ".a.b", "[4294967294]"} {
			if g, err := ParseGlobal(name + path + " = 1"); err == nil {
				errs = append(errs, o.setGlobals([]Global{g}))
			}
		}
	}
	return errors.Join(errs...)
}
