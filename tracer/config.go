package tracer

import (
	"fmt"
	"math"
	"math/bits"
	"os"
	"time"
)

// LatencyMode chooses the entry probes that time allocations.
type LatencyMode string

// The latency modes. Auto takes fentry and, where the kernel refuses that or
// lacks it, kprobe. Off leaves the ledger alone: fewer instructions per
// allocation, and no latencies, paths and visits.
const (
	LatencyAuto   LatencyMode = "auto"
	LatencyFentry LatencyMode = "fentry"
	LatencyKprobe LatencyMode = "kprobe"
	LatencyOff    LatencyMode = "off"
)

// Config is what to trace and how. Its zero value traces every load on the
// machine but this process's own.
type Config struct {
	// RingBytes is the size of the ring buffer, a power of two and a
	// multiple of the page size, up to MaxRingBytes. With 0 it begins by the number of
	// CPUs, and one that is nearly full is replaced by one twice the size, up to a share of
	// the memory: autoRing has the figures.
	// It counts twice in this process's resident memory.
	RingBytes int
	// Latency is LatencyAuto if empty.
	Latency LatencyMode
	// IncludeSelf traces this process's own loads as well.
	IncludeSelf bool
	// PID restricts tracing to one thread group, by its id in the initial PID
	// namespace; 0 is all.
	PID int
	// Comm restricts tracing to threads of this name, at most MaxComm bytes.
	Comm string
	// Follow restricts tracing to the descendants of this process: those that descend
	// from it as they load, whenever they were started. One whose parent has ended
	// descends from it only if this process is given orphans: it has to make itself
	// a child subreaper for that (PR_SET_CHILD_SUBREAPER) before it starts any, and then
	// to wait for children that it did not start. The environment's lacks say if it is
	// none. A process that joins another PID namespace loses its orphans to that one.
	Follow bool
	// Select restricts what the sink is given.
	Select Select
	// MaxLoads is how many loads may be in flight at once, rounded up to a
	// power of two; 0 is 1024. Each takes about 7 KB of kernel memory.
	MaxLoads int
	// WakeupBytes is how much may wait in the ring buffer before the reader
	// is woken; 0 is half of the first one, also when it has grown. The end of a
	// load wakes it as well (from 7.2 not that of each), and so does a second's
	// time: woken later, the reader disturbs the verification less.
	WakeupBytes int

	// Events has the sink given each allocation and free as well. It costs on
	// both sides: the programs read a clock for each, and the reader resolves it.
	Events bool
	// LoaderCommand has each record say by which command line and executable its loader
	// runs, where that still does when the load is seen.
	LoaderCommand bool
	// HighPriority has Run read at nice -20, on a thread that it keeps for as
	// long, where the process may (CAP_SYS_NICE): without, a reader that shares
	// its CPU with loaders is given too little of it, and the ring buffer
	// overflows. The sink's Verification, Event and Loss run at that priority
	// too, and so do processes that they start; Begin and End do not. The
	// thread has its priority back when Run returns.
	HighPriority bool
	// Live, if it is not nil, is called by Run after the sink's Begin, once there is
	// nothing left that takes a privilege to speak of: to read what is traced, to count
	// losses and to detach takes no capability, writes no file and starts no process. A
	// ring buffer that grows takes CAP_BPF; without, it stays as it is. To find control groups by their ids takes CAP_DAC_READ_SEARCH, and with LoaderCommand
	// the executables of privileged processes take CAP_SYS_PTRACE; without, they are absent.
	Live func()
}

// Select is which verifications a sink is given, and their events with them. What is not known
// of one is taken to be what is asked for.
type Select struct {
	Prog    string        // glob on the program's name, whole or as the kernel keeps it, as path.Match has it
	Type    string        // program type in lower case, such as socket_filter
	MinTime time.Duration // least duration of the verification
}

// The sizes of a ring buffer, in bytes, and the longest name of a thread.
const (
	DefaultRingBytes = 8 << 20
	MaxRingBytes     = 1 << 30
	MaxComm          = 15 // bytes: what the kernel keeps
)

const (
	defaultMaxLoads = 1024
	mostLoads       = 1 << 16
)

// normalize checks a Config and fills in its defaults.
func (c *Config) normalize() error {
	page := os.Getpagesize()
	if c.RingBytes == 0 {
		c.RingBytes, _ = machineRing()
	}
	if c.RingBytes < page || bits.OnesCount(uint(c.RingBytes)) != 1 || c.RingBytes > MaxRingBytes {
		return fmt.Errorf("ring buffer of %d bytes: want a power of two from %d (a page) to %d", c.RingBytes, page, MaxRingBytes)
	}
	switch c.Latency {
	case "":
		c.Latency = LatencyAuto
	case LatencyAuto, LatencyFentry, LatencyKprobe, LatencyOff:
	default:
		return fmt.Errorf("latency mode %q: want auto, fentry, kprobe or off", c.Latency)
	}
	if len(c.Comm) > MaxComm {
		return fmt.Errorf("comm %q: the kernel keeps at most %d bytes", c.Comm, MaxComm)
	}
	for name, n := range map[string]int{"PID": c.PID, "MaxLoads": c.MaxLoads, "WakeupBytes": c.WakeupBytes} {
		if n < 0 || n > math.MaxInt32 {
			return fmt.Errorf("%s %d: want 0 to %d", name, n, math.MaxInt32)
		}
	}
	switch reach, err := ReachOf(c.Select.Prog); {
	case err != nil:
		return fmt.Errorf("program glob %q: %w", c.Select.Prog, err)
	case reach == ReachNone:
		return fmt.Errorf("program glob %q: no program can have such a name", c.Select.Prog)
	}
	if c.MaxLoads == 0 {
		c.MaxLoads = defaultMaxLoads
	}
	if c.MaxLoads > mostLoads {
		return fmt.Errorf("MaxLoads %d: want at most %d", c.MaxLoads, mostLoads)
	}
	c.MaxLoads = 1 << bits.Len(uint(c.MaxLoads-1))
	if c.WakeupBytes == 0 {
		c.WakeupBytes = c.RingBytes / 2
	}
	return nil
}
