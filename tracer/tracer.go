package tracer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/verialloc/verialloc/bpf"
	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer/assemble"
	"github.com/verialloc/verialloc/tracer/record"
)

// Tracer watches the kernel from Open to Close.
//
// Run and Verifications are for one goroutine and one call. Environment may be called
// from any; Summary from a sink's methods and the loop over Verifications, and once
// these have ended. Close may be called from any goroutine.
type Tracer struct {
	config      Config
	kernel      *runningKernel
	attachment  *attachment
	source      source
	places      *places       // nil: a test's
	mostRing    int           // what the ring buffer may grow to; 0: its size was given
	idle        time.Duration // how long a read waits
	clock       clock
	assembler   *assemble.Assembler
	decoder     decoder
	held        *heldEvents // nil: events need not wait for their verification's end
	progTypes   map[uint32]string
	attachTypes map[uint32]string
	sink        record.Sink // nil: Run was not called
	eventErr    error       // what the sink returned for an event

	environment record.Environment
	summary     record.Summary
	covered     float64 // allocations with a latency
	started     time.Time
	misses      uint64
	losses      bpf.VeriallocLossCounts // as last reported
	standsIn    bool                    // a record has shown the need for stand-ins

	mu       sync.Mutex
	closed   bool
	end      context.CancelFunc // ends Run; nil: it was not called
	ended    <-chan struct{}    // closed when Run returns
	close    sync.Once
	closeErr error
}

// Open loads and attaches the probes that cfg wants and this kernel permits.
// When it returns they are live: what they see waits in the ring buffer for Run.
//
// The error wraps ErrConfig for a configuration that makes no sense, and
// ErrPermission or ErrUnsupported where the kernel does not give
// what is required; what is merely missing is in Environment.
func Open(cfg Config) (*Tracer, error) {
	auto := cfg.RingBytes == 0
	if err := cfg.normalize(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	k, err := readKernel()
	if err != nil {
		return nil, err
	}
	t := &Tracer{config: cfg, kernel: k, progTypes: k.types.ProgTypes(), attachTypes: k.types.AttachTypes()}
	if auto {
		_, t.mostRing = machineRing()
	}
	if err := t.checkType(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	o, err := newObject(k, &cfg)
	if err != nil {
		return nil, err
	}
	if err := t.open(o); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return t, nil
}

func (t *Tracer) open(o *object) error {
	floor, err := o.calibrate()
	if err != nil {
		return fmt.Errorf("kernel %s: measure the probes' floor: %w", t.kernel.release, classify(err))
	}
	if t.clock, err = o.readClock(); err != nil {
		return fmt.Errorf("kernel %s: read the programs' clock: %w", t.kernel.release, classify(err))
	}
	hooks := t.kernel.plan(&t.config)
	reached, err := o.measureReaches(hooks)
	if err != nil {
		return fmt.Errorf("kernel %s: detach the floor's probes: %w", t.kernel.release, err)
	}
	t.attachment, err = attachAll(o, hooks)
	if err != nil {
		return err
	}
	if floor, err = floor.probed(o, t.attachment.hooks, reached); err != nil {
		return fmt.Errorf("kernel %s: detach the floor's probes: %w", t.kernel.release, err)
	}
	ring, err := newRing(o, t.mostRing)
	if err != nil {
		return fmt.Errorf("kernel %s: read the ring buffer: %w", t.kernel.release, classify(err))
	}
	var beside []record.Lack
	t.places, beside = openPlaces(t.config.LoaderCommand)
	t.describe(floor, beside)
	t.newAssembler()
	if err := t.attachment.arm(); err != nil {
		return errors.Join(err, ring.Close(), t.places.Close())
	}
	t.source, t.idle = &attachedSource{object: o, standIns: t.attachment.standIns, ring: ring}, t.idleInterval()
	t.kernel.forgetTypes()
	o.spec = nil
	t.started = time.Now()
	return nil
}

// checkType refuses a program type that the kernel does not know.
func (t *Tracer) checkType() error {
	want := t.config.Select.Type
	if want == "" {
		return nil
	}
	var known []string
	for _, name := range t.progTypes {
		if name == want {
			return nil
		}
		known = append(known, name)
	}
	slices.Sort(known)
	return fmt.Errorf("program type %q: kernel %s knows %s", want, t.kernel.release, strings.Join(known, ", "))
}

func (t *Tracer) newAssembler() {
	aliases, _ := t.kernel.slabAliases.Get()
	_, vmallocEntries := count(t.attachment.hooks, record.HookVmEntry)
	options := assemble.Options{
		Aliases:      aliases,
		Want:         t.wants,
		UnixOffsetNS: t.clock.unixOffsetNS,
		ProgType:     t.progType,
		AttachType:   func(n uint32) string { return t.attachTypes[n] },
		MaxOpen:      t.config.MaxLoads,
		Asked:        t.selects,
		Nameless:     t.kernel.symbols.Hidden(),
		Seeing:       !t.attachment.skippable,
		Callers:      vmallocEntries > 0,
	}
	if t.places != nil {
		options.Cgroup = t.places.cgroup
		if t.config.LoaderCommand {
			options.Loader = t.places.loader
		}
	}
	if len(t.attachment.inexactLedger) > 0 {
		options.Missed = t.readMisses
	}
	if t.config.Events {
		options.OnEvent = t.handEvent
		if t.config.Select != (Select{}) {
			t.held = newHeldEvents(t.handEvent)
			options.OnEvent = t.held.hold
		}
	}
	t.assembler = assemble.New(t.kernel.facts, t.kernel.symbols, options)
}

// readMisses returns how many runs of an inexact ledger the kernel has skipped,
// and when that was looked up.
func (t *Tracer) readMisses() (total, timeNS uint64) {
	timeNS = uint64(t.clock.now())
	t.misses = t.attachment.object.recursionMisses(t.attachment.inexactLedger)
	return t.misses, timeNS
}

func (t *Tracer) progType(n uint32) string {
	if name, ok := t.progTypes[n]; ok {
		return name
	}
	return strconv.FormatUint(uint64(n), 10)
}

// Environment describes the kernel and what the tracer uses on it.
func (t *Tracer) Environment() record.Environment { return t.environment }

// describe fills in the environment. beside is what lacks beside hooks.
func (t *Tracer) describe(floor floor, beside []record.Lack) {
	a, k := t.attachment, t.kernel
	lacks := slices.Concat(a.lacks, t.kernel.lacks(), beside)
	if t.config.Follow {
		lacks = append(lacks, orphansLeave()...)
	}
	system, absent, nonexistent := kernel.ReadSystem().Record()
	t.environment = record.Environment{
		Head:         record.NewHead(record.KindEnvironment),
		TimeUnixNS:   t.clock.unixNow(),
		Version:      Version(),
		Kernel:       k.release.Name,
		Build:        k.release.Build,
		Architecture: k.release.Architecture,
		CPUs:         runtime.NumCPU(),
		System:       system,
		Absent:       absent,
		Nonexistent:  nonexistent,
		Ledger:       record.MeansText(a.hooks, record.HookLedger),
		Latency:      record.MeansText(a.hooks, record.HookLatency),
		Visits:       record.MeansText(a.hooks, record.HookVisit),
		Hooks:        a.hooks,
		Missing:      []string{},
		Lacks:        lacks,
		ProbeFloorNS: floor.ns,
		ProbeFloor:   floor.means,
		ProbeFloors:  floor.hooks,
		RingBytes:    uint64(t.config.RingBytes),
		TypeBytes:    k.typeBytes(),
		PeakRule:     string(k.facts.PeakRule),
		UnseenLoads:  unseenLoads(a.hooks),
	}
}

func (k *runningKernel) typeBytes() map[string]uint64 {
	sizes := map[string]uint64{}
	for name, size := range map[string]uint64{
		"bpf_verifier_env":        k.facts.Env,
		"bpf_verifier_state":      k.facts.State,
		"bpf_verifier_state_list": k.facts.StateList,
		"bpf_verifier_stack_elem": k.facts.StackElem,
		"bpf_func_state":          k.facts.FuncState,
		"bpf_scc_backedge":        k.facts.SCCBackedge,
		"bpf_insn_aux_data":       k.facts.InsnAux,
	} {
		if size > 0 {
			sizes[name] = size
		}
	}
	return sizes
}

// idleInterval is how often events and losses are looked for while nothing wakes the
// reader: from 7.2 the end of a load does not. There a program on the system call's
// tracepoint does; it does not run for loads by 32-bit processes and by the kernel.
// Looking oftener costs, for what is read while a verification goes on takes the CPU
// from it: at 100 ms, 8 % of stress-1000 on 7.3.
func (t *Tracer) idleInterval() time.Duration {
	if t.kernel.preemptibleSyscalls && !t.attachment.serves("load return", record.MeansTracepoint) {
		return 100 * time.Millisecond
	}
	return time.Second
}

// Summary sums what the sink was given so far, and all losses.
func (t *Tracer) Summary() record.Summary {
	s := t.summary
	s.Head = record.NewHead(record.KindSummary)
	s.TimeUnixNS = t.clock.unixNow()
	s.DurationNS = uint64(time.Since(t.started))
	s.Verdicts, s.Outcomes = maps.Clone(s.Verdicts), maps.Clone(s.Outcomes)
	if s.Verdicts == nil {
		s.Verdicts = map[record.Verdict]uint64{}
	}
	if s.Allocs > 0 {
		s.LatencyCoverage = t.covered / float64(s.Allocs)
	}
	s.NotSelectedNames = slices.Clone(s.NotSelectedNames)
	s.RingBytes = t.source.ringBytes()
	s.Losses = t.lossList()
	s.UnseenLoads = t.environment.UnseenLoads
	if s.Simultaneous = t.assembler.Simultaneous(); s.Simultaneous != nil && (record.Unrecorded(s.Losses) || len(s.UnseenLoads) > 0) {
		s.Simultaneous.Exact = false
	}
	return s
}

func (t *Tracer) count(v *record.Verification) {
	s := &t.summary
	if s.Verdicts == nil {
		s.Verdicts = map[record.Verdict]uint64{}
	}
	s.Verifications++
	s.Verdicts[v.Verdict]++
	if s.Outcomes == nil {
		s.Outcomes = map[record.Outcome]uint64{}
	}
	s.Outcomes[v.Outcome]++
	if !v.ReachedVerifier && len(v.Lossy) == 0 {
		s.Unverified++
	}
	if v.ReachedVerifier && !v.ResultRead() {
		s.ResultsUnread++
	}
	if v.Exact {
		s.Exact++
	}
	s.TotalStates += v.TotalStates
	s.Allocs += v.Allocs
	s.BytesRequested += v.BytesRequested
	s.BytesAllocated += v.BytesAllocated
	if v.DurationNS > 0 { // else there is nothing to set it against
		s.AllocTimeNS += v.AllocTimeNS
		s.DurationSumNS += v.DurationNS
	}
	t.covered += v.LatencyCoverage * float64(v.Allocs)
}

// Close ends a Run that is going on, as the end of its context does, waits until it has
// returned, and then detaches all probes and releases what the tracer holds. It may be
// called more than once and returns the same error each time.
//
// A sink's method and the body of a loop over Verifications must not call it: it would
// wait for itself. They end the tracing by record.ErrStop and by break.
func (t *Tracer) Close() error {
	t.mu.Lock()
	t.closed = true
	end, ended := t.end, t.ended
	t.mu.Unlock()
	if end != nil {
		end()
		<-ended
	}
	t.close.Do(func() {
		t.closeErr = t.source.Close()
		if t.places != nil {
			t.closeErr = errors.Join(t.closeErr, t.places.Close())
		}
	})
	return t.closeErr
}
