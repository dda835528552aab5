package object

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/tracer/record"
)

// Options change how an object is opened.
type Options struct {
	// Globals are set in the object's global variables before anything is loaded,
	// in their order.
	Globals []Global
}

// object is what the programs of an object file share.
type object struct {
	bigEndian bool
	spec      *ebpf.CollectionSpec
	programs  []*program
	functions map[string]symbol
	externs   map[string]*extern
	structOps []structOps
	tables    map[string]jumpTable

	mu     sync.Mutex
	loaded *loadedObject // nil while nothing of it is prepared
	users  int           // of loaded
}

// symbol is what the ELF file says of a function.
type symbol struct {
	section elf.SectionIndex
	offset  uint64
	// static tells that the function is global but not visible, which libbpf turns
	// into a static one: the verifier does not verify it on its own then.
	static bool
}

// Open returns the programs of a BPF object file in the order of the file,
// those of sections marked optional (SEC("?...")) included. It reads the file alone
// and needs no privilege. Errors are those of a file that is not a readable BPF
// object, or of Globals that it does not have.
//
// Programs are put together as libbpf does it, so that the verifier does the same
// with them: functions in the order in which they are first called, the BTF of the
// whole object for maps and programs, and all maps and externs of the object there,
// even those that a program does not use.
func Open(path string, o Options) ([]load.Subject, error) {
	image, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(image)
	obj, err := readObject(image)
	if err != nil {
		return nil, fmt.Errorf("%s is not a readable BPF object: %w", path, err)
	}
	if err := obj.setGlobals(o.Globals); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	subjects := make([]load.Subject, len(obj.programs))
	for i, p := range obj.programs {
		p.known.File, p.known.Path = filepath.Base(path), path
		p.known.SHA256 = hex.EncodeToString(hash[:])
		subjects[i] = p
	}
	return subjects, nil
}

// readObject reads the image of an object, and changes it.
func readObject(image []byte) (*object, error) {
	file, err := elf.NewFile(bytes.NewReader(image))
	if _, ok := errors.AsType[*elf.FormatError](err); ok {
		return nil, errors.New("it is no ELF file")
	}
	if err != nil {
		return nil, err
	}
	if file.Class != elf.ELFCLASS64 {
		return nil, fmt.Errorf("it is of %v", file.Class)
	}
	symbols, err := file.Symbols()
	if err != nil {
		return nil, err
	}
	obj := &object{bigEndian: file.ByteOrder != load.NativeEndian}
	if !obj.bigEndian {
		if err := hide(image, file); err != nil {
			return nil, err
		}
	}
	if obj.spec, err = ebpf.LoadCollectionSpecFromReader(bytes.NewReader(image)); err != nil {
		return nil, err
	}
	obj.functions = functions(file, symbols)
	if obj.tables, err = readJumpTables(file, symbols); err != nil {
		return nil, err
	}
	if err := obj.readTypes(file, symbols); err != nil {
		return nil, err
	}
	if err := obj.addPrograms(); err != nil {
		return nil, err
	}
	if len(obj.programs) == 0 {
		return nil, errors.New("it has no programs")
	}
	return obj, nil
}

// functions are the functions of the file by name: the library does not take two of
// the same name.
func functions(file *elf.File, symbols []elf.Symbol) map[string]symbol {
	all := make(map[string]symbol)
	for _, s := range symbols {
		if int(s.Section) >= len(file.Sections) || file.Sections[s.Section].Flags&elf.SHF_EXECINSTR == 0 {
			continue
		}
		if kind := elf.ST_TYPE(s.Info); kind != elf.STT_FUNC && kind != elf.STT_NOTYPE {
			continue
		}
		visible := elf.ST_VISIBILITY(s.Other) == elf.STV_DEFAULT || elf.ST_VISIBILITY(s.Other) == elf.STV_PROTECTED
		all[s.Name] = symbol{
			section: s.Section,
			offset:  s.Value,
			static:  !visible && file.Sections[s.Section].Name == textSection,
		}
	}
	return all
}

// readTypes reads what the library does not, from the object's BTF.
func (o *object) readTypes(file *elf.File, symbols []elf.Symbol) error {
	if o.bigEndian || o.spec.Types == nil {
		return nil
	}
	var err error
	if o.externs, err = readExterns(o.spec.Types, symbols); err != nil {
		return err
	}
	o.structOps, err = readStructOps(o.spec.Types, file, symbols)
	return err
}

// addPrograms makes the programs, in the order of the file.
func (o *object) addPrograms() error {
	for name, spec := range o.spec.Programs {
		if spec.SectionName == hiddenText {
			continue
		}
		callback, err := o.exceptionCallback(spec)
		if err != nil {
			return fmt.Errorf("program %s: %w", name, err)
		}
		spec.Instructions = callOrder(spec.Instructions, callback)
		p := &program{
			object:     o,
			spec:       spec,
			known:      record.Program{Name: name, InsnCount: count(spec.Instructions)},
			entryCount: count(splitFunctions(spec.Instructions)[name]),
		}
		limitSection(spec)
		setMulti(spec)
		guessExtension(spec, o.spec.Types)
		p.setTypes(spec.AttachType)
		o.programs = append(o.programs, p)
	}
	slices.SortFunc(o.programs, func(a, b *program) int {
		f, g := o.functions[a.known.Name], o.functions[b.known.Name]
		return cmp.Or(cmp.Compare(f.section, g.section), cmp.Compare(f.offset, g.offset))
	})
	return nil
}

// exceptionCallback is the function, with those that it calls, that the kernel calls
// when the program throws. It is nil for most, and for a program with several, which
// the verifier rejects.
func (o *object) exceptionCallback(spec *ebpf.ProgramSpec) (asm.Instructions, error) {
	const tag = "exception_callback:"
	entry := btf.FuncMetadata(&spec.Instructions[0])
	if entry == nil {
		return nil, nil
	}
	var names []string
	for _, t := range entry.Tags {
		if name, ok := strings.CutPrefix(t, tag); ok {
			names = append(names, name)
		}
	}
	if len(names) != 1 {
		return nil, nil
	}
	callback := o.spec.Programs[names[0]]
	if callback == nil || callback.SectionName != hiddenText || o.functions[names[0]].static {
		return nil, fmt.Errorf("its exception callback %s is no global function of the object", names[0])
	}
	return callback.Instructions, nil
}

// callOrder orders the functions of a program as libbpf does: each is appended when it is
// first called, and what it calls itself comes before what its caller calls next. The
// verifier verifies in that order. The exception callback, if there is one, comes last.
func callOrder(program, callback asm.Instructions) asm.Instructions {
	bodies := splitFunctions(slices.Concat(program, callback))
	linked := make(asm.Instructions, 0, len(program)+len(callback))
	done := make(map[string]bool)
	var walk func(name string)
	walk = func(name string) {
		if bodies[name] == nil || done[name] {
			return
		}
		done[name] = true
		linked = append(linked, bodies[name]...)
		for _, insn := range bodies[name] {
			if insn.IsFunctionReference() {
				walk(insn.Reference())
			}
		}
	}
	walk(program.Name())
	if callback != nil {
		walk(callback.Name())
	}
	return linked
}

// splitFunctions splits instructions at the beginnings of functions.
func splitFunctions(insns asm.Instructions) map[string]asm.Instructions {
	bodies := make(map[string]asm.Instructions)
	for at := 0; at < len(insns); {
		end := at + 1
		for end < len(insns) && insns[end].Symbol() == "" {
			end++
		}
		bodies[insns[at].Symbol()] = insns[at:end]
		at = end
	}
	return bodies
}

// count is the number of instructions as the kernel counts them.
func count(insns asm.Instructions) int {
	return int(insns.Size() / asm.InstructionSize)
}
