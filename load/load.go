package load

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

const (
	// logSize is ample for the statistics and an error, a line for every global
	// function included. A log that does not fit would end the load with ENOSPC.
	logSize = 1 << 20
	// maxLogSize is what the kernel takes.
	maxLogSize = math.MaxUint32 >> 2
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
	// Flags are OR-ed to the program's own, such as BPF_F_TEST_STATE_FREQ.
	Flags uint32
	// LogLevel is OR-ed to the level of the statistics: 1 and 2 give a trace of the
	// verification, 8 a log that keeps its beginning.
	LogLevel uint32
	// LogSize is the size of the log's buffer in bytes; 0: 1 MiB.
	LogSize int
	// Counters are those of the calling thread; nil: none are taken.
	Counters *Counters
}

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
	stats, err := ParseStats(log)
	if err != nil && (!errors.Is(err, ErrNoStats) || measured.Errno == 0) {
		return Stats{}, fmt.Errorf("load %s: %w", name, err)
	}
	stats.Errno, stats.Restarts, stats.Wall = measured.Errno, measured.Restarts, measured.Wall
	stats.ProgSize, stats.ProgSizeJited = int(p.attr.insnCount), measured.ProgSizeJited
	stats.Counters = measured.Counters
	if options.LogLevel != 0 || stats.Errno != 0 {
		stats.Log = log
	}
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
	size := options.LogSize
	if size == 0 {
		size = logSize
	}
	if size < 0 || size > maxLogSize {
		return Stats{}, "", fmt.Errorf("a log of %d bytes: the kernel takes up to %d", size, maxLogSize)
	}
	buf := make([]byte, size)
	// The page faults of a buffer that was never written are not the verifier's.
	for i := 0; i < len(buf); i += 4096 {
		buf[i] = 0
	}
	attr.progFlags |= options.Flags
	attr.logLevel, attr.logSize = logLevelStats|options.LogLevel, uint32(size)
	attr.log = unsafe.Pointer(unsafe.SliceData(buf))

	if options.Interruptible {
		measured, err = attr.measure(options.Counters)
	} else {
		measured, err = attr.measureUninterrupted(options.Counters)
	}
	if err != nil {
		return Stats{}, "", err
	}
	runtime.KeepAlive(p)
	return measured, unix.ByteSliceToString(buf), nil
}

func (a *progLoadAttr) measureUninterrupted(counters *Counters) (Stats, error) {
	restore, err := blockSignals()
	if err != nil {
		return Stats{}, err
	}
	defer restore()
	return a.measure(counters)
}

// measure loads the program and closes it. Of a load that a signal ended the next one
// tells nothing, counters neither.
func (a *progLoadAttr) measure(counters *Counters) (Stats, error) {
	var s Stats
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
