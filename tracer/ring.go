package tracer

import (
	"errors"
	"fmt"
	"math/bits"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// A ring buffer whose size was not given begins with ringPerCPU for each CPU, within these
// bounds, and grows up to a share of the memory.
const (
	ringPerCPU    = 4 << 20
	mostFirstRing = 64 << 20
	mostGrownRing = 256 << 20
	ringShare     = 16 // one part in so many of the machine's memory
)

// autoRing returns the sizes that a ring buffer begins with and grows to.
func autoRing(cpus int, memory uint64) (first, most int) {
	most = 1 << (bits.Len64(min(max(memory/ringShare, 1<<16), mostGrownRing)) - 1)
	first = 1 << bits.Len(uint(cpus*ringPerCPU-1))
	return min(max(first, DefaultRingBytes), mostFirstRing, most), most
}

// machineRing is autoRing of this machine.
func machineRing() (first, most int) {
	var info unix.Sysinfo_t
	// It fails for a bad address only.
	_ = unix.Sysinfo(&info)
	return autoRing(runtime.NumCPU(), info.Totalram*uint64(info.Unit))
}

// ring is the ring buffer that the programs write to, and what reads it. Where it is nearly
// full another one takes its place, which is twice as large.
type ring struct {
	rings   *ebpf.Map // whose only element is in use
	current *ebpf.Map
	most    int // the largest that it may grow to

	reader *ringbuf.Reader
	old    *ringbuf.Reader // to be read to its end, ahead of reader; nil: there is none

	mu      sync.Mutex // of what flush and grow both do
	flushed bool
}

func newRing(o *object, most int) (*ring, error) {
	r := &ring{rings: o.base.Maps["rings"], current: o.base.Maps["events"], most: most}
	reader, err := ringbuf.NewReader(r.current)
	if err != nil {
		return nil, err
	}
	r.reader = reader
	return r, nil
}

// read reads the next record, as source has it.
func (r *ring) read(deadline time.Time, record *ringbuf.Record) error {
	if r.old != nil {
		err := r.old.ReadInto(record)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if err := r.old.Close(); err != nil {
			return fmt.Errorf("close the smaller ring buffer: %w", err)
		}
		r.old = nil
	}
	r.reader.SetDeadline(deadline)
	if size := r.reader.BufferSize(); 2*size <= r.most && r.reader.AvailableBytes() > size/4*3 && r.grow() {
		return r.read(deadline, record)
	}
	return r.reader.ReadInto(record)
}

// grow puts a ring twice the size in the place of the one in use. The kernel returns from that
// once no program writes to the old one any more (maybe_wait_bpf_programs()), so that what is
// in it comes first. Without memory or CAP_BPF for it all stays as it is.
func (r *ring) grow() bool {
	larger, err := ebpf.NewMap(&ebpf.MapSpec{Name: "events", Type: ebpf.RingBuf, MaxEntries: 2 * r.current.MaxEntries()})
	if err != nil {
		r.most = 0
		return false
	}
	reader, err := ringbuf.NewReader(larger)
	if err != nil {
		larger.Close()
		r.most = 0
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.flushed || r.rings.Put(uint32(0), larger) != nil {
		_ = reader.Close()
		larger.Close()
		r.most = 0
		return false
	}
	r.current.Close() // what maps it holds it still
	r.current, r.old, r.reader = larger, r.reader, reader
	r.old.SetDeadline(time.Unix(1, 0)) // long ago: it does not wait
	return true
}

// flush has read return ringbuf.ErrFlushed once all was read.
func (r *ring) flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flushed = true
	return r.reader.Flush()
}

// bytes is the size of the ring buffer in use.
func (r *ring) bytes() uint64 { return uint64(r.current.MaxEntries()) }

func (r *ring) Close() error {
	var errs []error
	if r.old != nil {
		errs = append(errs, r.old.Close())
	}
	return errors.Join(append(errs, r.reader.Close(), r.current.Close())...)
}
