package workload

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// nativeEndian is that of all the architectures that are supported.
var nativeEndian = binary.LittleEndian

// Prepared is a program in the form that the kernel takes, with the maps and whatever
// else it refers to. It is safe for concurrent use.
type Prepared struct {
	name   string
	attr   progLoadAttr // all but name and log
	close  func() error // nil: nothing to close
	closed sync.Once
}

// Close closes what Prepare made. No load may be under way, or follow.
func (p *Prepared) Close() (err error) {
	p.closed.Do(func() { err = p.close() })
	return err
}

// loadedObject is what an object's programs share while some are prepared.
type loadedObject struct {
	object     *object
	types      *btf.Handle // nil if the object has no BTF
	builder    *btf.Builder
	infos      map[string]extInfos // of the programs
	externs    resolver
	opsValues  map[string]kernelType[*btf.Struct]
	opsMembers map[string]member
	maps       map[string]*ebpf.Map // of .kconfig and struct_ops, too
}

// extInfos is what the BTF has of a program's functions and lines.
type extInfos struct {
	functions, lines []byte
}

// prepare encodes a generated program, which has neither maps nor relocations.
func prepare(spec *ebpf.ProgramSpec) (*Prepared, error) {
	insns, err := resolveKfuncs(spec.Instructions)
	if err != nil {
		return nil, err
	}
	var types btf.Builder
	infos, err := marshalInfos(insns, &types)
	if err != nil {
		return nil, err
	}
	p := &Prepared{name: spec.Name, close: func() error { return nil }}
	if err := p.encode(spec, insns); err != nil {
		return nil, err
	}
	if !types.Empty() {
		handle, err := btf.NewHandle(&types)
		if err != nil {
			return nil, fmt.Errorf("load function information: %w", err)
		}
		p.addInfos(handle, infos)
		p.close = handle.Close
	}
	return p, nil
}

// prepare makes a program of the object ready to be loaded.
func (o *object) prepare(s *Subject) (*Prepared, error) {
	if o.bigEndian {
		return nil, errors.New("the object is for a machine of the other byte order")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	loaded, err := o.acquire()
	if err != nil {
		return nil, s.failed(err)
	}
	p, err := loaded.prepare(s)
	if err != nil {
		return nil, s.failed(errors.Join(err, o.release()))
	}
	own := p.close
	p.close = func() error {
		o.mu.Lock()
		defer o.mu.Unlock()
		return errors.Join(own(), o.release())
	}
	return p, nil
}

// unlinkedError is an error before libbpf has put a program's functions together.
type unlinkedError struct{ error }

func (e unlinkedError) Unwrap() error { return e.error }

// failed notes how far the program came.
func (s *Subject) failed(err error) error {
	if _, ok := errors.AsType[unlinkedError](err); ok {
		s.InsnCount = s.entryCount
	}
	return err
}

// acquire returns what the object's programs share and counts a user of it.
func (o *object) acquire() (*loadedObject, error) {
	if o.loaded == nil {
		l := &loadedObject{object: o, maps: make(map[string]*ebpf.Map)}
		if err := l.load(); err != nil {
			return nil, errors.Join(err, l.close())
		}
		o.loaded = l
	}
	o.users++
	return o.loaded, nil
}

func (o *object) release() error {
	o.users--
	if o.users > 0 {
		return nil
	}
	l := o.loaded
	o.loaded = nil
	return l.close()
}

// load makes all that is not of one program, in libbpf's order.
func (l *loadedObject) load() error {
	if err := l.externs.resolve(l.object.externs); err != nil {
		return unlinkedError{err}
	}
	config, err := configData(l.object.externs)
	if err != nil {
		return unlinkedError{err}
	}
	if l.opsValues, l.opsMembers, err = resolveStructOps(l.object.structOps); err != nil {
		return unlinkedError{err}
	}
	if err := l.loadTypes(); err != nil {
		return err
	}
	if config != nil {
		if l.maps[kconfigSection], err = l.createConfig(config); err != nil {
			return fmt.Errorf("map %s: %w", kconfigSection, err)
		}
	}
	return l.createMaps()
}

// loadTypes loads the object's BTF: all of it but what it has of the kernel's.
func (l *loadedObject) loadTypes() error {
	if l.object.spec.Types == nil {
		return nil
	}
	var types []btf.Type
	for typ, err := range l.object.spec.Types.All() {
		if err != nil {
			return err
		}
		switch t := typ.(type) {
		case *btf.Void:
			continue
		case *btf.Datasec:
			if t.Name == hiddenKsyms || t.Name == hiddenKconfig {
				continue
			}
			// The kernel takes no question mark before 6.9 (1eb986746a67 "bpf: allow '?'
			// as first character of DATASEC name").
			t.Name = strings.Replace(t.Name, "?", "_", 1)
		case *btf.Func:
			if t.Linkage == btf.GlobalFunc && l.object.functions[t.Name].static {
				t.Linkage = btf.StaticFunc
			}
		}
		if !isExtern(typ) {
			types = append(types, typ)
		}
	}
	var err error
	if l.builder, err = btf.NewBuilder(types, nil); err != nil {
		return fmt.Errorf("encode BTF: %w", err)
	}
	l.infos = make(map[string]extInfos)
	for _, s := range l.object.subjects {
		if l.infos[s.Name], err = marshalInfos(s.spec.Instructions, l.builder); err != nil {
			return err
		}
	}
	l.types, err = btf.NewHandle(l.builder)
	if err != nil && len(l.object.structOps) > 0 {
		return fmt.Errorf("load BTF: %w", err)
	}
	// Where nothing depends on it, libbpf goes on without BTF that the kernel refuses.
	return nil
}

func (l *loadedObject) close() error {
	l.externs.close()
	errs := []error{l.types.Close()}
	for _, m := range l.maps {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}

// prepare makes a program ready to be loaded.
func (l *loadedObject) prepare(s *Subject) (_ *Prepared, err error) {
	if err := unsupported(s.spec); err != nil {
		return nil, err
	}
	p := &Prepared{name: s.Name}
	var own closers
	defer func() {
		if err != nil {
			err = errors.Join(err, own.close())
		}
	}()
	insns := slices.Clone(s.spec.Instructions)
	if err := relocate(insns, l.builder); err != nil {
		return nil, unlinkedError{fmt.Errorf("CO-RE: %w", err)}
	}
	if err := l.refer(insns, &own); err != nil {
		return nil, err
	}
	if err := p.encode(s.spec, insns); err != nil {
		return nil, err
	}
	if l.types != nil {
		p.addInfos(l.types, l.infos[s.Name])
	}
	if fds := l.externs.fdArray(); fds != nil {
		p.attr.fdArray = unsafe.Pointer(unsafe.SliceData(fds))
	}
	target, err := l.attach(s.spec, &p.attr)
	if err != nil {
		return nil, err
	}
	if target != nil {
		own = append(own, target)
	}
	s.setTypes(ebpf.AttachType(p.attr.expectedAttachType))
	p.close = own.close
	return p, nil
}

// unsupported says why there is no loading such a program.
func unsupported(spec *ebpf.ProgramSpec) error {
	if spec.Type == ebpf.UnspecifiedProgram {
		return fmt.Errorf("section %q is of no known program type", spec.SectionName)
	}
	return nil
}

// relocate applies the CO-RE relocations of the instructions, in place.
func relocate(insns asm.Instructions, types *btf.Builder) error {
	var (
		relocations []*btf.CORERelocation
		relocated   []int
	)
	for i := range insns {
		if r := btf.CORERelocationMetadata(&insns[i]); r != nil {
			relocations, relocated = append(relocations, r), append(relocated, i)
		}
	}
	if len(relocations) == 0 {
		return nil
	}
	targets, err := relocationTargets()
	if err != nil {
		return err
	}
	fixups, err := btf.CORERelocate(relocations, targets, nativeEndian, types.Add)
	if err != nil {
		return err
	}
	for n, f := range fixups {
		// libbpf takes 0 for the size and the id of a type that the kernel does not have.
		// The library makes an instruction of it that the verifier rejects.
		if text := f.String(); text == "type_size=poison" || text == "target_type_id=poison" {
			insns[relocated[n]].Constant = 0
			continue
		}
		insn := &insns[relocated[n]]
		name := insn.Symbol()
		if err := f.Apply(insn); err != nil {
			return fmt.Errorf("%v: %w", relocations[n], err)
		}
		if name != "" {
			*insn = insn.WithSymbol(name) // lost where it is made one to be rejected
		}
	}
	return nil
}

// refer makes the instructions refer to maps and externs, in place. Maps of the
// program's own are added to own.
func (l *loadedObject) refer(insns asm.Instructions, own *closers) error {
	mine := make(map[string]*ebpf.Map)
	var moved int64 // the function from its section to the program, in instructions
	for iter := insns.Iterate(); iter.Next(); {
		insn := iter.Ins
		if function := insn.Symbol(); function != "" {
			moved = int64(iter.Offset) - int64(l.object.functions[function].offset/asm.InstructionSize)
		}
		name := insn.Reference()
		if name == "" {
			continue
		}
		if e := l.object.externs[name]; e != nil {
			if !e.config {
				l.externs.found[name].apply(insn)
				continue
			}
			insn.Src, insn.Constant = asm.PseudoMapValue, int64(e.offset)<<32
			name = kconfigSection
		}
		if table, ok := l.object.tables[name]; ok {
			insn.Src = asm.PseudoMapValue
			if mine[name] == nil {
				m, err := table.create(moved)
				if err != nil {
					return err
				}
				mine[name] = m
				*own = append(*own, m)
			}
		}
		if !insn.IsLoadFromMap() {
			continue
		}
		m, err := l.mapOf(name, mine, own)
		if err != nil {
			return fmt.Errorf("map %s: %w", name, err)
		}
		if err := insn.AssociateMap(m); err != nil {
			return fmt.Errorf("map %s: %w", name, err)
		}
	}
	return nil
}

// mapOf is the map of that name: one of the program's own, which may have to be made,
// or the object's.
func (l *loadedObject) mapOf(name string, mine map[string]*ebpf.Map, own *closers) (*ebpf.Map, error) {
	if m := mine[name]; m != nil {
		return m, nil
	}
	if name == hiddenArena {
		return l.arena()
	}
	spec, shared := l.object.spec.Maps[name], l.maps[name]
	if shared == nil {
		return nil, errors.New("the object has none")
	}
	if spec == nil || !dedicated(spec.Type) {
		return shared, nil
	}
	m, err := l.createMap(spec, maxEntries(spec))
	if err != nil {
		return nil, err
	}
	mine[name] = m
	*own = append(*own, m)
	return m, nil
}

// closers are closed together.
type closers []interface{ Close() error }

func (c closers) close() error {
	var errs []error
	for _, closer := range c {
		errs = append(errs, closer.Close())
	}
	return errors.Join(errs...)
}

// encode fills in what the instructions and the spec say.
func (p *Prepared) encode(spec *ebpf.ProgramSpec, insns asm.Instructions) error {
	code, err := encode(insns)
	if err != nil {
		return err
	}
	license, err := unix.BytePtrFromString(spec.License)
	if err != nil {
		return fmt.Errorf("license: %w", err)
	}
	p.attr = progLoadAttr{
		progType:           uint32(spec.Type),
		insnCount:          uint32(len(code) / asm.InstructionSize),
		insns:              unsafe.Pointer(unsafe.SliceData(code)),
		license:            unsafe.Pointer(license),
		kernVersion:        spec.KernelVersion,
		progFlags:          spec.Flags,
		progIfindex:        spec.Ifindex,
		expectedAttachType: uint32(spec.AttachType),
	}
	return nil
}

func encode(insns asm.Instructions) ([]byte, error) {
	code := bytes.NewBuffer(make([]byte, 0, insns.Size()))
	if err := insns.Marshal(code, nativeEndian); err != nil {
		return nil, fmt.Errorf("encode instructions: %w", err)
	}
	restoreOffsets(code.Bytes(), insns)
	return code.Bytes(), nil
}

// restoreOffsets writes the offsets of arithmetic instructions, which the library
// leaves out: that of a move tells a cast from one address space to another.
func restoreOffsets(code []byte, insns asm.Instructions) {
	for iter := insns.Iterate(); iter.Next(); {
		if iter.Ins.Offset != 0 && iter.Ins.OpCode.Class().IsALU() {
			nativeEndian.PutUint16(code[iter.Offset.Bytes()+2:], uint16(iter.Ins.Offset))
		}
	}
}

// marshalInfos encodes what the instructions have of functions and lines, and adds
// what that refers to to the types.
func marshalInfos(insns asm.Instructions, types *btf.Builder) (extInfos, error) {
	functions, lines, err := btf.MarshalExtInfos(insns, types)
	if err != nil {
		return extInfos{}, fmt.Errorf("encode function information: %w", err)
	}
	return extInfos{functions, lines}, nil
}

// addInfos adds the functions and lines of a program, and its types.
func (p *Prepared) addInfos(types *btf.Handle, infos extInfos) {
	p.attr.progBTF = uint32(types.FD())
	p.attr.funcInfoSize = btf.FuncInfoSize
	p.attr.funcInfo = unsafe.Pointer(unsafe.SliceData(infos.functions))
	p.attr.funcInfoCount = uint32(len(infos.functions)) / btf.FuncInfoSize
	p.attr.lineInfoSize = btf.LineInfoSize
	p.attr.lineInfo = unsafe.Pointer(unsafe.SliceData(infos.lines))
	p.attr.lineInfoCount = uint32(len(infos.lines)) / btf.LineInfoSize
}
