package object

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/cilium/ebpf"

	"github.com/verialloc/verialloc/internal/input"
	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/tracer/record"
)

// Options change how an object is opened.
type Options struct {
	// Globals set global variables of the object, in this order, before anything is
	// loaded. The object must have each of them.
	Globals []Global
}

// object is an object file.
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

// Open returns the programs of a BPF object file in the order of the file, those of
// sections marked optional (SEC("?...")) included. It only reads the file, once, so
// that may be a pipe, and needs no privilege. It returns an error if the file is not a
// readable BPF object, or if the object does not have one of the Globals, which then matches
// ErrGlobals.
//
// Programs are put together as libbpf does it, so that the verifier treats them alike:
// functions are in the order in which they are first called, maps and programs have the BTF
// of the whole object, and all maps and externs of the object exist, even those that a
// program does not use.
//
// The programs may be prepared by any goroutine, but not described while one of them is
// being prepared.
func Open(path string, o Options) ([]load.Subject, error) {
	image, err := input.Object.ReadFile(path)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(image)
	obj, err := readGuarded(image)
	if err != nil {
		return nil, fmt.Errorf("%s is not a readable BPF object: %w", path, err)
	}
	if err := obj.setGlobals(o.Globals); err != nil {
		return nil, globalsError{fmt.Errorf("%s: %w", path, err)}
	}
	subjects := make([]load.Subject, len(obj.programs))
	for i, p := range obj.programs {
		p.known.File, p.known.Path = filepath.Base(path), path
		p.known.SHA256 = hex.EncodeToString(hash[:])
		subjects[i] = p
	}
	return subjects, nil
}

func readGuarded(image []byte) (_ *object, err error) {
	defer guard(&err)
	return readObject(image)
}

// ErrNoPrograms is what Open's error matches for an object that could be read, but has no
// program to load.
var ErrNoPrograms = errors.New("it has no programs")

// ErrGlobals is what Open's error matches for an object that could be read, but whose
// variables cannot be set as Options.Globals say.
var ErrGlobals = errors.New("its variables cannot be set so")

// globalsError matches ErrGlobals, whose words say nothing that its own do not.
type globalsError struct{ error }

func (e globalsError) Unwrap() error        { return e.error }
func (e globalsError) Is(target error) bool { return target == ErrGlobals }

// readObject reads the image of an object. It changes the image.
func readObject(image []byte) (*object, error) {
	file, err := readHeaders(image)
	if err != nil {
		return nil, err
	}
	symbols, err := file.Symbols()
	if err != nil {
		return nil, err
	}
	if err := validateSymbols(file, symbols); err != nil {
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
	if !obj.bigEndian {
		if err := validateTypes(image, file); err != nil {
			return nil, err
		}
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
		return nil, ErrNoPrograms
	}
	return obj, nil
}

// readTypes reads what the library does not read from the object's BTF.
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

// addPrograms adds the programs in the order of the file.
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
		if !o.bigEndian {
			guessExtension(spec, o.spec.Types)
		}
		p.setTypes(spec.AttachType)
		o.programs = append(o.programs, p)
	}
	slices.SortFunc(o.programs, func(a, b *program) int {
		f, g := o.functions[a.known.Name], o.functions[b.known.Name]
		return cmp.Or(cmp.Compare(f.section, g.section), cmp.Compare(f.offset, g.offset))
	})
	return nil
}
