package object

import (
	"debug/elf"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/kernel"
)

// extern is a variable or function that an object declares and the kernel has.
type extern struct {
	name string
	weak bool // it may be missing
	typ  btf.Type
	// config marks a variable of the kernel's configuration. Its value is at offset in
	// the map .kconfig.
	config bool
	offset uint32
}

// resolution is where the kernel has an extern. The zero resolution is that of a weak
// extern that the kernel does not have.
type resolution struct {
	address uint64     // of an untyped variable
	id      btf.TypeID // of a typed one, or of a function
	module  int16      // index in the array of file descriptors; 0: it is none
	fd      int        // of that module
}

// readExterns returns the object's externs by name.
func readExterns(types *btf.Spec, symbols []elf.Symbol) (map[string]*extern, error) {
	declared := make(map[string]btf.Type)
	for typ, err := range types.All() {
		if err != nil {
			return nil, err
		}
		if isExtern(typ) {
			declared[typ.TypeName()] = typ
		}
	}
	config, symbol := variablesOf(types, hiddenKconfig), variablesOf(types, hiddenKsyms)
	externs := make(map[string]*extern)
	for _, s := range symbols {
		if s.Section != elf.SHN_UNDEF || s.Name == "" {
			continue
		}
		typ := declared[s.Name]
		if typ == nil {
			return nil, fmt.Errorf("extern %s has no type", s.Name)
		}
		if !config[s.Name] && !symbol[s.Name] {
			return nil, fmt.Errorf("extern %s is neither the kernel's nor of its configuration: the object is not linked", s.Name)
		}
		externs[s.Name] = &extern{
			name:   s.Name,
			weak:   elf.ST_BIND(s.Info) == elf.STB_WEAK,
			typ:    typ,
			config: config[s.Name],
		}
	}
	return externs, nil
}

// variablesOf returns the names of the variables of a data section.
func variablesOf(types *btf.Spec, name string) map[string]bool {
	names := make(map[string]bool)
	var section *btf.Datasec
	if types.TypeByName(name, &section) == nil {
		for _, v := range section.Vars {
			names[v.Type.TypeName()] = true
		}
	}
	return names
}

// isExtern reports whether the type belongs to a variable or function that the object only
// declares.
func isExtern(typ btf.Type) bool {
	switch t := typ.(type) {
	case *btf.Var:
		return t.Linkage == btf.ExternVar
	case *btf.Func:
		return t.Linkage == btf.ExternFunc
	}
	return false
}

// resolver finds externs in the kernel.
type resolver struct {
	found   map[string]resolution
	names   []string      // of modules, in the order of their index, from 1
	modules []*btf.Handle // as names
}

// resolve finds all externs, except those of the configuration.
func (r *resolver) resolve(externs map[string]*extern) error {
	r.found = make(map[string]resolution)
	var untyped []string
	for _, name := range slices.Sorted(maps.Keys(externs)) {
		e := externs[name]
		switch t := e.typ.(type) {
		case *btf.Func:
			if err := r.function(e, t); err != nil {
				return fmt.Errorf("kfunc %s: %w", name, err)
			}
		case *btf.Var:
			if e.config {
				continue
			}
			if _, ok := btf.As[*btf.Void](t.Type); ok {
				untyped = append(untyped, name)
			} else if err := r.variable(e, t); err != nil {
				return fmt.Errorf("variable %s of the kernel: %w", name, err)
			}
		}
	}
	return r.symbols(externs, untyped)
}

func (r *resolver) function(e *extern, f *btf.Func) error {
	target, err := findInKernel[*btf.Func](essentialName(e.name), "")
	if err == nil {
		err = btf.CheckTypeCompatibility(f.Type, target.Type.Type)
		if err != nil {
			err = fmt.Errorf("it differs from this kernel's: %w", err)
		}
	}
	switch {
	case err != nil && e.weak && !errors.Is(err, errNoKernelTypes):
		r.found[e.name] = resolution{}
		return nil
	case err != nil:
		return err
	}
	return r.add(e.name, target.ID, target.Module)
}

func (r *resolver) variable(e *extern, v *btf.Var) error {
	target, err := findInKernel[*btf.Var](e.name, "")
	if errors.Is(err, btf.ErrNotFound) && e.weak {
		r.found[e.name] = resolution{}
		return nil
	}
	if err != nil {
		return err
	}
	if err := btf.CheckTypeCompatibility(v.Type, target.Type.Type); err != nil {
		return fmt.Errorf("it differs from this kernel's: %w", err)
	}
	return r.add(e.name, target.ID, target.Module)
}

// add records where an extern is, and opens its module.
func (r *resolver) add(name string, id btf.TypeID, module string) error {
	found := resolution{id: id}
	if module != "" {
		index := slices.Index(r.names, module)
		if index < 0 {
			handle, err := kernel.OpenModule(module)
			if err != nil {
				return err
			}
			index = len(r.names)
			r.names, r.modules = append(r.names, module), append(r.modules, handle)
		}
		found.module, found.fd = int16(index+1), r.modules[index].FD()
	}
	r.found[name] = found
	return nil
}

// symbols finds variables without a type among the symbols of the kernel and its modules.
// If the kernel hides addresses it uses 0, which is what libbpf reads then.
func (r *resolver) symbols(externs map[string]*extern, names []string) error {
	if len(names) == 0 {
		return nil
	}
	found, err := kernelSymbols(names...)
	if err != nil {
		return err
	}
	for _, name := range names {
		address, ok := found[name].Get()
		hidden := errors.Is(found[name].Why(), kernel.ErrHidden)
		weak := found[name].IsAbsent() && externs[name].weak
		if !ok && !hidden && !weak {
			return fmt.Errorf("symbol %s: %w", name, found[name].Why())
		}
		r.found[name] = resolution{address: address}
	}
	return nil
}

// fdArray returns the array of file descriptors that calls of modules' functions refer to
// by index; nil if no module's function is called.
func (r *resolver) fdArray() []int32 {
	if len(r.modules) == 0 {
		return nil
	}
	fds := make([]int32, 1, 1+len(r.modules))
	for _, m := range r.modules {
		fds = append(fds, int32(m.FD()))
	}
	return fds
}

func (r *resolver) close() {
	for _, m := range r.modules {
		m.Close()
	}
}

// essentialName returns a name without its CO-RE flavour, such as ___v2.
func essentialName(name string) string {
	if n := strings.LastIndex(name, "___"); n > 0 {
		return name[:n]
	}
	return name
}

// poisonKfunc replaces the id of a weak function that the kernel does not have: no helper
// has this number. The program is valid if the verifier finds the call dead.
const poisonKfunc = 0xdedc0de

// apply makes an instruction refer to where the kernel has the extern.
func (r resolution) apply(insn *asm.Instruction) {
	switch {
	case insn.OpCode.JumpOp() == asm.Call && r.id == 0:
		insn.Src, insn.Offset, insn.Constant = 0, 0, poisonKfunc
	case insn.OpCode.JumpOp() == asm.Call:
		insn.Src, insn.Offset, insn.Constant = asm.PseudoKfuncCall, r.module, int64(r.id)
	case r.id != 0:
		insn.Src, insn.Constant = unix.BPF_PSEUDO_BTF_ID, int64(r.id)|int64(r.fd)<<32
	default:
		insn.Src, insn.Constant = 0, int64(r.address)
	}
}
