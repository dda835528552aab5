package record

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// by makes a hook of a kind that is served by these means of one function, of none that
// is not attached.
func by(kind HookKind, means ...Means) Hook {
	h := Hook{Kind: kind, State: HookAttached}
	for _, m := range means {
		h.Targets = append(h.Targets, Target{Means: m, Name: "f"})
	}
	if len(means) == 0 {
		h.State = HookAbsent
		h.Targets = []Target{{Means: MeansKprobe, Name: "f"}} // was tried
	}
	return h
}

func TestMeansText(t *testing.T) {
	callSite := Hook{Kind: HookLedger, State: HookAbsent, Targets: []Target{{Means: MeansCallSite, Name: "f"}}}
	tracepoint, raw, kprobe, fentry := by(HookLedger, MeansTracepoint), by(HookLedger, MeansRawTracepoint), by(HookLedger, MeansKprobe), by(HookLedger, MeansFentry)
	absent := by(HookLedger)
	for _, c := range []struct {
		hooks []Hook
		want  string
	}{
		{nil, "none"},
		{[]Hook{absent, absent}, "none"},
		{[]Hook{callSite}, "call_site"},
		{[]Hook{tracepoint, tracepoint}, "tracepoint"},
		{[]Hook{absent, kprobe}, "kprobe"},
		{[]Hook{kprobe, fentry, kprobe}, "kprobe, fentry"},
		{[]Hook{tracepoint, raw}, "tracepoint, raw_tracepoint"},
		{[]Hook{raw, tracepoint}, "raw_tracepoint, tracepoint"},
		{[]Hook{by(HookLedger, MeansFentry, MeansFexit), fentry}, "fentry+fexit, fentry"},
		{[]Hook{by(HookLedger, MeansTracepoint, MeansTracepoint)}, "tracepoint"},
	} {
		if got := MeansText(append(c.hooks, by(HookVisit, MeansFexit)), HookLedger); got != c.want {
			t.Errorf("means of %+v are %q, want %q", c.hooks, got, c.want)
		}
	}
}

// The members of earlier versions are written still, and a hook that has them alone is read.
func TestHookJSON(t *testing.T) {
	for _, c := range []struct {
		hook Hook
		want string // members, in part
	}{
		{
			Hook{Name: "visits", State: HookAttached, Targets: []Target{{Means: MeansFentry, Name: "f"}, {Means: MeansFexit, Name: "f"}}},
			`"symbol":"f","means":"fentry+fexit","required":false,"attached":true`,
		},
		{
			Hook{Name: "kfree", State: HookRefused, Errno: 1, Required: true, Targets: []Target{{Means: MeansTracepoint, Name: "kfree", Group: "kmem"}}},
			`"symbol":"kfree","means":"none","required":true,"attached":false`,
		},
		{
			Hook{Name: "load entry, raw", State: HookCovered, CoveredBy: "__sys_bpf"},
			`"symbol":"","means":"none","required":false,"attached":false`,
		},
		{
			Hook{Name: "kzalloc", State: HookAttached, Form: FormInline, Function: "__kmalloc", Targets: []Target{{Means: MeansRawTracepoint, Name: "kmalloc"}}},
			`"symbol":"inline over __kmalloc","means":"raw_tracepoint","required":false,"attached":true`,
		},
		{
			Hook{Name: "is_state_visited", State: HookAbsent, Form: FormInlined, Function: "g", Targets: []Target{{Means: MeansCallSite, Name: "g"}}},
			`"symbol":"inlined into g, matched by call site","means":"call_site","required":false,"attached":false`,
		},
	} {
		text, err := json.Marshal(c.hook)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), c.want) {
			t.Errorf("%s\nlacks %s", text, c.want)
		}
		var got Hook
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.hook, got); diff != "" {
			t.Errorf("read back (-want +got):\n%s", diff)
		}
	}

	var old []Hook
	const text = `[{"name":"a","symbol":"inline over f","means":"kprobe+fentry","required":true,"attached":true},
		{"name":"b","symbol":"","means":"none","required":false,"attached":false,"reason":"why"}]`
	if err := json.Unmarshal([]byte(text), &old); err != nil {
		t.Fatal(err)
	}
	if h := old[0]; h.State != HookAttached || h.ServedBy() != "inline over f" || h.MeansText() != "kprobe+fentry" {
		t.Errorf("got %+v", h)
	}
	if h := old[1]; h.State != HookAbsent || h.ServedBy() != "" || h.MeansText() != "none" {
		t.Errorf("got %+v", h)
	}
}

func TestLacks(t *testing.T) {
	lacks := []Lack{{Kind: HookVisit, Name: "visits", Why: "inlined"}, {Kind: HookLatency, Name: LackLatency, Why: "3 of 3: refused"}}
	text, err := json.Marshal(Environment{Lacks: lacks})
	if err != nil {
		t.Fatal(err)
	}
	if want := `"missing":["visits: inlined","latency: 3 of 3: refused"]`; !strings.Contains(string(text), want) {
		t.Errorf("%s\nlacks %s", text, want)
	}
	for name, text := range map[string]string{
		"of this version": string(text),
		"of an earlier":   `{"missing":["visits: inlined","latency: 3 of 3: refused"]}`,
	} {
		var e Environment
		var d Diagnosis
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		for _, got := range [][]Lack{e.Lacks, d.Lacks} {
			if len(got) != 2 || got[0].String() != "visits: inlined" || WhyLacking(got, HookLatency) != "3 of 3: refused" || WhyLacking(got, HookPath) != "" {
				t.Errorf("%s: got %+v", name, got)
			}
		}
	}
}

func TestTimed(t *testing.T) {
	for _, c := range []struct {
		environment Environment
		want        bool
	}{
		{Environment{Latency: "none", Hooks: []Hook{by(HookLedger, MeansTracepoint), by(HookLatency)}}, false},
		{Environment{Latency: "fentry", Hooks: []Hook{by(HookLatency), by(HookLatency, MeansFentry)}}, true},
		{Environment{Latency: "none", Hooks: []Hook{by(HookLedger, MeansTracepoint)}}, false},        // off
		{Environment{Latency: "none", Hooks: []Hook{{Name: "kmalloc", State: HookAttached}}}, false}, // of an earlier version
		{Environment{Latency: "fentry, kprobe"}, true},
	} {
		if got := c.environment.Timed(); got != c.want {
			t.Errorf("%+v is timed: %t, want %t", c.environment, got, c.want)
		}
	}
}
