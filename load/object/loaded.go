package object

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/load"
)

// loadedObject is what the programs of an object share while some of them are prepared.
type loadedObject struct {
	object     *object
	types      *btf.Handle // nil if the object has no BTF
	builder    *btf.Builder
	infos      map[string]load.Infos // of the programs
	externs    resolver
	config     []byte // contents of the map .kconfig; nil: there is none
	opsValues  map[string]kernel.Found[*btf.Struct]
	opsMembers map[string]member
	maps       map[string]*ebpf.Map // those of .kconfig and struct_ops included
}

// prepare makes a program of the object ready to be loaded.
func (o *object) prepare(p *program) (load.Prepared, error) {
	if o.bigEndian {
		return nil, errors.New("the object is for a machine of the other byte order")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	loaded, err := o.acquire()
	if err != nil {
		return nil, p.failed(err)
	}
	var own closers
	release := func() error {
		o.mu.Lock()
		defer o.mu.Unlock()
		return errors.Join(own.close(), o.release())
	}
	prepared, err := loaded.prepareGuarded(p, &own, release)
	if err != nil {
		return nil, p.failed(errors.Join(err, own.close(), o.release()))
	}
	return prepared, nil
}

// prepareGuarded makes a program ready. It adds to own as prepare does; a panic is an error
// like any other, so that who calls it lets go of what is shared.
func (l *loadedObject) prepareGuarded(p *program, own *closers, release func() error) (_ load.Prepared, err error) {
	defer guard(&err)
	attr, err := l.prepare(p, own)
	if err != nil {
		return nil, err
	}
	return load.New(attr, release)
}

// unlinkedError is an error at a point where libbpf has not yet put the functions of a
// program together.
type unlinkedError struct{ error }

func (e unlinkedError) Unwrap() error { return e.error }

// failed sets the program's instruction count after an error.
func (p *program) failed(err error) error {
	if _, ok := errors.AsType[unlinkedError](err); ok {
		p.known.InsnCount = p.entryCount
	}
	return err
}

// acquire returns what the programs share, and counts one more user of it.
func (o *object) acquire() (*loadedObject, error) {
	if o.loaded == nil {
		l := &loadedObject{object: o, maps: make(map[string]*ebpf.Map)}
		if err := l.loadGuarded(); err != nil {
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

// loadGuarded is load whose panic is an error, so that what was created can be closed.
func (l *loadedObject) loadGuarded() (err error) {
	defer guard(&err)
	return l.load()
}

// load creates everything that the programs share, in libbpf's order.
func (l *loadedObject) load() error {
	if err := l.resolve(); err != nil {
		return unlinkedError{err}
	}
	if err := l.buildTypes(); err != nil {
		return err
	}
	if err := l.loadTypes(); err != nil {
		return err
	}
	if l.config != nil {
		var err error
		if l.maps[kconfigSection], err = l.createConfig(l.config); err != nil {
			return fmt.Errorf("map %s: %w", kconfigSection, err)
		}
	}
	return l.createMaps()
}

// resolve finds in the kernel what the object refers to. It creates nothing.
func (l *loadedObject) resolve() error {
	if err := l.externs.resolve(l.object.externs); err != nil {
		return err
	}
	var err error
	if l.config, err = configData(l.object.externs); err != nil {
		return err
	}
	l.opsValues, l.opsMembers, err = resolveStructOps(l.object.structOps)
	return err
}

// buildTypes puts together the object's BTF without its externs, and what of it the
// programs refer to.
func (l *loadedObject) buildTypes() error {
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
			// Before 6.9 the kernel refuses a question mark (1eb986746a67 "bpf: allow '?'
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
	l.infos = make(map[string]load.Infos)
	for _, p := range l.object.programs {
		if l.infos[p.known.Name], err = load.MarshalInfos(p.spec.Instructions, l.builder); err != nil {
			return err
		}
	}
	return nil
}

// loadTypes gives the kernel the object's BTF.
func (l *loadedObject) loadTypes() error {
	if l.builder == nil {
		return nil
	}
	var err error
	l.types, err = btf.NewHandle(l.builder)
	if err != nil && len(l.object.structOps) > 0 {
		return fmt.Errorf("load BTF: %w", err)
	}
	// libbpf continues without BTF that the kernel refuses, unless struct_ops need it.
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

// prepare returns the attributes of a program. It adds to own what must stay open until
// the last load, also if it returns an error.
func (l *loadedObject) prepare(p *program, own *closers) (load.Attr, error) {
	if p.spec.Type == ebpf.UnspecifiedProgram {
		return load.Attr{}, fmt.Errorf("section %q is of no known program type", p.spec.SectionName)
	}
	insns := slices.Clone(p.spec.Instructions)
	if err := relocate(insns, l.builder); err != nil {
		return load.Attr{}, unlinkedError{fmt.Errorf("CO-RE: %w", err)}
	}
	if err := l.refer(insns, own); err != nil {
		return load.Attr{}, err
	}
	attr, err := load.AttrOf(p.spec, insns)
	if err != nil {
		return load.Attr{}, err
	}
	attr.Name = p.known.Name
	attr.Types, attr.Infos = l.types, l.infos[p.known.Name]
	attr.FDs = l.externs.fdArray()
	if err := l.attach(p.spec, &attr); err != nil {
		return load.Attr{}, err
	}
	if attr.AttachModule != nil {
		*own = append(*own, attr.AttachModule)
	}
	p.setTypes(attr.AttachType)
	return attr, nil
}

// closers are files that are closed together.
type closers []interface{ Close() error }

func (c closers) close() error {
	var errs []error
	for _, closer := range c {
		errs = append(errs, closer.Close())
	}
	return errors.Join(errs...)
}
