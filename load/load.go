package load

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/tracer/record"
)

const (
	// logSize is enough for the statistics and an error, and a line for every global
	// function. A log that does not fit would end the load with ENOSPC.
	logSize = 1 << 20
	// attempts is how often a load that ends with EAGAIN is tried, as in libbpf.
	attempts = 5
)

// MaxLogSize is the largest log in bytes that the kernel accepts, since Linux 5.2.
const MaxLogSize = math.MaxUint32 >> 2

// Levels of the verifier's log.
const (
	LogBasic = 1 // the path that failed
	LogAll   = 2 // all that the verifier does
	LogFixed = record.LogFixed
)

// Options change how a program is loaded.
type Options struct {
	// Interruptible leaves signals unblocked: a signal that arrives during the
	// verification restarts it, up to four times; then the load ends with EAGAIN.
	Interruptible bool
	// Name is the program's name in the kernel, 15 bytes at most; empty: the program's own,
	// cut to that length.
	Name string
	// Flags, such as BPF_F_TEST_STATE_FREQ, are OR-ed to those of the program.
	Flags uint32
	// LogLevel is OR-ed to the level of the statistics: see [LogBasic].
	LogLevel uint32
	// NoLog asks for no log: there are no statistics then, and an accepted program is an
	// error.
	NoLog bool
	// LogSize is the size of the log buffer in bytes, up to [MaxLogSize]; 0: 1 MiB.
	LogSize int
	// Counters are those of the calling thread; nil: Load counts nothing.
	Counters *Counters
}

// Load prepares the program as [Prepare] does, loads it once, and closes it. It needs
// CAP_BPF, and the capabilities that the program's type needs.
//
// If the kernel rejects the program, Load returns no error: see Stats.Errno. It returns an
// error if it cannot make the call, such as for a kfunc that the running kernel does not
// have, or cannot read the log.
func Load(spec *ebpf.ProgramSpec, options Options) (Stats, error) {
	p, err := Prepare(spec)
	if err != nil {
		return Stats{}, err
	}
	defer p.Close()
	return p.Load(options)
}

func (p *prepared) Load(options Options) (Stats, error) {
	name := options.Name
	if name == "" {
		name = p.name[:min(len(p.name), unix.BPF_OBJ_NAME_LEN-1)]
	}
	measured, log, err := p.loadLog(name, options)
	if err != nil {
		return Stats{}, fmt.Errorf("load %s: %w", name, err)
	}
	whole := log
	if measured.LogCut {
		whole = log[:strings.LastIndexByte(log, '\n')+1] // a number at the end may lack digits
	}
	stats, err := ParseStats(whole)
	if err != nil && (!errors.Is(err, ErrNoStats) || measured.Errno == 0) {
		return Stats{}, fmt.Errorf("load %s: %w", name, err)
	}
	stats.Errno, stats.Restarts, stats.Wall = measured.Errno, measured.Restarts, measured.Wall
	if stats.Errno != 0 && stats.MaxStackDepth != nil && *stats.MaxStackDepth == 0 {
		stats.MaxStackDepth = nil // the kernel did not come to it
	}
	stats.ProgSize, stats.ProgSizeJited = int(p.attr.insnCount), measured.ProgSizeJited
	stats.Inputs, stats.Counters = measured.Inputs, measured.Counters
	if options.LogLevel != 0 || stats.Errno != 0 {
		stats.Log, stats.LogCut = log, measured.LogCut
	}
	return stats, nil
}

// loadLog loads the program under a name, once. It returns what the loader measured, and
// the log.
func (p *prepared) loadLog(name string, options Options) (measured Stats, log string, err error) {
	attr := p.attr
	if len(name) >= len(attr.progName) {
		return Stats{}, "", fmt.Errorf("name is longer than %d bytes", len(attr.progName)-1)
	}
	copy(attr.progName[:], name)
	size := options.LogSize
	if size == 0 {
		size = logSize
	}
	if size < 0 || size > MaxLogSize {
		return Stats{}, "", fmt.Errorf("a log of %d bytes: the kernel takes up to %d", size, MaxLogSize)
	}
	buf := make([]byte, size)
	// Without this, page faults of a new buffer would be counted with the verifier's.
	for i := 0; i < len(buf); i += 4096 {
		buf[i] = 0
	}
	attr.progFlags |= options.Flags
	if !options.NoLog {
		attr.logLevel, attr.logSize = logLevelStats|options.LogLevel, uint32(size)
		attr.log = unsafe.Pointer(unsafe.SliceData(buf))
	}

	if options.Interruptible {
		measured, err = attr.measure(options.Counters)
	} else {
		measured, err = attr.measureUninterrupted(options.Counters)
	}
	if err != nil {
		return Stats{}, "", err
	}
	runtime.KeepAlive(p)
	log = unix.ByteSliceToString(buf)
	measured.LogCut = len(log) == size-1
	return measured, log, nil
}

func (a *progLoadAttr) measureUninterrupted(counters *Counters) (Stats, error) {
	restore, err := blockSignals()
	if err != nil {
		return Stats{}, err
	}
	defer restore()
	return a.measure(counters)
}

// measure loads the program and closes it. The Stats, counters included, are those of the
// last try: a try that a signal ended leaves only its count in Restarts.
func (a *progLoadAttr) measure(counters *Counters) (Stats, error) {
	s := Stats{Inputs: a.inputs()}
	for {
		if err := counters.start(); err != nil {
			return Stats{}, err
		}
		start := time.Now()
		fd, errno := a.load()
		s.Wall = time.Since(start)
		var err error
		s.Counters, err = counters.stop()
		s.Errno = errno
		if errno == 0 {
			var infoErr error
			s.ProgSizeJited, infoErr = jitedLen(fd)
			unix.Close(fd)
			if infoErr != nil {
				return Stats{}, fmt.Errorf("information of the program: %w", infoErr)
			}
		}
		if err != nil {
			return Stats{}, err
		}
		if errno != unix.EAGAIN || s.Restarts == attempts-1 {
			return s, nil
		}
		s.Restarts++
	}
}
