package tracer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/bpf"
	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer/assemble"
	"github.com/verialloc/verialloc/tracer/record"
)

// fakeSource gives a running tracer what a test has put into it.
type fakeSource struct {
	records  chan []byte
	err      error // of each read, if there is one
	disarmed chan struct{}
	disarms  func()
	mu       sync.Mutex
	counts   bpf.VeriallocLossCounts
	standIns int
	standErr error // why they cannot be attached
	closed   int
	reading  bool
	closeErr error
}

func newFakeSource(records ...[]byte) *fakeSource {
	s := &fakeSource{records: make(chan []byte, len(records)), disarmed: make(chan struct{})}
	s.disarms = sync.OnceFunc(func() { close(s.disarmed) })
	for _, r := range records {
		s.records <- r
	}
	return s
}

func (s *fakeSource) read(deadline time.Time) ([]byte, error) {
	s.set(func() { s.reading = true })
	defer s.set(func() { s.reading = false })
	if s.err != nil {
		return nil, s.err
	}
	select {
	case raw := <-s.records: // what came before disarm is read first
		return raw, nil
	default:
	}
	select {
	case <-s.disarmed:
		return nil, ringbuf.ErrFlushed
	case <-time.After(time.Until(deadline)):
		return nil, os.ErrDeadlineExceeded
	}
}

func (s *fakeSource) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *fakeSource) losses() (counts bpf.VeriallocLossCounts, err error) {
	s.set(func() { counts = s.counts })
	return counts, nil
}

func (s *fakeSource) ringBytes() uint64 { return 1 << 16 }

func (s *fakeSource) standIn() error {
	s.standIns++
	return s.standErr
}

func (s *fakeSource) disarm() { s.disarms() }

func (s *fakeSource) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	if s.reading {
		return errors.New("closed while it is read")
	}
	return s.closeErr
}

// tracerOn returns a tracer that reads the source.
func tracerOn(s *fakeSource, cfg Config) *Tracer {
	t := &Tracer{config: cfg, kernel: &runningKernel{symbols: &kernel.Symbols{}}, attachment: &attachment{}, source: s, idle: time.Second}
	t.environment.Head = record.NewHead(record.KindEnvironment)
	t.newAssembler()
	return t
}

// begunBefore is the end of a load that began before the tracer was live: the shortest
// way to a record.
func begunBefore(name string) []byte {
	var e bpf.VeriallocEndEvent
	e.H.Kind = uint8(bpf.VeriallocEventKindEVENT_ORPHAN)
	e.Request.Source, e.Request.Attr.ProgName = uint32(bpf.VeriallocRequestSourceREQUEST_LOADER), chars[[16]uint8](name)
	return aligned(bytesOf(&e), 0)
}

// twoEvents are the start of a load and a batch with two frees of it.
func twoEvents() [][]byte {
	samples := sampleEvents()
	var start bpf.VeriallocStartEvent
	start.H.Kind, start.H.Verification = uint8(bpf.VeriallocEventKindEVENT_START), 1
	start.Request.Source = uint32(bpf.VeriallocRequestSourceREQUEST_LOADER)
	free := samples[assemble.KindFree].raw[recordHeader:]
	return [][]byte{aligned(bytesOf(&start), 0), batchOf(free, free)}
}

// sinkLog notes the calls of a sink, and returns errors by call.
type sinkLog struct {
	calls []string
	errs  map[string]error
	at    map[string]func()
}

func (l *sinkLog) call(name string) error {
	l.calls = append(l.calls, name)
	if do := l.at[name]; do != nil {
		do()
	}
	return l.errs[name]
}

func (l *sinkLog) Begin(e *record.Environment) error { return l.call(e.Kind) }
func (l *sinkLog) Verification(v *record.Verification) error {
	return l.call(v.Kind + " " + v.ProgName)
}
func (l *sinkLog) Event(e *record.Event) error     { return l.call(e.Kind) }
func (l *sinkLog) Loss(r *record.LossReport) error { return l.call(fmt.Sprint(r.Kind, " ", r.Losses)) }

func (l *sinkLog) End(s *record.Summary) error {
	return l.call(fmt.Sprint(s.Kind, " ", s.Verifications))
}

// want checks the calls.
func (l *sinkLog) want(t *testing.T, calls ...string) {
	t.Helper()
	if !slices.Equal(l.calls, calls) {
		t.Errorf("the sink was called\n%s\nwant\n%s", strings.Join(l.calls, "\n"), strings.Join(calls, "\n"))
	}
}

func ended(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

// What is on its way when the context ends is handed on, between begin and end.
func TestRun(t *testing.T) {
	s := newFakeSource(begunBefore("one"), begunBefore("two"))
	var sink sinkLog
	tracer := tracerOn(s, Config{})
	if err := tracer.Run(ended(t.Context()), &sink); err != nil {
		t.Fatal(err)
	}
	sink.want(t, "environment", "verification one", "verification two", "summary 2")
	if err := tracer.Run(t.Context(), &sink); err == nil || errors.Is(err, os.ErrClosed) {
		t.Errorf("run twice: %v", err)
	}
	sink.want(t, "environment", "verification one", "verification two", "summary 2")
	if err := errors.Join(tracer.Close(), tracer.Close()); err != nil || s.closed != 1 {
		t.Errorf("closed %d times: %v", s.closed, err)
	}
}

// Live is called once, between the begin and what is read, unless nothing begins.
func TestRunLive(t *testing.T) {
	var sink sinkLog
	config := Config{Live: func() { sink.calls = append(sink.calls, "live") }}
	if err := tracerOn(newFakeSource(begunBefore("one")), config).Run(ended(t.Context()), &sink); err != nil {
		t.Fatal(err)
	}
	sink.want(t, "environment", "live", "verification one", "summary 1")
	sink = sinkLog{errs: map[string]error{"environment": record.ErrStop}}
	if err := tracerOn(newFakeSource(), config).Run(t.Context(), &sink); err != nil {
		t.Fatal(err)
	}
	sink.want(t, "environment", "summary 0")
}

// Losses are handed on when they have grown, ahead of the verification that ended then.
func TestRunLosses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSource(begunBefore("one"))
		s.counts.RingFull = 3
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(2500 * time.Millisecond) // reads time out, without a loss that is new
			s.set(func() { s.counts.Starts = 1 })
			time.Sleep(time.Second)
			cancel()
		}()
		var sink sinkLog
		if err := tracerOn(s, Config{}).Run(ctx, &sink); err != nil {
			t.Fatal(err)
		}
		sink.want(t, "environment", "loss [{ring_full 3}]", "verification one", "loss [{ring_full 3} {starts_lost 1}]", "summary 1")
	})
}

// Which program a load is of shows at its end: its events wait for that where it matters.
func TestRunSelectsEvents(t *testing.T) {
	for prog, calls := range map[string][]string{
		"*":    {"environment", "event", "event", "verification ", "summary 1"},
		"name": {"environment", "summary 0"},
	} {
		tracer, sink := tracerOn(newFakeSource(twoEvents()...), Config{Events: true, Select: Select{Prog: prog}}), sinkLog{}
		if err := tracer.Run(ended(t.Context()), &sink); err != nil {
			t.Fatal(err)
		}
		sink.want(t, calls...)
	}
}

// An error of any method ends the tracing, is returned, and is followed by the end.
func TestRunSinkFails(t *testing.T) {
	for _, c := range []struct {
		at    string
		calls []string
	}{
		{"environment", []string{"environment", "summary 0"}},
		{"event", []string{"environment", "event", "summary 0"}},
		{"loss [{ring_full 1}]", []string{"environment", "event", "event", "loss [{ring_full 1}]", "summary 0"}},
		{"verification one", []string{"environment", "event", "event", "loss [{ring_full 1}]", "verification one", "summary 1"}},
		{"summary 2", []string{"environment", "event", "event", "loss [{ring_full 1}]", "verification one", "verification ", "summary 2"}},
	} {
		for _, failure := range []error{errors.New("broken"), fmt.Errorf("enough: %w", record.ErrStop)} {
			s := newFakeSource(append(twoEvents(), begunBefore("one"))...)
			s.counts.RingFull = 1
			sink := sinkLog{errs: map[string]error{c.at: failure}}
			ctx, cancel := context.WithCancel(t.Context())
			if c.at == "summary 2" {
				cancel()
			}
			err := tracerOn(s, Config{Events: true}).Run(ctx, &sink)
			cancel()
			if stop := errors.Is(failure, record.ErrStop); stop && err != nil || !stop && !errors.Is(err, failure) {
				t.Errorf("%s returns %v: got %v", c.at, failure, err)
			}
			sink.want(t, c.calls...)
			select {
			case <-s.disarmed:
			default:
				if c.at != "environment" {
					t.Errorf("%s returns %v: loads are still traced", c.at, failure)
				}
			}
		}
	}
}

func TestRunCannotRead(t *testing.T) {
	s := newFakeSource()
	s.err = errors.New("no such ring buffer")
	endErr := errors.New("full")
	sink := sinkLog{errs: map[string]error{"summary 0": endErr}}
	if err := tracerOn(s, Config{}).Run(t.Context(), &sink); !errors.Is(err, s.err) || !errors.Is(err, endErr) {
		t.Errorf("got %v, want both errors", err)
	}
	sink.want(t, "environment", "summary 0")
}

// Events wait for their verification where that may not be wanted.
func TestRunHoldsEvents(t *testing.T) {
	s := newFakeSource(twoEvents()...)
	var sink sinkLog
	if err := tracerOn(s, Config{Events: true, Select: Select{MinTime: 1}}).Run(ended(t.Context()), &sink); err != nil {
		t.Fatal(err)
	}
	sink.want(t, "environment", "event", "event", "verification ", "summary 1")

	broken := errors.New("broken")
	sink = sinkLog{errs: map[string]error{"event": broken}}
	if err := tracerOn(newFakeSource(twoEvents()...), Config{Events: true, Select: Select{MinTime: 1}}).Run(ended(t.Context()), &sink); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	sink.want(t, "environment", "event", "summary 0")
}

// Where the kernel's own copy of the request says that a load is of the type that is asked for,
// its events need not wait. Those that there is no room for are told.
func TestRunHoldsNothing(t *testing.T) {
	for source, want := range map[bpf.VeriallocRequestSource]struct {
		events  int
		dropped uint64
	}{bpf.VeriallocRequestSourceREQUEST_KERNEL: {2, 0}, bpf.VeriallocRequestSourceREQUEST_LOADER: {1, 1}} {
		var start bpf.VeriallocStartEvent
		start.H.Kind, start.H.Verification, start.Request.Source = uint8(bpf.VeriallocEventKindEVENT_START), 1, uint32(source)
		start.Request.Attr.ProgType = 1
		tracer := tracerOn(newFakeSource(aligned(bytesOf(&start), 0), twoEvents()[1]), Config{Events: true, Select: Select{Type: "1"}})
		tracer.held.limit = 1
		var sink droppedSink
		if err := tracer.Run(ended(t.Context()), &sink); err != nil {
			t.Fatal(err)
		}
		if sink.events != want.events || !slices.Equal(sink.dropped, []uint64{want.dropped}) {
			t.Errorf("request %d: %d events, %d dropped, want %+v", source, sink.events, sink.dropped, want)
		}
	}
}

// droppedSink counts events, and notes how many more the records have.
type droppedSink struct {
	record.NopSink
	events  int
	dropped []uint64
}

func (s *droppedSink) Event(*record.Event) error { s.events++; return nil }

func (s *droppedSink) Verification(v *record.Verification) error {
	s.dropped = append(s.dropped, v.EventsDropped)
	return nil
}

// A large allocation is an event only once the next one shows that it was no first of
// two. If none comes it is one at the end, where an error of the sink's counts as well.
func TestRunHoldsAllocation(t *testing.T) {
	var alloc bpf.VeriallocAllocEvent
	alloc.H.Kind, alloc.Source = uint8(bpf.VeriallocEventKindEVENT_ALLOC), uint8(assemble.SourceKmalloc)
	alloc.Ptr, alloc.Requested, alloc.Allocated = 0x1000, 1<<20, 1<<20
	events := [][]byte{twoEvents()[0], batchOf(bytesOf(&alloc))}

	var sink sinkLog
	if err := tracerOn(newFakeSource(events...), Config{Events: true}).Run(ended(t.Context()), &sink); err != nil {
		t.Fatal(err)
	}
	sink.want(t, "environment", "event", "verification ", "summary 1")

	broken := errors.New("broken")
	sink = sinkLog{errs: map[string]error{"event": broken}}
	if err := tracerOn(newFakeSource(events...), Config{Events: true}).Run(ended(t.Context()), &sink); !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of the event", err)
	}
	sink.want(t, "environment", "event", "summary 0")
}

// Close ends a Run from any goroutine, any number of times, and waits for it.
func TestCloseEndsRun(t *testing.T) {
	s := newFakeSource(begunBefore("one"))
	s.closeErr = errors.New("does not detach")
	tracer := tracerOn(s, Config{})
	live := make(chan struct{})
	sink := sinkLog{at: map[string]func(){"environment": func() { close(live) }}}
	returned := make(chan error, 1)
	go func() { returned <- tracer.Run(t.Context(), &sink) }()
	<-live
	var closers sync.WaitGroup
	for range 8 {
		closers.Go(func() {
			if err := tracer.Close(); !errors.Is(err, s.closeErr) {
				t.Errorf("Close: %v", err)
			}
			sink.want(t, "environment", "verification one", "summary 1") // Run has returned
		})
	}
	closers.Wait()
	if err := <-returned; err != nil || s.closed != 1 {
		t.Errorf("Run: %v, closed %d times", err, s.closed)
	}
}

// A tracer that is closed before it has run does not run.
func TestRunClosed(t *testing.T) {
	s := newFakeSource()
	tracer := tracerOn(s, Config{})
	var sink sinkLog
	if err := tracer.Close(); err != nil {
		t.Fatal(err)
	}
	if err := tracer.Run(t.Context(), &sink); !errors.Is(err, os.ErrClosed) || len(sink.calls) > 0 {
		t.Errorf("got %v, calls %v", err, sink.calls)
	}
	for _, err := range tracer.Verifications(t.Context()) {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("the loop got %v", err)
		}
	}
}

func TestVerifications(t *testing.T) {
	tracer := tracerOn(newFakeSource(begunBefore("one"), begunBefore("two")), Config{})
	var names []string
	for v, err := range tracer.Verifications(ended(t.Context())) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, v.ProgName)
	}
	if !slices.Equal(names, []string{"one", "two"}) || tracer.Summary().Verifications != 2 {
		t.Errorf("got %v, summary %+v", names, tracer.Summary())
	}

	tracer = tracerOn(newFakeSource(begunBefore("one"), begunBefore("two")), Config{})
	for v := range tracer.Verifications(t.Context()) {
		if v.ProgName != "one" {
			t.Errorf("after the loop was broken out of: %s", v.ProgName)
		}
		break
	}
	if err := tracer.Close(); err != nil {
		t.Error(err)
	}

	s := newFakeSource()
	s.err = errors.New("no such ring buffer")
	yielded := 0
	for v, err := range tracerOn(s, Config{}).Verifications(t.Context()) {
		if yielded++; v != nil || !errors.Is(err, s.err) {
			t.Errorf("yielded %v, %v", v, err)
		}
	}
	if yielded != 1 {
		t.Errorf("yielded %d times, want the error", yielded)
	}
}

// nice returns the priority of the calling thread.
func nice(t *testing.T) int {
	t.Helper()
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	return 20 - raw
}

// The priority is raised where that was asked for, for no more than the reading, and is
// what it was after.
func TestHighPriority(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := nice(t)
	restore := prioritize()
	raised := nice(t) // where it is not permitted, what it was
	restore()
	for asked, want := range map[bool]int{false: before, true: raised} {
		seen := map[string]int{}
		note := func(call string) func() { return func() { seen[call] = nice(t) } }
		sink := sinkLog{at: map[string]func(){
			"environment": note("Begin"), "verification one": note("Verification"), "summary 1": note("End"),
		}}
		config := Config{HighPriority: asked, Live: note("Live")}
		if err := tracerOn(newFakeSource(begunBefore("one")), config).Run(ended(t.Context()), &sink); err != nil {
			t.Fatal(err)
		}
		if seen["Begin"] != before || seen["Live"] != want || seen["Verification"] != want || seen["End"] != before || nice(t) != before {
			t.Errorf("asked for %v: nice %v, then %d: want %d, and %d for Verification", asked, seen, nice(t), before, want)
		}
	}
}
