package assemble

import (
	"strings"
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
)

// Slices in which the kernel may skip programs of other hooks take nothing from the ledger.
func TestBlindToCalls(t *testing.T) {
	l := newStream(t, kernel6_18, Options{Seeing: true}).startLoad(1)
	l.subprogram(3, 1)
	l.peak(3)
	l.end.Blind = 3
	if v := l.finish(); !v.Exact {
		t.Errorf("lossy %v", v.Lossy)
	}
}

// But for the caller of an area, and so its type, which a probe that was skipped would name.
func TestBlindToCaller(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		site    uint64
		blind   uint64
		exact   bool
	}{
		"named":          {Options{Seeing: true, Callers: true}, 1, 3, true},
		"nameless":       {Options{Seeing: true, Callers: true}, 0, 3, false},
		"no blind slice": {Options{Seeing: true, Callers: true}, 0, 0, true},
		"no such probe":  {Options{Seeing: true}, 0, 3, true},
	} {
		l := newStream(t, kernel6_18, c.options).startLoad(1)
		l.subprogram(3, 1)
		l.peak(3)
		area := Event{Kind: KindAlloc, TID: 1, Verification: 1, Source: SourceVmalloc, Pointer: 0xffffc90000001000, CallSite: c.site, Allocated: 4096, LatencyNS: LatencyNone}
		l.s.none(area)
		area.Kind = KindFree
		l.s.none(area)
		l.end.Allocs++
		l.end.Frees++
		l.end.Blind = c.blind
		if v := l.finish(); v.Exact != c.exact {
			t.Errorf("%s: exact %v, lossy %v", name, v.Exact, v.Lossy)
		}
	}
}

func TestReason(t *testing.T) {
	end := *callOf("processed %d insns (limit %d) max_states_per_insn %d\n", 3, 1000000, 0)
	said := func(cut bool, calls ...*Call) *Words {
		w := &Words{Cut: cut}
		for _, c := range calls {
			w.Calls = append(w.Calls, *c)
		}
		w.Calls = append(w.Calls, end)
		return w
	}
	log := func(cut bool, lines ...string) *Words {
		return &Words{Log: strings.Join(append(lines, "processed 3 insns (limit 1000000)"), "\n") + "\n", Cut: cut}
	}
	unread := callOf("R%d !read_ok%s\n", 0, uint64(0xffff888000000000))
	for _, tt := range []struct {
		name       string
		log, calls []*Words
		end        End
		want       string
		from       record.ReasonFrom
	}{
		{name: "nothing", end: End{Ret: -13}},
		{name: "calls", calls: []*Words{said(false, callOf("R%d type=%s expected=", 1, "ctx"), callOf("%s", "map_ptr"), callOf("\n"))}, end: End{Ret: -13}, want: "R1 type=ctx expected=map_ptr", from: record.ReasonFromCalls},
		{name: "calls in two halves", calls: []*Words{{Calls: []Call{*callOf("R%d ", 1)}}, said(false, callOf("!read_ok\n"))}, end: End{Ret: -13}, want: "R1 !read_ok", from: record.ReasonFromCalls},
		{name: "log", log: []*Words{log(false, "R1 !read_ok")}, end: End{Ret: -13}, want: "R1 !read_ok", from: record.ReasonFromLog},
		{name: "calls and log", log: []*Words{log(true, "other words")}, calls: []*Words{said(false, callOf("R%d !read_ok\n", 2))}, end: End{Ret: -13}, want: "R2 !read_ok", from: record.ReasonFromCalls},
		{name: "hidden calls", log: []*Words{log(true, "R1 type", "other words")}, calls: []*Words{said(false, callOf("R%d !read_ok\n", 2))}, end: End{Ret: -13, Blind: 1}, want: "other words", from: record.ReasonFromLog},
		{name: "halved calls", calls: []*Words{said(true, callOf("!read_ok\n"))}, end: End{Ret: -13}},
		{name: "an unknown part", calls: []*Words{said(false, unread)}, end: End{Ret: -13}},
		{name: "an unknown conversion", calls: []*Words{said(false, callOf("R%pK !read_ok\n", 1))}, end: End{Ret: -13}},
		{name: "an unknown part, and a log", log: []*Words{log(false, "R0 !read_ok now")}, calls: []*Words{said(false, unread)}, end: End{Ret: -13}, want: "R0 !read_ok now", from: record.ReasonFromLog},
		{name: "no words", calls: []*Words{said(false)}, end: End{Ret: -22}},
		{name: "no end", calls: []*Words{{Calls: []Call{*callOf("R0 !read_ok\n")}}}, end: End{Ret: -13}},
		{name: "accepted", calls: []*Words{said(false, callOf("R%d !read_ok\n", 0))}, end: End{Ret: 5}},
		{name: "out of memory", calls: []*Words{said(false, callOf("R%d !read_ok\n", 0))}, end: End{Ret: -12, Failures: 1}},
		{name: "restarted", calls: []*Words{said(false, callOf("R%d !read_ok\n", 0))}, end: End{Ret: -11}},
	} {
		kernel, symbols, _ := stress()
		a := New(kernel, symbols, Options{})
		a.Add(&Event{Kind: KindStart, Verification: 1, TID: 1, Start: &Start{Env: 1 << 40}})
		for _, w := range tt.log {
			a.Add(&Event{Kind: KindLog, Verification: 1, Words: w})
		}
		for _, w := range tt.calls {
			a.Add(&Event{Kind: KindCalls, Verification: 1, Words: w})
		}
		tt.end.Returned = true
		v := a.Add(&Event{Kind: KindEnd, Verification: 1, TID: 1, End: &tt.end})[0]
		if v.Reason != tt.want || v.ReasonFrom != tt.from {
			t.Errorf("%s: %q from %q, want %q from %q", tt.name, v.Reason, v.ReasonFrom, tt.want, tt.from)
		}
	}
}
