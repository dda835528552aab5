package tracer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer/record"
)

// A hook without a choice says what the kernel lacks, and a visit that was inlined
// is still seen by its call sites.
func TestAttachWithoutChoice(t *testing.T) {
	hooks := []hook{
		{name: "vmalloc", kind: record.HookVmalloc, lack: "nothing to see it by"},
		{name: "visits", kind: record.HookVisit, lack: "inlined", callSites: "some_function"},
	}
	a, err := attachAll(nil, hooks)
	if err != nil {
		t.Fatal(err)
	}
	if h := a.hooks[0]; h.State != record.HookAbsent || len(h.Targets) != 0 || h.Reason != "nothing to see it by" {
		t.Errorf("vmalloc: %+v", h)
	}
	if h := a.hooks[1]; h.State != record.HookAbsent || h.MeansText() != "call_site" || h.ServedBy() != "some_function" || h.Reason != "inlined" {
		t.Errorf("visits: %+v", h)
	}
	want := []string{"vmalloc: nothing to see it by", "visits: inlined"}
	if got := missing(a.lacks); !slices.Equal(got, want) {
		t.Errorf("missing %q, want %q", got, want)
	}
}

func TestRequiredHookWithoutChoice(t *testing.T) {
	o := &object{kernel: &runningKernel{release: kernel.Release{Name: "9.9.9-test"}}}
	hooks := []hook{{name: "first", required: true, lack: "no such thing"}, {name: "second", required: true, lack: "nor this"}}
	a, err := attachAll(o, hooks)
	if !errors.Is(err, ErrUnsupported) || errors.Is(err, ErrPermission) {
		t.Errorf("error %v, want ErrUnsupported", err)
	}
	for _, part := range []string{"9.9.9-test", "first", "no such thing"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
	if len(a.hooks) != 2 {
		t.Errorf("%d hooks reported, want both", len(a.hooks))
	}
}

// Without tracefs a classic tracepoint fails for that reason, and advice says so.
func TestAttachWithoutTracefs(t *testing.T) {
	o := &object{kernel: &runningKernel{release: kernel.Release{Name: "9.9.9-test"}}, tracefsErr: fmt.Errorf("open: %w", os.ErrPermission)}
	h := hook{
		name: "kfree", required: true, lack: "unused",
		choices: []choice{{probes: []probe{{"tp_kfree", record.MeansTracepoint, "kfree", "kmem"}}}},
	}
	a, err := attachAll(o, []hook{h})
	if !errors.Is(err, ErrPermission) {
		t.Errorf("error %v, want ErrPermission", err)
	}
	if r := a.hooks[0]; r.State != record.HookRefused || !strings.Contains(r.Reason, "tracepoint: ") || r.Advice == "" {
		t.Errorf("got %+v", r)
	}

	o.tracefsErr = errors.New("no such filesystem")
	a, err = attachAll(o, []hook{h})
	if !errors.Is(err, ErrUnsupported) {
		t.Errorf("error %v, want ErrUnsupported", err)
	}
	if r := a.hooks[0]; !strings.Contains(r.Reason, "no such filesystem") || !strings.Contains(r.Advice, "mount tracefs") {
		t.Errorf("got %+v", r)
	}
}

// missing are the sentences of lacks.
func missing(lacks []record.Lack) []string {
	var missing []string
	for _, l := range lacks {
		missing = append(missing, l.String())
	}
	return missing
}

// A fallback is covered by the hook that it is one for, and by one that had to take its
// place; where neither is attached it is tried.
func TestCovered(t *testing.T) {
	fallback := hook{
		name: "load return, raw", kind: record.HookLoad, unless: "__sys_bpf", required: false, lack: "never",
		choices: []choice{{probes: []probe{{"raw_sys_exit", record.MeansRawTracepoint, "sys_exit", ""}}}},
	}
	for _, c := range []struct {
		other record.Hook
		by    string
	}{
		{record.Hook{Name: "__sys_bpf", State: record.HookAttached}, "__sys_bpf"},
		{record.Hook{Name: "__sys_bpf", State: record.HookRefused}, ""},
		{
			record.Hook{Name: "load return", State: record.HookAttached, Targets: []record.Target{{Means: record.MeansRawTracepoint, Name: "sys_exit"}}},
			"load return",
		},
		{
			record.Hook{Name: "load return", State: record.HookAttached, Targets: []record.Target{{Means: record.MeansTracepoint, Name: "sys_exit_bpf", Group: "syscalls"}}},
			"",
		},
	} {
		a := &attachment{hooks: []record.Hook{c.other}}
		if got := a.precluded(fallback); got != c.by {
			t.Errorf("beside %+v it is precluded by %q, want %q", c.other, got, c.by)
		}
		if c.by == "" {
			continue
		}
		r := a.attach(fallback)
		if r.State != record.HookCovered || r.CoveredBy != c.by || r.Reason != "not needed: "+c.by+" is attached" {
			t.Errorf("got %+v", r)
		}
		if l := lacks([]record.Hook{r}); len(l) != 0 {
			t.Errorf("nothing is lacking, but %v", l)
		}
	}

	// What serves as the ledger does not stand in for it as well.
	raw := rawTracepoint("kfree")
	standIn := hook{name: "ledger, raw", kind: record.HookStandIn, choices: []choice{{probes: []probe{raw}, standsIn: true}}}
	ledger := record.Hook{Name: "kfree", State: record.HookAttached, Targets: choice{probes: []probe{raw}}.targets()}
	a := &attachment{hooks: []record.Hook{ledger}}
	if got := a.precluded(standIn); got != "kfree" {
		t.Errorf("beside a raw ledger it is precluded by %q", got)
	}
	r := a.attach(standIn)
	if r.State != record.HookAbsent || r.CoveredBy != "" || r.Reason != "the raw program of kfree serves the ledger" {
		t.Errorf("got %+v", r)
	}
	if l := lacks([]record.Hook{r}); len(l) != 1 || l[0].Kind != record.HookStandIn {
		t.Errorf("lacking %v, want what stands in", l)
	}
	a.hooks[0].Targets = []record.Target{{Means: record.MeansTracepoint, Name: "kfree", Group: "kmem"}}
	if got := a.precluded(standIn); got != "" {
		t.Errorf("beside a classic ledger it is precluded by %q", got)
	}
}

// A choice may be one only where no hook of a kind is attached.
func TestChoiceUnless(t *testing.T) {
	first := choice{probes: []probe{{"fexit_vmalloc", record.MeansTracepoint, "first", "none"}}}
	second := choice{probes: []probe{{"raw_kfree", record.MeansTracepoint, "second", "none"}}, unless: record.HookVmEntry}
	for _, c := range []struct {
		state record.HookState
		want  int // choices that are tried
	}{{record.HookRefused, 2}, {record.HookAttached, 1}} {
		a := &attachment{
			object: &object{tracefsErr: errors.New("no such tracepoint")},
			hooks:  []record.Hook{{Name: "vmalloc entry", Kind: record.HookVmEntry, State: c.state}},
		}
		r := a.attach(hook{name: "ledger, raw", choices: []choice{first, second}})
		if tried := strings.Count(r.Reason, "no such tracepoint"); tried != c.want {
			t.Errorf("beside a %s hook %d choices are tried, want %d: %q", c.state, tried, c.want, r.Reason)
		}
	}
}

// Many entries of the allocators that cannot be probed are one lack.
func TestLacks(t *testing.T) {
	hooks := []record.Hook{
		{Kind: record.HookLatency, State: record.HookAttached},
		{Kind: record.HookLatency, State: record.HookRefused, Reason: "first reason"},
		{Kind: record.HookLatency, State: record.HookAbsent, Reason: "second reason"},
		{Kind: record.HookPath, State: record.HookAbsent, Reason: "no path"},
		{Kind: record.HookLedger, Name: "kfree", State: record.HookAttached, Reason: "may be skipped"},
		{Kind: record.HookLedger, Name: "fine", State: record.HookAttached},
	}
	want := []record.Lack{
		{Kind: record.HookLedger, Name: "kfree", Why: "may be skipped"},
		{Kind: record.HookLatency, Name: "latency", Why: "2 of 3 allocator entries are not probed: first reason"},
		{Kind: record.HookPath, Name: "allocator paths", Why: "no path"},
	}
	if got := lacks(hooks); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		err                     error
		permission, unsupported bool
		cause                   string
	}{
		{fmt.Errorf("attach: %w", syscall.EPERM), true, false, "operation not permitted"},
		{fmt.Errorf("load: %w", syscall.EACCES), true, false, "permission denied"},
		{fmt.Errorf("open: %w", &os.PathError{Op: "open", Path: "/x", Err: syscall.EACCES}), true, false, "permission denied"},
		{fmt.Errorf("fentry: %w", ebpf.ErrNotSupported), false, true, "fentry: not supported"},
		{fmt.Errorf("open: %w", os.ErrNotExist), false, true, "open: file does not exist"},
		{fmt.Errorf("%w: already", ErrUnsupported), false, true, "not supported by this kernel: already"},
		{fmt.Errorf("%w: %w", ErrPermission, os.ErrNotExist), true, false, "not permitted: file does not exist"},
		{fmt.Errorf("load: %w\nline 2\nline 3", io.EOF), false, false, "load: EOF"},
	} {
		got := classify(c.err)
		if errors.Is(got, ErrPermission) != c.permission || errors.Is(got, ErrUnsupported) != c.unsupported || !errors.Is(got, c.err) {
			t.Errorf("%v is classified as %v", c.err, got)
		}
		if cause(c.err) != c.cause {
			t.Errorf("cause of %q is %q, want %q", c.err, cause(c.err), c.cause)
		}
	}
	if classify(nil) != nil {
		t.Error("no error is classified as one")
	}
}

// Only where no program wakes the reader at a load's return does it look often.
func TestIdleInterval(t *testing.T) {
	k := kernelOf(t, functions6_1)
	k.preemptibleSyscalls = true
	returns := slices.IndexFunc(k.planLoad(), func(h hook) bool { return h.name == "load return" })
	choices := k.planLoad()[returns].choices // by tracepoint, and raw
	for _, c := range []struct {
		preemptible bool
		choice      choice
		want        time.Duration
	}{
		{false, choices[0], time.Second},
		{false, choices[1], time.Second},
		{true, choices[0], time.Second},
		{true, choices[1], 100 * time.Millisecond},
	} {
		tr := &Tracer{
			kernel:     &runningKernel{preemptibleSyscalls: c.preemptible},
			attachment: &attachment{hooks: []record.Hook{{Name: "load return", State: record.HookAttached, Targets: c.choice.targets()}}},
		}
		if got := tr.idleInterval(); got != c.want {
			t.Errorf("preemptible %v, %s: %v, want %v", c.preemptible, record.JoinMeans(c.choice.means()), got, c.want)
		}
	}
}
