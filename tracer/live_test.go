package tracer

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/tracer/record"
)

// requireLive skips a test that loads BPF programs unless VERIALLOC_LIVE asks for
// it, and fails it where that is asked for and cannot be.
func requireLive(t *testing.T) {
	t.Helper()
	if os.Getenv("VERIALLOC_LIVE") == "" {
		t.Skip("set VERIALLOC_LIVE=1 to test on the running kernel")
	}
	if os.Geteuid() != 0 {
		t.Fatal("VERIALLOC_LIVE is set, but this is not root")
	}
}

// session is a tracer whose records are being gathered, and its sink.
type session struct {
	*Tracer
	t       *testing.T
	onEvent func(*record.Event) // nil: none
	cancel  context.CancelFunc
	records []*record.Verification
	losses  []*record.LossReport
	order   []string // calls of the sink, each event left out
	err     error
	done    chan struct{}
}

func (s *session) Begin(e *record.Environment) error {
	s.order = append(s.order, e.Kind)
	return nil
}

func (s *session) Verification(v *record.Verification) error {
	s.order = append(s.order, v.Kind)
	s.records = append(s.records, v)
	return nil
}

func (s *session) Event(e *record.Event) error {
	s.onEvent(e)
	return nil
}

func (s *session) Loss(r *record.LossReport) error {
	s.order = append(s.order, r.Kind)
	s.losses = append(s.losses, r)
	return nil
}

func (s *session) End(summary *record.Summary) error {
	s.order = append(s.order, summary.Kind)
	return nil
}

func trace(t *testing.T, cfg Config) *session {
	t.Helper()
	return traceBy(t, Open, cfg, nil)
}

// traceBy traces with a tracer that is opened in another way, and with events if
// something takes them.
func traceBy(t *testing.T, open func(Config) (*Tracer, error), cfg Config, onEvent func(*record.Event)) *session {
	t.Helper()
	if cfg.IncludeSelf && cfg.PID == 0 {
		cfg.PID = os.Getpid() // others on the machine may load the same programs
	}
	cfg.HighPriority = true // as the command does: some tests have eight loaders
	cfg.Events = onEvent != nil
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{t: t, onEvent: onEvent, cancel: cancel, done: make(chan struct{})}
	tracer, err := open(cfg)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	s.Tracer = tracer
	go func() {
		defer close(s.done)
		s.err = tracer.Run(ctx, s)
	}()
	t.Cleanup(func() {
		cancel()
		<-s.done
		if err := tracer.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if n := len(s.order); n < 2 || s.order[0] != record.KindEnvironment || s.order[n-1] != record.KindSummary {
			t.Errorf("the sink was called in the order %v", s.order)
		}
	})
	return s
}

// finish ends the tracing and returns what it gave.
func (s *session) finish() []*record.Verification {
	s.t.Helper()
	s.cancel()
	<-s.done
	if s.err != nil {
		s.t.Fatal(s.err)
	}
	return s.records
}

// typeOf returns a record's objects of one type.
func typeOf(v *record.Verification, name string) record.Group {
	if i := slices.IndexFunc(v.Types, func(g record.Group) bool { return g.Name == name }); i >= 0 {
		return v.Types[i]
	}
	return record.Group{Name: name}
}

// served reports whether a hook is attached.
func (s *session) served(name string) bool {
	return slices.ContainsFunc(s.Environment().Hooks, func(h record.Hook) bool { return h.Name == name && h.State == record.HookAttached })
}

// named returns the records of programs of one name.
func named(records []*record.Verification, name string) []*record.Verification {
	return slices.DeleteFunc(slices.Clone(records), func(v *record.Verification) bool { return v.ProgName != name })
}

// one returns the only record of a program.
func one(t *testing.T, records []*record.Verification, name string) *record.Verification {
	t.Helper()
	found := named(records, name)
	if len(found) != 1 {
		t.Fatalf("%d records of %s, want 1", len(found), name)
	}
	return found[0]
}

func loadCase(t *testing.T, p generate.Case) load.Stats {
	t.Helper()
	stats, err := load.Load(p.Spec, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

// suite returns the programs that the running kernel knows.
func suite(t *testing.T) []generate.Case {
	t.Helper()
	running, err := kernel.RunningVersion()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(generate.Suite(), func(p generate.Case) bool { return !running.AtLeast(p.Since) })
}

// checkExact compares a record with what the verifier wrote into its log.
func checkExact(t *testing.T, v *record.Verification, want load.Stats) {
	t.Helper()
	if !v.Exact || len(v.Lossy) != 0 {
		t.Errorf("%s: exact %v, lossy %v", v.ProgName, v.Exact, v.Lossy)
	}
	for _, c := range []struct {
		name string
		got  uint64
		want int
	}{
		{"state_list_allocs", v.StateListAllocs, want.TotalStates},
		{"total_states", v.TotalStates, want.TotalStates},
		{"traced_peak_states", v.TracedPeak, want.PeakStates},
		{"peak_states", v.PeakStates, want.PeakStates},
		{"insns_processed", v.InsnsProcessed, want.InsnsProcessed},
		{"max_states_per_insn", v.MaxStatesPerInsn, want.MaxStatesPerInsn},
		{"longest_mark_read_walk", v.LongestMarkReadWalk, want.MarkRead},
		{"errno", uint64(v.Errno), int(want.Errno)},
		{"verifier_time in us", v.VerifierTimeNS / 1000, int(want.VerificationTime / time.Microsecond)},
	} {
		if c.got != uint64(c.want) {
			t.Errorf("%s: %s is %d, the verifier's log says %d", v.ProgName, c.name, c.got, c.want)
		}
	}
	verdict := record.VerdictAccepted
	if want.Errno != 0 {
		verdict = record.VerdictRejected
	}
	if v.Verdict != verdict {
		t.Errorf("%s: verdict %s (%s), want %s", v.ProgName, v.Verdict, v.IncompleteReason, verdict)
	}
}

// The first promise: the traced count of state lists is the verifier's own, for
// every kind of program, and so is the peak.
func TestLiveSuite(t *testing.T) {
	requireLive(t)
	s := trace(t, Config{IncludeSelf: true})
	want := map[string]load.Stats{}
	programs := suite(t)
	for _, p := range programs {
		want[p.Spec.Name] = loadCase(t, p)
	}
	records := s.finish()
	var verified, exact int
	for _, p := range programs {
		name := p.Spec.Name
		v := one(t, records, name)
		if !want[name].Verified {
			if v.ReachedVerifier || v.Exact || v.Errno != int(p.Errno) || v.Allocs != 0 {
				t.Errorf("%s was turned down before the verifier, but: %+v", name, v)
			}
			continue
		}
		checkExact(t, v, want[name])
		verified++
		if v.Exact {
			exact++
		}
		if v.InsnCount == 0 || v.PID != uint32(os.Getpid()) || v.Comm == "" || v.ProgType == "" {
			t.Errorf("%s: not fully described: %+v", name, v)
		}
		// Without a probe on bpf_check() a verification starts a little late.
		if (s.served("verification start") && v.DurationNS < v.VerifierTimeNS) || v.SyscallNS < v.DurationNS {
			t.Errorf("%s: verifier %d ns, verification %d ns, bpf(2) %d ns: want ascending",
				name, v.VerifierTimeNS, v.DurationNS, v.SyscallNS)
		}
		if v.Allocs < v.StateListAllocs || v.BytesAllocated < v.BytesRequested || v.PeakLiveBytes > v.BytesAllocated {
			t.Errorf("%s: %d allocations, %d of %d bytes requested, peak %d", name, v.Allocs,
				v.BytesRequested, v.BytesAllocated, v.PeakLiveBytes)
		}
		if aux := s.Environment().TypeBytes["bpf_insn_aux_data"]; s.served("verification start") {
			// Where kprobes serve, a vmalloc area too has the size asked for.
			if g := typeOf(v, "insn_aux"); g.BytesRequested < uint64(v.InsnCount)*aux || g.BytesRequested%aux != 0 {
				t.Errorf("%s: insn_aux of %d bytes, want %d for each of %d instructions at the least", name,
					g.BytesRequested, aux, v.InsnCount)
			}
		}
		t.Logf("%-12s states %5d peak %5d allocations %6d coverage %.4f", name, v.TotalStates, v.PeakStates,
			v.Allocs, v.LatencyCoverage)
	}
	t.Logf("kernel %s: ledger %s, latency %s, visits %s, probe floor %d ns (%s)", s.Environment().Kernel,
		s.Environment().Ledger, s.Environment().Latency, s.Environment().Visits, s.Environment().ProbeFloorNS, s.Environment().ProbeFloor)
	t.Logf("kernel %s: sequential: %d of %d exact", s.Environment().Kernel, exact, verified)
	e := s.Environment()
	if e.ProbeFloorNS == 0 || s.served("__sys_bpf") && e.Latency != e.ProbeFloor {
		t.Errorf("latencies are by %s, their floor of %d ns by %s", e.Latency, e.ProbeFloorNS, e.ProbeFloor)
	}
	t.Logf("kernel %s: floors %+v", e.Kernel, e.ProbeFloors)
	for _, f := range e.ProbeFloors {
		if !slices.Contains(timedHooks, f.Hook) || string(f.Means) != e.Latency || f.FloorNS < e.ProbeFloorNS {
			t.Errorf("floor of %+v, the least %d ns by %s", f, e.ProbeFloorNS, e.Latency)
		}
	}
	if want := len(timedHooks); s.served("__sys_bpf") && len(e.ProbeFloors) != want {
		t.Errorf("%d floors, want one of each of %d hooks", len(e.ProbeFloors), want)
	}
}

// Exactness must survive preemption inside the probes and a reader that shares
// its CPU with the loaders; boot with preempt=full to make it hard.
func TestLiveConcurrent(t *testing.T) {
	requireLive(t)
	const loaders, loads = 8, 6
	// The ring has room for all events (some 36 MiB), and the reader is woken as with one
	// of 8 MiB. On a machine that gives this one no time the reader comes late, and what
	// is lost then is counted and shown, but is not what this test is about.
	s := trace(t, Config{IncludeSelf: true, Select: Select{Prog: "stress_*"}, RingBytes: 64 << 20, WakeupBytes: 4 << 20})
	want, err := load.Parallel(t.Context(), loaders, loads, generate.Stress(1000).Spec, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	records := s.finish()
	if len(records) != loaders*loads {
		t.Errorf("%d records of %d loads", len(records), loaders*loads)
	}
	var exact int
	var highest, all uint64
	var allocs, timed, visits, missed float64
	for _, v := range records {
		highest, all = max(highest, v.PeakLiveBytes), all+v.PeakLiveBytes
		checkExact(t, v, want[v.ProgName])
		if v.Exact {
			exact++
		}
		allocs += float64(v.Allocs)
		timed += float64(v.Latency.Count)
		if v.Visits != nil {
			visits += float64(v.Visits.Count)
			missed += float64(v.Visits.Missed)
		}
	}
	if exact < loaders*loads {
		t.Errorf("only %d of %d loads are exact", exact, loaders*loads)
	}
	t.Logf("kernel %s: concurrent: %d of %d exact, latency coverage %.4f, visits seen %.4f", s.Environment().Kernel, exact,
		len(records), timed/allocs, (visits-missed)/max(visits, 1))
	// What a class of loads holds that is not seen here nobody knows.
	summary := s.Summary()
	together, exactSum := summary.Simultaneous, len(summary.UnseenLoads) == 0
	if together == nil || together.Exact != exactSum || together.PeakLiveBytes < highest || together.PeakLiveBytes > all || together.Loads > loaders {
		t.Errorf("together %+v, the loads have %d bytes at the highest and %d in all", together, highest, all)
	} else {
		t.Logf("%d bytes of %d loads at once; the highest of any is %d", together.PeakLiveBytes, together.Loads, highest)
	}
	if e := s.Environment(); e.Timed() && timed == 0 {
		t.Error("latency probes are attached, but no allocation has a latency")
	}
}

// Every latency mode gives the same ledger; kprobes miss no call of a sequential
// load but vmalloc's, which are not timed.
func TestLiveLatencyModes(t *testing.T) {
	requireLive(t)
	for _, mode := range []LatencyMode{LatencyOff, LatencyFentry, LatencyKprobe} {
		t.Run(string(mode), func(t *testing.T) {
			s := trace(t, Config{IncludeSelf: true, Latency: mode})
			want := loadCase(t, generate.Stress(1000))
			v := one(t, s.finish(), "stress")
			checkExact(t, v, want)
			switch served := s.Environment().Latency; {
			case mode == LatencyOff || served == string(record.MeansNone):
				if v.LatencyCoverage != 0 || v.AllocTimeNS != 0 || v.Latency.Count != 0 {
					t.Errorf("no latency probes, but coverage %v", v.LatencyCoverage)
				}
			case served != string(mode):
				t.Errorf("served by %s", served)
			default:
				if v.LatencyCoverage < 0.99 || v.Latency.MinNS == 0 || v.AllocTimeNS >= v.DurationNS {
					t.Errorf("coverage %v, least %d ns, sum %d of %d ns", v.LatencyCoverage, v.Latency.MinNS,
						v.AllocTimeNS, v.DurationNS)
				}
			}
		})
	}
}

// Where is_state_visited() is a symbol its every state list is seen from within.
func TestLiveVisits(t *testing.T) {
	requireLive(t)
	running, err := kernel.RunningVersion()
	if err != nil {
		t.Fatal(err)
	}
	s := trace(t, Config{IncludeSelf: true})
	loadCase(t, generate.Stress(1000))
	v := one(t, s.finish(), "stress")
	if !running.AtLeast(kernel.Version{Major: 7, Minor: 1}) {
		if v.Visits != nil || s.Environment().Visits != string(record.MeansCallSite) {
			t.Errorf("is_state_visited() is inlined before 7.1, but visits are %+v by %s", v.Visits, s.Environment().Visits)
		}
		return
	}
	if v.Visits == nil {
		t.Fatal("no visits")
	}
	// A visit keeps a state, or finds one that prunes, or goes on.
	if v.Visits.Count < v.TotalStates+v.Visits.PruneHits || v.Visits.PruneHits == 0 {
		t.Errorf("%d visits, %d prune hits, %d states kept", v.Visits.Count, v.Visits.PruneHits, v.TotalStates)
	}
	if v.Visits.Missed != 0 || v.Visits.Latency.Count != v.Visits.Count {
		t.Errorf("%d visits missed of one load at a time", v.Visits.Missed)
	}
}

// A load in flight when the probes go live was not seen whole, and its record says so.
func TestLiveBegunBefore(t *testing.T) {
	requireLive(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	// Two at a time: one is in flight when the other is between two loads.
	const loaders = 2
	loading := make(chan struct{}, loaders)
	loaded := make(chan error, loaders)
	for range loaders {
		go func() {
			_, err := load.Load(generate.TooComplex().Spec, load.Options{})
			loading <- struct{}{}
			for err == nil && ctx.Err() == nil {
				_, err = load.Load(generate.TooComplex().Spec, load.Options{})
			}
			loaded <- err
		}()
	}
	for range loaders {
		<-loading
	}
	tracer, err := Open(Config{IncludeSelf: true, PID: os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Close()
	var before, seen int
	for v, err := range tracer.Verifications(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
		if v.IncompleteReason == "it began before the probes were live" {
			before++
			if v.Verdict != record.VerdictIncomplete || v.Exact || v.ProgName != "too_complex" {
				t.Errorf("begun before attach: %+v", v)
			}
		}
		if before > 0 || seen == 4*loaders {
			stop()
		}
	}
	for range loaders {
		if err := <-loaded; err != nil {
			t.Fatal(err)
		}
	}
	if before == 0 || before > loaders {
		t.Errorf("%d of %d loads began before the probes were live, want 1 to %d", before, seen, loaders)
	}
}

// A verification that the tracer's end cuts off is incomplete, not left out.
func TestLiveCutOff(t *testing.T) {
	requireLive(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tracer, err := Open(Config{
		IncludeSelf: true, PID: os.Getpid(), Events: true,
		WakeupBytes: 1, // so that the first events come while the verifier is at work
	})
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Close()
	loaded := make(chan error, 1)
	go func() {
		_, err := load.Load(generate.TooComplex().Spec, load.Options{})
		loaded <- err
	}()
	var sink cutter
	sink.cut = cancel
	if err := tracer.Run(ctx, &sink); err != nil {
		t.Fatal(err)
	}
	if err := <-loaded; err != nil {
		t.Fatal(err)
	}
	v := one(t, sink.records, "too_complex")
	if v.Verdict != record.VerdictIncomplete || v.Exact || v.IncompleteReason == "" || v.Allocs == 0 {
		t.Errorf("cut off: verdict %s (%s), exact %v, %d allocations", v.Verdict, v.IncompleteReason, v.Exact, v.Allocs)
	}
}

// cutter gathers records, and calls cut at each event and record.
type cutter struct {
	record.NopSink
	cut     func()
	records []*record.Verification
}

func (c *cutter) Event(*record.Event) error {
	c.cut()
	return nil
}

func (c *cutter) Verification(v *record.Verification) error {
	c.cut()
	c.records = append(c.records, v)
	return nil
}

// A signal to the loading thread restarts a load; each attempt is a verification.
func TestLiveRestarted(t *testing.T) {
	requireLive(t)
	s := trace(t, Config{IncludeSelf: true})
	ctx, stop := context.WithCancel(t.Context())
	tid := make(chan int)
	result := make(chan load.Stats, 1)
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		tid <- unix.Gettid()
		stats, err := load.Load(generate.TooComplex().Spec, load.Options{Interruptible: true})
		stop()
		result <- stats
		failed <- err
	}()
	target := <-tid
	for tick := time.NewTicker(5 * time.Millisecond); ctx.Err() == nil; <-tick.C {
		// The thread may have ended since.
		_ = unix.Tgkill(os.Getpid(), target, unix.SIGURG)
	}
	stats, err := <-result, <-failed
	if err != nil {
		t.Fatal(err)
	}
	var restarted int
	for _, v := range named(s.finish(), "too_complex") {
		if v.Verdict == record.VerdictRestarted {
			restarted++
			if v.Errno != int(unix.EAGAIN) || !v.Exact {
				t.Errorf("restarted with errno %d, exact %v, lossy %v", v.Errno, v.Exact, v.Lossy)
			}
		}
	}
	want := stats.Restarts
	if stats.Errno == unix.EAGAIN {
		want++ // the last attempt ended so as well
	}
	if restarted != want || restarted == 0 {
		t.Errorf("%d records of restarted loads, the loader counts %d", restarted, want)
	}
}

// What does not fit the ring buffer is counted, and no record passes for whole.
func TestLiveRingFull(t *testing.T) {
	requireLive(t)
	s := trace(t, Config{IncludeSelf: true, RingBytes: 64 << 10, WakeupBytes: 1 << 20})
	want := loadCase(t, generate.Large(5000))
	records := s.finish()
	if len(s.losses) == 0 {
		t.Fatal("no loss was reported")
	}
	for _, v := range records {
		if v.Exact && (v.StateListAllocs != uint64(want.TotalStates) || v.TracedPeak != uint64(want.PeakStates)) {
			t.Errorf("exact, but %d state lists of %d", v.StateListAllocs, want.TotalStates)
		}
		if v.Exact {
			t.Errorf("%s is exact although the ring buffer overflowed", v.ProgName)
		}
	}
	if losses := s.Summary().Losses; len(losses) == 0 {
		t.Error("the summary has no losses")
	}
}

// By default the process's own loads are not traced.
func TestLiveExcludesSelf(t *testing.T) {
	requireLive(t)
	s := trace(t, Config{})
	loadCase(t, generate.Stress(10))
	for _, v := range s.finish() {
		if v.PID == uint32(os.Getpid()) {
			t.Errorf("traced its own load of %s", v.ProgName)
		}
	}
}

func TestLiveSelect(t *testing.T) {
	requireLive(t)
	for _, tt := range []struct {
		name string
		cfg  Config
		want []string
	}{
		{"all", Config{}, []string{"stress", "loop", "references", "invalid"}},
		{"glob", Config{Select: Select{Prog: "s*"}}, []string{"stress"}},
		{"type", Config{Select: Select{Type: "sched_cls"}}, []string{"references"}},
		{"time", Config{Select: Select{MinTime: time.Hour}}, nil},
		{"pid", Config{PID: os.Getpid()}, []string{"stress", "loop", "references", "invalid"}},
		{"other pid", Config{PID: 1}, nil},
		{"comm", Config{Comm: "no-such-thread"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.IncludeSelf = true
			s := trace(t, tt.cfg)
			for _, p := range []generate.Case{
				generate.Stress(10), generate.Loop(10), generate.References(10), generate.Invalid(),
			} {
				loadCase(t, p)
			}
			var got []string
			for _, v := range s.finish() {
				if v.PID == uint32(os.Getpid()) {
					got = append(got, v.ProgName)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// Events add up to their verification's record.
func TestLiveEvents(t *testing.T) {
	requireLive(t)
	var allocs, frees, foreign, requested uint64
	byType := map[string]uint64{}
	s := traceBy(t, Open, Config{IncludeSelf: true, Select: Select{Prog: "stress"}}, func(e *record.Event) {
		switch {
		case e.Op == record.OpAlloc:
			allocs++
			requested += e.Requested
			byType[e.Type]++
			if e.Pointer == 0 || e.Allocated < e.Requested || e.Cache == "" {
				t.Errorf("alloc event %+v", e)
			}
		case e.Foreign:
			foreign++
		default:
			frees++
			if e.LifetimeNS == nil || e.Type == "" {
				t.Errorf("free event %+v", e)
			}
		}
	})
	loadCase(t, generate.Stress(1000))
	v := one(t, s.finish(), "stress")
	if allocs != v.Allocs || frees != v.Frees || foreign != v.ForeignFrees || requested != v.BytesRequested {
		t.Errorf("events: %d allocs, %d frees, %d foreign, %d bytes; record: %d, %d, %d, %d",
			allocs, frees, foreign, requested, v.Allocs, v.Frees, v.ForeignFrees, v.BytesRequested)
	}
	for _, g := range v.Types {
		if byType[g.Name] != g.Allocs {
			t.Errorf("%d events of type %s, the record has %d", byType[g.Name], g.Name, g.Allocs)
		}
	}
}

// The host's mounts stay as they are, tracefs mounted or not.
func TestLiveMountsNothing(t *testing.T) {
	requireLive(t)
	before, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	s := trace(t, Config{})
	during, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	s.finish()
	if string(before) != string(during) {
		t.Errorf("mounts before:\n%s\nwhile tracing:\n%s", before, during)
	}
}

func TestLiveDiagnose(t *testing.T) {
	requireLive(t)
	d, err := Diagnose(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !d.OK {
		t.Errorf("not ok: %v", d.Lacks)
	}
	for i, name := range []string{"kmem_cache_zalloc", "kzalloc", "is_state_visited"} {
		if h := d.Hooks[i]; h.Name != name || h.State != record.HookAttached || h.ServedBy() == "" {
			t.Errorf("hook %d is %+v, want %s attached", i, h, name)
		}
	}
	for _, h := range d.Hooks {
		if h.State != record.HookAttached && h.State != record.HookReady && h.Reason == "" {
			t.Errorf("%s is not attached, without a reason", h.Name)
		}
		// A kernel may refuse to attach; that its verifier accepts is for us to see to.
		if strings.Contains(h.Reason, "load program:") {
			t.Errorf("%s: %s", h.Name, h.Reason)
		}
	}
}

// Nothing of a tracer is left behind once it is closed.
func TestLiveClose(t *testing.T) {
	requireLive(t)
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	open := func() {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		tracer, err := Open(Config{})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range tracer.Verifications(ctx) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := tracer.Close(); err != nil {
			t.Fatal(err)
		}
	}
	open() // what the runtime and cilium/ebpf open once
	before := count()
	open()
	if after := count(); after != before {
		t.Errorf("%d file descriptors before, %d after", before, after)
	}
}

// Close ends a Run from other goroutines while loads are traced, and then holds nothing.
func TestLiveCloseEndsRun(t *testing.T) {
	requireLive(t)
	tracer, err := Open(Config{IncludeSelf: true, PID: os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan struct{})
	sink := &cutter{cut: sync.OnceFunc(func() { close(seen) })}
	returned := make(chan error, 1)
	go func() { returned <- tracer.Run(t.Context(), sink) }()
	ctx, stop := context.WithCancel(t.Context())
	loaded := make(chan error, 1)
	go func() {
		var err error
		for err == nil && ctx.Err() == nil {
			_, err = load.Load(generate.Stress(100).Spec, load.Options{})
		}
		loaded <- err
	}()
	<-seen
	var closers sync.WaitGroup
	for range 4 {
		closers.Go(func() {
			if err := tracer.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	closers.Wait()
	if err := <-returned; err != nil { // if Run goes on after Close, so does this test
		t.Errorf("Run: %v", err)
	}
	stop()
	if err := <-loaded; err != nil {
		t.Fatal(err)
	}
	if n := len(sink.records); uint64(n) != tracer.Summary().Verifications || n == 0 {
		t.Errorf("%d records, the summary has %d", n, tracer.Summary().Verifications)
	}
	if err := tracer.Run(t.Context(), sink); !errors.Is(err, os.ErrClosed) {
		t.Errorf("run once it is closed: %v", err)
	}
}

func TestLiveBadConfig(t *testing.T) {
	requireLive(t)
	_, err := Open(Config{Select: Select{Type: "no_such_type"}})
	if err == nil || errors.Is(err, ErrUnsupported) {
		t.Errorf("unknown program type: %v", err)
	}
}
