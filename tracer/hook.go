package tracer

import (
	"slices"

	"github.com/verialloc/verialloc/tracer/record"
)

// inlinedInto is the function that is_state_visited() is part of where it has no symbol.
const inlinedInto = "do_check_common"

// probe is one BPF program at one place.
type probe struct {
	program string // name in the object
	means   record.Means
	target  string // function, or tracepoint
	group   string // of a tracepoint
}

// choice is one way to serve a hook: all its probes or none.
type choice struct {
	probes []probe
	// inexact is set where the kernel may skip these programs while other
	// tasks use BPF, and a record does not show whether it did.
	inexact bool
	// skippable is set where bpf_prog_active shows when it may.
	skippable bool
	// standsIn is set of programs that run where those of the ledger are skipped, and that
	// are attached once that is seen.
	standsIn bool
	// unless is a kind of which no hook may be attached for this choice to be one; empty: any may.
	unless record.HookKind
}

// targets lists the places of a choice's programs without repetition.
func (c choice) targets() []record.Target {
	var targets []record.Target
	for _, p := range c.probes {
		if t := (record.Target{Means: p.means, Name: p.target, Group: p.group}); !slices.Contains(targets, t) {
			targets = append(targets, t)
		}
	}
	return targets
}

// means lists the means of a choice's programs without repetition.
func (c choice) means() []record.Means {
	h := record.Hook{State: record.HookAttached, Targets: c.targets()}
	return h.Serving()
}

// hook is one thing that the tracer wants to see, with the ways to see it in
// order of preference. None is left where the kernel has no such thing.
type hook struct {
	name     string
	purpose  string
	kind     record.HookKind
	required bool
	choices  []choice
	unless   string // the hook that makes this one needless where it attached
	lack     string // why there is no choice, or what is missing without one
	// callSites is the function whose allocations show something of it where there is no
	// choice; empty: none does.
	callSites string
}
