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
		{name: "vmalloc", kind: hookVmalloc, lack: "nothing to see it by"},
		{name: "visits", kind: hookVisit, lack: "inlined"},
	}
	a, err := attachAll(nil, hooks)
	if err != nil {
		t.Fatal(err)
	}
	if h := a.hooks[0]; h.Attached || h.Means != "none" || h.Symbol != "" || h.Reason != "nothing to see it by" {
		t.Errorf("vmalloc: %+v", h)
	}
	if h := a.hooks[1]; h.Attached || h.Means != "call_site" || h.Symbol != "do_check_common" || h.Reason != "inlined" {
		t.Errorf("visits: %+v", h)
	}
	want := []string{"vmalloc: nothing to see it by", "visits: inlined"}
	if !slices.Equal(a.missing, want) {
		t.Errorf("missing %q, want %q", a.missing, want)
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
		t.Errorf("%d hooks told of, want both", len(a.hooks))
	}
}

// Without tracefs a classic tracepoint fails for that reason, and advice says so.
func TestAttachWithoutTracefs(t *testing.T) {
	o := &object{kernel: &runningKernel{release: kernel.Release{Name: "9.9.9-test"}}, tracefsErr: fmt.Errorf("open: %w", os.ErrPermission)}
	h := hook{
		name: "kfree", required: true, lack: "unused",
		choices: []choice{{probes: []probe{{"tp_kfree", meansTracepoint, "kfree", "kmem"}}}},
	}
	a, err := attachAll(o, []hook{h})
	if !errors.Is(err, ErrPermission) {
		t.Errorf("error %v, want ErrPermission", err)
	}
	if r := a.hooks[0]; r.Attached || !strings.HasPrefix(r.Reason, reasonRefused) || !strings.Contains(r.Reason, "tracepoint: ") || r.Advice == "" {
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

// attached makes an attachment of hooks of one kind, each served by some means.
func attached(kind hookKind, by ...string) ([]hook, *attachment) {
	a := &attachment{}
	var hooks []hook
	for _, m := range by {
		hooks = append(hooks, hook{kind: kind})
		a.hooks = append(a.hooks, record.Hook{Means: m, Attached: m != "none" && m != "call_site"})
	}
	return hooks, a
}

func TestMeans(t *testing.T) {
	for _, c := range []struct {
		by   []string
		want string
	}{
		{nil, "none"},
		{[]string{"none", "none"}, "none"},
		{[]string{"call_site"}, "call_site"},
		{[]string{"tracepoint", "tracepoint"}, "tracepoint"},
		{[]string{"none", "kprobe"}, "kprobe"},
		{[]string{"kprobe", "fentry", "kprobe"}, "kprobe, fentry"},
		{[]string{"tracepoint", "raw_tracepoint"}, "tracepoint, raw_tracepoint"},
		{[]string{"raw_tracepoint", "tracepoint"}, "raw_tracepoint, tracepoint"},
		{[]string{"fentry+fexit", "fentry"}, "fentry+fexit, fentry"},
	} {
		hooks, a := attached(hookLedger, c.by...)
		hooks = append(hooks, hook{kind: hookVisit})
		a.hooks = append(a.hooks, record.Hook{Means: "of another kind", Attached: true})
		if got := a.means(hooks, hookLedger); got != c.want {
			t.Errorf("means of %v are %q, want %q", c.by, got, c.want)
		}
	}
}

// Of many entries of the allocators that cannot be probed one sentence tells.
func TestSummarize(t *testing.T) {
	latency, a := attached(hookLatency, "fentry", "none", "none")
	a.hooks[1].Reason, a.hooks[2].Reason = "first reason", "second reason"
	path, b := attached(hookPath, "none")
	b.hooks[0].Reason = "no path"
	hooks := append(append(latency, path...), hook{name: "kfree", kind: hookLedger}, hook{name: "fine", kind: hookLedger})
	a.hooks = append(append(a.hooks, b.hooks...),
		record.Hook{Attached: true, Reason: "may be skipped"}, record.Hook{Attached: true})
	a.summarize(hooks)
	want := []string{
		"kfree: may be skipped",
		"latency: 2 of 3 allocator entries are not probed: first reason",
		"allocator paths: no path",
	}
	if !slices.Equal(a.missing, want) {
		t.Errorf("missing %q, want %q", a.missing, want)
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
			attachment: &attachment{hooks: []record.Hook{{Name: "load return", Means: c.choice.means(), Attached: true}}},
		}
		if got := tr.idleInterval(); got != c.want {
			t.Errorf("preemptible %v, %s: %v, want %v", c.preemptible, c.choice.means(), got, c.want)
		}
	}
}
