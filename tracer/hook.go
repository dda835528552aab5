package tracer

// means is the way in which a program gets to run.
type means string

const (
	meansRawTracepoint means = "raw_tracepoint"
	meansTracepoint    means = "tracepoint"
	meansFentry        means = "fentry"
	meansFexit         means = "fexit"
	meansKprobe        means = "kprobe"
	meansKretprobe     means = "kretprobe"
	meansCallSite      means = "call_site"
	meansNone          means = "none"
)

// probe is one BPF program at one place.
type probe struct {
	program string // name in the object
	means   means
	target  string // function, or tracepoint
	group   string // of a tracepoint
}

// choice is one way to serve a hook: all its probes or none.
type choice struct {
	probes []probe
	// inexact is set where the kernel may skip these programs while other
	// tasks use BPF, and a record cannot tell whether it did.
	inexact bool
	// skippable is set where bpf_prog_active tells when it may.
	skippable bool
}

// symbol and means say what a choice is, in short.
func (c choice) symbol() string { return c.probes[0].target }

func (c choice) means() string {
	first, last := c.probes[0], c.probes[len(c.probes)-1]
	if first.means != last.means {
		return string(first.means) + "+" + string(last.means)
	}
	return string(first.means)
}

// hook is one thing that the tracer wants to see, with the ways to see it in
// order of preference. None is left where the kernel has no such thing.
type hook struct {
	name     string
	purpose  string
	kind     hookKind
	required bool
	choices  []choice
	unless   string // the hook that makes this one needless where it attached
	lack     string // why there is no choice, or what is missing without one
}

// hookKind groups hooks by what they are for.
type hookKind int

const (
	hookLoad hookKind = iota
	hookCheck
	hookLedger
	hookVmalloc
	hookVmallocSize
	hookLatency
	hookPath
	hookVisit
	hookFollow
	hookExit
	hookSlice
)
