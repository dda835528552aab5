package workload

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

const (
	// logSize is ample for the statistics and an error, a line for every global
	// function included. A log that does not fit would end the load with ENOSPC.
	logSize = 1 << 20
	// attempts is how often a load is made that ends with EAGAIN, the same as in
	// libbpf.
	attempts = 5
)

// Options change how a program is loaded.
type Options struct {
	// Interruptible leaves signals unblocked: one that arrives during the
	// verification restarts it, up to four times; then the load ends with EAGAIN.
	Interruptible bool
	// Name is the name that the kernel is given, 15 bytes at most; empty: the
	// program's own, shortened.
	Name string
	// LogLevel is OR-ed to the level of the statistics: 1 and 2 give a trace of the
	// verification, 8 a log that keeps its beginning.
	LogLevel uint32
	// LogSize is the size of the log's buffer in bytes; 0: 1 MiB.
	LogSize int
	// Counters are those of the calling thread; nil: none are taken.
	Counters *Counters
}

// Prepared is a program in the form that the kernel takes, with the maps and whatever
// else it refers to. It is safe for concurrent use.
type Prepared struct{ prepared }

// Prepare makes what the program refers to: maps, relocations and targets. An error
// says why the program cannot be loaded at all.
func (s *Subject) Prepare() (*Prepared, error) { return nil, errors.ErrUnsupported }

// Load loads the program, once, and closes it. That the verifier rejects it is no
// error but the Errno of the Stats.
func (p *Prepared) Load(o Options) (Stats, error) { return Stats{}, errors.ErrUnsupported }

// Close closes what Prepare made.
func (p *Prepared) Close() error { return nil }

// Load loads the program, once, and closes it. It needs CAP_BPF and what the
// program's type asks for besides.
//
// That the kernel rejects the program is no error but the Errno of the Stats.
// Load returns an error if it cannot make the call, such as for a kfunc that the
// running kernel does not have, or cannot read its log.
//
// Of the spec it takes the name, type, attach type, flags, license and
// instructions, which may not refer to maps.
func Load(spec *ebpf.ProgramSpec, options Options) (Stats, error) {
	p, err := prepare(spec)
	if err != nil {
		return Stats{}, fmt.Errorf("prepare %s: %w", spec.Name, err)
	}
	defer p.close()
	return p.load(spec.Name, options)
}

// prepared is a program in the form that the kernel takes, for any number of
// loads at once.
type prepared struct {
	attr     progLoadAttr // all but name and log
	funcInfo *btf.Handle  // nil without function information
}

// prepare encodes the program and loads its function information.
func prepare(spec *ebpf.ProgramSpec) (*prepared, error) {
	insns, err := resolveKfuncs(spec.Instructions)
	if err != nil {
		return nil, err
	}
	code, err := encode(insns)
	if err != nil {
		return nil, err
	}
	license, err := unix.BytePtrFromString(spec.License)
	if err != nil {
		return nil, fmt.Errorf("license: %w", err)
	}
	p := &prepared{attr: progLoadAttr{
		progType:           uint32(spec.Type),
		insnCount:          uint32(len(code) / asm.InstructionSize),
		insns:              unsafe.Pointer(unsafe.SliceData(code)),
		license:            unsafe.Pointer(license),
		progFlags:          spec.Flags,
		expectedAttachType: uint32(spec.AttachType),
		logLevel:           logLevelStats,
		logSize:            logSize,
	}}
	return p, p.addFuncInfo(insns)
}

func encode(insns asm.Instructions) ([]byte, error) {
	buf := bytes.NewBuffer(make([]byte, 0, insns.Size()))
	// Little-endian, as all the architectures that are supported.
	if err := insns.Marshal(buf, binary.LittleEndian); err != nil {
		return nil, fmt.Errorf("encode instructions: %w", err)
	}
	return buf.Bytes(), nil
}

// addFuncInfo adds the types of the functions, where the instructions have them.
func (p *prepared) addFuncInfo(insns asm.Instructions) error {
	var types btf.Builder
	info, _, err := btf.MarshalExtInfos(insns, &types)
	if err != nil {
		return fmt.Errorf("encode function information: %w", err)
	}
	if len(info) == 0 {
		return nil
	}
	if p.funcInfo, err = btf.NewHandle(&types); err != nil {
		return fmt.Errorf("load function information: %w", err)
	}
	p.attr.progBTF = uint32(p.funcInfo.FD())
	p.attr.funcInfoSize = btf.FuncInfoSize
	p.attr.funcInfo = unsafe.Pointer(unsafe.SliceData(info))
	p.attr.funcInfoCount = uint32(len(info)) / btf.FuncInfoSize
	return nil
}

func (p *prepared) close() {
	p.funcInfo.Close()
}

// load loads the program under a name, once.
func (p *prepared) load(name string, options Options) (Stats, error) {
	measured, log, err := p.loadLog(name, options)
	if err != nil {
		return Stats{}, fmt.Errorf("load %s: %w", name, err)
	}
	stats, err := ParseStats(log)
	if err != nil && (!errors.Is(err, ErrNoStats) || measured.Errno == 0) {
		return Stats{}, fmt.Errorf("load %s: %w", name, err)
	}
	stats.Errno, stats.Restarts, stats.Wall = measured.Errno, measured.Restarts, measured.Wall
	return stats, nil
}

// loadLog loads the program under a name, once. The Stats are the loader's part
// only, the log has the verifier's.
func (p *prepared) loadLog(name string, options Options) (measured Stats, log string, err error) {
	attr := p.attr
	if len(name) >= len(attr.progName) {
		return Stats{}, "", fmt.Errorf("name is longer than %d bytes", len(attr.progName)-1)
	}
	copy(attr.progName[:], name)
	buf := make([]byte, attr.logSize)
	attr.log = unsafe.Pointer(unsafe.SliceData(buf))

	if options.Interruptible {
		measured = attr.measure()
	} else if measured, err = attr.measureUninterrupted(); err != nil {
		return Stats{}, "", err
	}
	runtime.KeepAlive(p)
	return measured, unix.ByteSliceToString(buf), nil
}

func (a *progLoadAttr) measureUninterrupted() (Stats, error) {
	restore, err := blockSignals()
	if err != nil {
		return Stats{}, err
	}
	defer restore()
	return a.measure(), nil
}

// measure loads the program and closes it.
func (a *progLoadAttr) measure() Stats {
	var s Stats
	for {
		start := time.Now()
		fd, errno := a.load()
		s.Wall = time.Since(start)
		s.Errno = errno
		if errno == 0 {
			unix.Close(fd)
		}
		if errno != unix.EAGAIN || s.Restarts == attempts-1 {
			return s
		}
		s.Restarts++
	}
}
