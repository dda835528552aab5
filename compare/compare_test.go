package compare

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/compare/veristat"
	"github.com/verialloc/verialloc/exporter/feed/jsonl"
	"github.com/verialloc/verialloc/tracer/record"
)

// compared compares the sides as the goldens have it.
func compared(t testing.TB) (base, comp *Input, c *Comparison) {
	t.Helper()
	a, b := sides()
	base, comp = a.read(t, "base.jsonl"), b.read(t, "new.jsonl")
	var names NameMap
	if err := names.Add("old_name=new_name"); err != nil {
		t.Fatal(err)
	}
	c, err := Compare(base, comp, Options{Names: &names, ObserverBudgetPercent: 25, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return base, comp, c
}

func TestGolden(t *testing.T) {
	base, comp, c := compared(t)
	for name, write := range map[string]func(io.Writer) error{
		"comparison.json": func(w io.Writer) error { return jsonl.New(w).Write(c) },
		"comparison.csv": func(w io.Writer) error {
			joined, err := AsVeristat(base, comp, &NameMap{})
			if err != nil {
				return err
			}
			return joined.WriteCSV(w, veristat.View{})
		},
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
	}
}

func find(t *testing.T, c *Comparison, prog, metric string) *Result {
	t.Helper()
	for i := range c.Rows {
		if c.Rows[i].Prog == prog {
			if r := c.Rows[i].Result(metric); r != nil {
				return r
			}
		}
	}
	t.Fatalf("%s has no %s", prog, metric)
	return nil
}

func TestVerdicts(t *testing.T) {
	_, _, c := compared(t)
	for _, want := range []struct {
		prog, metric string
		verdict      Verdict
		reason       Reason
	}{
		{"faster", "duration", Better, ""},
		{"alike", "duration", Same, ""},
		{"rewritten", "duration", Inconclusive, ReasonWork},
		{"rewritten", "total_states", Better, ""},
		{"rewritten", "syscall", Inconclusive, ReasonWork},
		{"rewritten", "allocs", Better, ""},
		{"watched", allocTime, Inconclusive, ReasonObserver},
		{"faster", "allocs", Same, ""},
	} {
		got := find(t, c, want.prog, want.metric)
		if got.Verdict != want.verdict || got.Reason != want.reason {
			t.Errorf("%s %s: %s, %q: want %s, %q", want.prog, want.metric, got.Verdict, got.Reason, want.verdict, want.reason)
		}
	}
	if r := find(t, c, "bimodal", "duration"); !r.Base.Bimodal || !r.New.Bimodal || r.MinDetectablePercent != nil {
		t.Errorf("bimodal: %+v", r)
	}
	if r := find(t, c, "alike", "total_states"); !r.Deterministic || r.P != nil {
		t.Errorf("total_states: %+v", r)
	}
	for i := range c.Rows {
		if c.Rows[i].Prog == "watched" && (c.Rows[i].Ceiling.Refused == "" || !c.Rows[i].Observer.Exceeded) {
			t.Errorf("watched: the ceiling is not refused")
		}
	}
}

// What slab takes for itself depends on the loads before: it makes nothing better or
// worse, and a limit does not see it.
func TestAllocatorsOwn(t *testing.T) {
	_, _, c := compared(t)
	for _, metric := range []string{"allocs", "bytes_allocated", "peak_live_bytes"} {
		r := find(t, c, "alike", metric)
		if r.Verdict != Same || !r.Deterministic || !r.AllocatorsOwn || r.Base.Median == r.New.Median || r.Change.Absolute != 0 || *r.Change.Percent != 0 {
			t.Errorf("%s: %+v", metric, r)
		}
		limit, err := ParseLimit(metric + ">=0.001%")
		if err != nil {
			t.Fatal(err)
		}
		exceeded, _ := limit.Check(c)
		for _, f := range exceeded {
			if f.Prog == "alike" {
				t.Errorf("%s", f)
			}
		}
	}
}

// A change is of what the verdict is of: slab that takes less by chance does not turn
// more into less.
func TestChangeWithoutAllocatorsOwn(t *testing.T) {
	a := values{a: []float64{100, 100}, b: []float64{105, 105}, allocatorA: []float64{30, 31}, allocatorB: []float64{0, 0}}
	m := method{alpha: DefaultAlpha, power: DefaultPower, confidence: DefaultConfidence}
	for i := range metrics {
		if metrics[i].name != "allocs" {
			continue
		}
		r := m.newTrial(&metrics[i], a, "")
		m.judge(&metrics[i], []*trial{r})
		if r.Base.Median != 130.5 || r.New.Median != 105 || r.Verdict != Worse || r.Change.Absolute != 5 || *r.Change.Percent != 5 || *r.Change.MedianPercent != 5 {
			t.Errorf("%+v", r.Result)
		}
	}
}

// Who times fewer allocations has the smaller sum, and is not better for it.
func TestTimedShare(t *testing.T) {
	for _, want := range []struct {
		untimed uint64
		reason  Reason
	}{{20, ReasonTimed}, {0, ReasonWide}} {
		a, b := sides()
		a.traced, b.traced = 40, 40
		b.programs[0].untimed = want.untimed
		c, err := Compare(a.read(t, "base"), b.read(t, "new"), Options{ObserverBudgetPercent: 25, Metrics: []string{allocTime}})
		if err != nil {
			t.Fatal(err)
		}
		r := find(t, c, "faster", allocTime)
		if r.Verdict != Inconclusive || r.Reason != want.reason || (r.P == nil) != (want.reason == ReasonTimed) {
			t.Errorf("%d not timed: %+v", want.untimed, r)
		}
		if hasWarning(c, "timed_share", "faster", allocTime, "99.5% of BASE's allocations were timed, and 89.7% of NEW's") != (want.reason == ReasonTimed) {
			t.Errorf("%d not timed: %+v", want.untimed, c.Warnings)
		}
		// The allocators' own are not timed, and how many they are is chance.
		if r := find(t, c, "alike", allocTime); r.Reason == ReasonTimed {
			t.Errorf("alike: %+v", r)
		}
	}
}

// Where BASE differs from itself by much, nothing is the same.
func TestNoisy(t *testing.T) {
	a, b := sides()
	for _, f := range []*fake{&a, &b} {
		f.programs[1].ns = lognormal(700e3, 0.5)
	}
	c, err := Compare(a.read(t, "base"), b.read(t, "new"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r := find(t, c, "alike", "duration"); r.Verdict != Inconclusive || r.Reason != ReasonNoisy || *r.FloorPercent < 10 || r.SettleSamples <= 40 {
		t.Errorf("%+v", r)
	}
	if c, err = Compare(a.read(t, "base"), b.read(t, "new"), Options{MaxFloorPercent: 1000}); err != nil {
		t.Fatal(err)
	}
	if r := find(t, c, "alike", "duration"); r.Verdict != Same {
		t.Errorf("%+v", r)
	}
}

// The share of BASE's allocations that a type has bounds what it can save.
func TestCeiling(t *testing.T) {
	_, _, c := compared(t)
	row := &c.Rows[0]
	if row.Prog != "faster" {
		t.Fatal(row.Prog)
	}
	verification := find(t, c, "faster", "duration").Base.Median
	for _, want := range []struct {
		name       string
		ns, floor  float64
		ofAllocs   float64
		timedShare float64
	}{
		{"func_state", 136 * 900, 136 * 100, 100 * 136.0 / 205, 100},
		{"state_list", 68 * 400, 68 * 100, 100 * 68.0 / 205, 100},
	} {
		for _, got := range row.Ceiling.Types {
			if got.Type != want.name {
				continue
			}
			if *got.AtMostPercent != 100*want.ns/verification || *got.LessProbesPercent != 100*(want.ns-want.floor)/verification ||
				got.AllocsPercent != want.ofAllocs || got.TimedPercent != want.timedShare {
				t.Errorf("%+v, want %+v", got, want)
			}
		}
	}
	if last := row.Ceiling.Types[2]; last.Type != "insn_aux" || last.AtMostPercent != nil || last.TimedPercent != 0 {
		t.Errorf("insn_aux is not timed: %+v", last)
	}
}

// Of loads that shared their CPU, what free allocations could save is a share of their CPU
// time: of their time by the clock it would be too low.
func TestCeilingOfContendedLoads(t *testing.T) {
	read := func(seed uint64, contended bool) *Input {
		f := fake{seed: seed, kernel: "6.19.6", build: "#1 SMP", bare: 20, traced: 6, factor: 1, programs: []program{
			{file: "a.bpf.o", name: "a", ns: lognormal(33_600_000, 0.001), insns: 9000, states: 874, observer: 1.1},
		}}
		lines := f.lines()
		for _, line := range lines {
			s, ok := line.(*record.Sample)
			if !ok || s.Mode != record.ModeBare || !contended {
				continue
			}
			s.VerifierTimeNS += 23_000_000
			s.SyscallNS += 23_000_000 // and the task clock stands
		}
		in, err := Read("a", bytes.NewReader(encoded(t, lines)), ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	compared := func(base *Input) *Comparison {
		c, err := Compare(base, read(2, false), Options{ObserverBudgetPercent: 25})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	quiet, contended := compared(read(1, false)), compared(read(1, true))
	want, got := quiet.Rows[0].Ceiling, contended.Rows[0].Ceiling
	if a, b := *want.Total.AtMostPercent, *got.Total.AtMostPercent; math.Abs(a-b) > 0.001*a {
		t.Errorf("at most %v %%, want %v %% as without contention", b, a)
	}
	if got.CPUNS == nil || *got.CPUNS > 34e6 || got.VerificationNS < 56e6 {
		t.Errorf("CPU time %v, by the clock %v", got.CPUNS, got.VerificationNS)
	}
	if !hasWarning(contended, "contended", "a", "", "bare loads were on a CPU 59.4% of the time (BASE)") {
		t.Errorf("warnings: %+v", contended.Warnings)
	}
	if !hasWarning(contended, "disturbed", "a", "", "traced loads took less time than bare ones (BASE): ") {
		t.Errorf("warnings: %+v", contended.Warnings)
	}
	for _, w := range quiet.Warnings {
		if w.Code == "contended" || w.Code == "disturbed" {
			t.Errorf("a quiet machine: %+v", w)
		}
	}
}

// What tracing takes of BASE is known without traced loads of NEW, and a claim beyond
// the budget is refused then, too.
func TestCeilingOfOneTracedSide(t *testing.T) {
	a, b := sides()
	b.traced = 0
	c, err := Compare(a.read(t, "base"), b.read(t, "new"), Options{ObserverBudgetPercent: 25})
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Rows {
		if row := &c.Rows[i]; (row.Ceiling.Refused != "") != (row.Prog == "watched" || row.Prog == "bimodal") {
			t.Errorf("%s: refused: %q", row.Prog, row.Ceiling.Refused)
		}
	}
}

// A verification that becomes faster than free allocations would make it says so.
func TestBeyondCeiling(t *testing.T) {
	a, b := sides()
	b.programs[0].ns = lognormal(1.2e6, 0.02) // half the time; allocations take 6 %
	c, err := Compare(a.read(t, "base"), b.read(t, "new"), Options{ObserverBudgetPercent: 25})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range c.Warnings {
		if w.Code == "beyond_ceiling" && w.Prog == "faster" && w.Metric == "duration" {
			return
		}
	}
	t.Errorf("no warning: %+v", c.Warnings)
}

func TestSlack(t *testing.T) {
	_, _, c := compared(t)
	byType := map[string]Slack{}
	for _, s := range c.Slack {
		byType[s.Type] = s
	}
	funcs := byType["func_state"]
	if funcs.ObjectBytes != 1368 || funcs.DedicatedSlotBytes != 1368 || funcs.RecoverableBytes != funcs.Allocs*(2048-1368) ||
		funcs.PerSlab != 16 || funcs.DedicatedPerSlab != 23 || funcs.Accounted == nil || !*funcs.Accounted || len(funcs.Partners)+len(funcs.PartnersAccounted) != 0 {
		t.Errorf("func_state: %+v", funcs)
	}
	lists := byType["state_list"]
	if lists.RecoverableBytes != 0 || strings.Join(lists.PartnersAccounted, ";") != "kmalloc-cg-192" ||
		strings.Join(lists.Partners, ";") != "file_lock_cache (inet_peer_cache)" {
		t.Errorf("state_list: %+v", lists)
	}
	if aux := byType["insn_aux"]; aux.ObjectBytes != 0 || aux.RecoverableBytes != 0 {
		t.Errorf("insn_aux: %+v", aux)
	}
}

// Caches that share slabs are one partner, whichever of their names the kernel lists.
func TestPartnersOfOneSlab(t *testing.T) {
	m := machine("6.12.118", "#1 SMP")
	m.SlabCaches = []record.SlabCache{{Name: "kmalloc-cg-192", ObjectBytes: 192, SlotBytes: 192, ObjectsPerSlab: 21}}
	merged := func(id string, names ...string) {
		for _, name := range names {
			others := slices.DeleteFunc(slices.Clone(names), func(other string) bool { return other == name })
			m.SlabCaches = append(m.SlabCaches, record.SlabCache{Name: name, ID: id, ObjectBytes: 192, SlotBytes: 192, ObjectsPerSlab: 21, Aliases: others})
		}
	}
	merged(":A-0000192", "cred", "pid", "pid_2")
	merged(":0000192", "aio_kiocb", "file_lock_cache", "inet_peer_cache", "rtable")
	m.SlabCaches = append(m.SlabCaches, record.SlabCache{Name: "skbuff_ext_cache", ID: ":0000184", ObjectBytes: 184, SlotBytes: 184, ObjectsPerSlab: 22})

	s := Slack{Cache: "kmalloc-cg-192", ObjectBytes: 192}
	s.describe(m)
	s.recover()
	if want := []string{"cred (pid, pid_2)"}; !slices.Equal(s.PartnersAccounted, want) {
		t.Errorf("accounted: %q, want %q", s.PartnersAccounted, want)
	}
	if want := []string{"aio_kiocb (file_lock_cache, inet_peer_cache, rtable)"}; !slices.Equal(s.Partners, want) {
		t.Errorf("not accounted: %q, want %q", s.Partners, want)
	}
}

// A slab holds what its pages have room for, not what slots of another size leave of it;
// recordings without the size of a page have it where the architecture does.
func TestOwnSlotsOfASlab(t *testing.T) {
	for _, c := range []struct {
		pageBytes    int
		architecture string
		want         uint64
	}{{4096, "x86_64", 22}, {0, "x86_64", 22}, {65536, "aarch64", 356}, {0, "aarch64", 0}} {
		m := machine("6.12.118", "#1 SMP")
		m.PageBytes, m.Architecture = c.pageBytes, c.architecture
		s := Slack{Cache: "kmalloc-192", ObjectBytes: 184}
		s.describe(m)
		if s.DedicatedPerSlab != c.want || s.SlotBytes != 192 {
			t.Errorf("%+v: %+v", c, s)
		}
		if s.Accounted != nil {
			t.Error("kmalloc-192 has no id here, and it is not known whether it is accounted")
		}
	}
}

// The same files give the same bytes, whatever the order of maps and of time.
func TestSameOutput(t *testing.T) {
	var first string
	for range 3 {
		_, _, c := compared(t)
		var text strings.Builder
		if err := jsonl.New(&text).Write(c); err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = text.String()
		} else if text.String() != first {
			t.Fatal("another output")
		}
	}
}

func TestNoiseOfAnotherRecording(t *testing.T) {
	a, b := sides()
	again := a
	again.seed, again.factor = 3, 1.2 // the machine was slower that day
	base, comp := a.read(t, "base"), b.read(t, "new")
	c, err := Compare(base, comp, Options{Noise: again.read(t, "again")})
	if err != nil {
		t.Fatal(err)
	}
	if r := find(t, c, "faster", "duration"); r.Verdict == Better || *r.FloorPercent < 19 {
		t.Errorf("%s with a floor of %.1f%%: a change of 8%% is noise where BASE differs from itself by 20%%", r.Verdict, *r.FloorPercent)
	}
	again.kernel = "6.19.1"
	if _, err := Compare(base, comp, Options{Noise: again.read(t, "again")}); err == nil || !strings.Contains(err.Error(), "again: ") {
		t.Errorf("noise of another kernel: %v", err)
	}
}

func hasWarning(c *Comparison, code, prog, metric, text string) bool {
	return slices.ContainsFunc(c.Warnings, func(w Warning) bool {
		return w.Code == code && w.Prog == prog && w.Metric == metric && strings.Contains(w.Text, text)
	})
}

// A recording for the noise that lacks a program, or has it with other work, gives it no
// floor, and more samples of BASE would not.
func TestNoiseOfOtherPrograms(t *testing.T) {
	a, b := sides()
	again := a
	again.programs = slices.Clone(a.programs[1:])
	again.programs[0].insns++
	again.bare++
	base, comp := a.read(t, "base"), b.read(t, "new")
	c, err := Compare(base, comp, Options{Noise: again.read(t, "again")})
	if err != nil {
		t.Fatal(err)
	}
	for prog, text := range map[string]string{"faster": "again has no duration of it", "alike": "again is not of the same work: total_insns 416 -> 417"} {
		if r := find(t, c, prog, "duration"); r.Reason != ReasonNoFloor || r.SettleSamples != 0 || r.Unsettled != UnsettledNoNoise {
			t.Errorf("%s: %+v", prog, r)
		}
		if !hasWarning(c, "no_noise", prog, "duration", text) {
			t.Errorf("no warning %q: %+v", text, c.Warnings)
		}
	}
	if !hasWarning(c, "noise_environment", "", "", "again differs from BASE: bench repeat 40 -> 41") {
		t.Errorf("no warning of the environment: %+v", c.Warnings)
	}
}

// A machine that changes its pace while NEW is measured makes no program worse.
func TestUnsteady(t *testing.T) {
	a, b := sides()
	loads := 0
	b.programs[1].ns = func(r *rand.Rand) float64 {
		loads++
		pace := 1.0
		if loads > b.bare/2 {
			pace = 2.5
		}
		return pace * lognormal(700e3, 0.02)(r)
	}
	b.traced = 0
	c, err := Compare(a.read(t, "base"), b.read(t, "new"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r := find(t, c, "alike", "duration"); r.Verdict != Inconclusive || r.Reason != ReasonUnsteady || *r.PHolm >= 0.05 || *r.Change.Percent < 2**r.FloorPercent {
		t.Errorf("%+v", r)
	}
}

func TestFewSamples(t *testing.T) {
	for _, c := range []struct {
		bare   int
		reason Reason
	}{{1, ReasonOneSample}, {2, ReasonNoFloor}, {7, ReasonNoFloor}} {
		a, b := sides()
		a.bare, b.bare, a.traced, b.traced = c.bare, c.bare, 0, 0
		b.programs[0].ns = func(*rand.Rand) float64 { return 1e6 } // less than half
		got, err := Compare(a.read(t, "base"), b.read(t, "new"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r := find(t, got, "faster", "duration"); r.Verdict != Inconclusive || r.Reason != c.reason || r.SettleSamples != 8 {
			t.Errorf("n=%d: %s, %q, %d samples", c.bare, r.Verdict, r.Reason, r.SettleSamples)
		}
	}
}

// Where nothing was timed there is no claim to refuse, however long tracing took, and one
// line says why instead of a table without numbers.
func TestNothingTimed(t *testing.T) {
	a, _ := sides()
	lines := a.lines()
	for _, line := range lines {
		if e, ok := line.(*record.Environment); ok {
			e.Lacks = []record.Lack{
				{Kind: record.HookVisit, Name: "visits", Why: "inlined"},
				{Kind: record.HookLatency, Name: record.LackLatency, Why: "2 of 2 allocator entries are not probed: not permitted"},
			}
		}
		if s, ok := line.(*record.Sample); ok && s.Traced != nil {
			s.Traced.AllocTimeNS, s.Traced.LatencyCoverage, s.Traced.Latency = 0, 0, record.Histogram{}
			for i := range s.Traced.Types {
				s.Traced.Types[i].AllocTimeNS, s.Traced.Types[i].Latency = 0, record.Histogram{}
			}
		}
	}
	in, err := Read("untimed.jsonl", bytes.NewReader(encoded(t, lines)), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Compare(in, in, Options{ObserverBudgetPercent: 25})
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Rows {
		row := &c.Rows[i]
		if row.Ceiling == nil || row.Ceiling.Refused != "" || row.Ceiling.Total.AtMostPercent != nil {
			t.Errorf("%s: %+v", row.Prog, row.Ceiling)
		}
		if hasWarning(c, "observer", row.Prog, allocTime, "") {
			t.Errorf("%s: a warning of times that were not measured", row.Prog)
		}
	}
	const why = "no latency of an allocation was measured: 2 of 2 allocator entries are not probed: not permitted"
	if got := c.NoCeiling(); got != why {
		t.Errorf("%q, want %q", got, why)
	}
}

func TestMissingMetrics(t *testing.T) {
	a, b := sides()
	c, err := Compare(a.read(t, "base"), b.read(t, "new"), Options{Metrics: []string{"duration", "cycles", "ipc", "cycles"}})
	if err != nil {
		t.Fatal(err)
	}
	if !hasWarning(c, "no_values", "", "", "of: cycles, ipc") {
		t.Errorf("%+v", c.Warnings)
	}
}

func TestNothingInCommon(t *testing.T) {
	a, b := sides()
	for i := range b.programs {
		b.programs[i].name += "_renamed"
	}
	c, err := Compare(a.read(t, "base"), b.read(t, "new"), Options{Metrics: []string{"duration"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Rows) != 0 || len(c.Unmatched) == 0 || !hasWarning(c, "nothing_in_common", "", "", "--map") {
		t.Errorf("%d rows, %d unmatched, %+v", len(c.Rows), len(c.Unmatched), c.Warnings)
	}
	if hasWarning(c, "no_values", "", "", "") {
		t.Error("a warning of a metric where there is no program")
	}
}

// A mapped name that a side does not have is reported.
func TestNotMapped(t *testing.T) {
	a, b := sides()
	base, comp := a.read(t, "base"), b.read(t, "new")
	for text, want := range map[string]string{
		"old_name=new_name":                       "",
		"loop.bpf.o/old_name=loop.bpf.o/new_name": "",
		"flow.bpf.o/=loop.bpf.o/":                 "",
		"old_nam=new_name":                        "BASE has no old_nam",
		"old_name=new_nam":                        "NEW has no new_nam",
		"new_name=old_name":                       "BASE has no new_name, NEW has no old_name",
		"flow.bpf.o/old_name=loop.bpf.o/new_name": "BASE has no flow.bpf.o/old_name",
		"flow.o/=loop.bpf.o/":                     "BASE has no flow.o/",
	} {
		var names NameMap
		if err := names.Add(text); err != nil {
			t.Fatal(err)
		}
		c, err := Compare(base, comp, Options{Names: &names, Metrics: []string{"total_states"}})
		if err != nil {
			t.Fatal(err)
		}
		if want == "" && hasWarning(c, "not_mapped", "", "", "") || want != "" && !hasWarning(c, "not_mapped", "", "", "--map "+text+" matches nothing: "+want) {
			t.Errorf("%s: %+v", text, c.Warnings)
		}
	}
}

// A load that did not reach the verifier has no time: not 0, which a median would take in.
func TestNoVerifierTime(t *testing.T) {
	const head = `{"schema":"verialloc/1","kind":"machine"}
{"schema":"verialloc/1","kind":"program","prog_name":"p"}
{"schema":"verialloc/1","kind":"sample","mode":"bare","verdict":"rejected"}
{"schema":"verialloc/1","kind":"sample","mode":"traced","traced":{"exact":true,"allocs":1,"latency":{"count":1},"types":[{"name":"env"}]}}
{"schema":"verialloc/1","kind":"end","samples":2}
`
	in, err := Read("side", strings.NewReader(head), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Compare(in, in, Options{Metrics: Metrics(), ObserverBudgetPercent: 25})
	if err != nil {
		t.Fatal(err)
	}
	row := c.Rows[0]
	if slices.ContainsFunc(row.Metrics, func(r Result) bool { return r.Metric == "duration" }) {
		t.Errorf("a duration: %+v", row.Metrics)
	}
	if row.Ceiling == nil || row.Ceiling.Absent == "" {
		t.Errorf("ceiling %+v", row.Ceiling)
	}
	if err := jsonl.New(io.Discard).Write(c); err != nil {
		t.Error(err)
	}
}
