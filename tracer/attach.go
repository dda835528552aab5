package tracer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/verialloc/verialloc/tracer/record"
)

// attachment is what came of a plan.
type attachment struct {
	object *object
	hooks  []record.Hook // in the plan's order
	// inexactLedger lists the ledger's programs that the kernel may skip
	// without a sign but their statistics.
	inexactLedger []string
	skippable     bool // bpf_prog_active shows when the kernel may skip the ledger's programs
	lacks         []record.Lack
	standIns      choice // none where its hook is not ready
}

// attachAll attaches each hook by the first of its choices that the kernel lets
// it, and returns what became of each. It fails if a required hook has none; the
// attachment is then still valid, for doctor to report, and must be closed.
func attachAll(o *object, hooks []hook) (*attachment, error) {
	a := &attachment{object: o}
	var failed error
	for _, h := range hooks {
		r := a.attach(h)
		a.hooks = append(a.hooks, r)
		if r.State != record.HookAttached && h.required && failed == nil {
			kind := ErrUnsupported
			if r.State == record.HookRefused {
				kind = ErrPermission
			}
			failed = fmt.Errorf("%w: kernel %s: %s (%s): %s (%s)", kind, o.kernel.release, h.name, h.purpose, r.Reason, r.Advice)
		}
	}
	a.lacks = lacks(a.hooks)
	return a, failed
}

// precluded returns the name of the hook that leaves no place to a fallback or a stand-in, or
// "": the one that it is a fallback for, or one that had to take the same place. A program
// that was attached twice would see each load begin twice.
func (a *attachment) precluded(h hook) string {
	if h.unless == "" && h.kind != record.HookStandIn || len(h.choices) == 0 {
		return ""
	}
	own := h.choices[0].targets()
	i := slices.IndexFunc(a.hooks, func(r record.Hook) bool {
		return r.State == record.HookAttached && (r.Name == h.unless ||
			slices.ContainsFunc(r.Targets, func(t record.Target) bool { return slices.Contains(own, t) }))
	})
	if i < 0 {
		return ""
	}
	return a.hooks[i].Name
}

// attach attaches a hook by the first of its choices that the kernel lets it.
func (a *attachment) attach(h hook) record.Hook {
	r := record.Hook{Name: h.name, Purpose: h.purpose, Kind: h.kind, State: record.HookAbsent}
	switch other := a.precluded(h); {
	case other == "":
	case h.kind == record.HookStandIn:
		r.Reason = "the raw program of " + other + " serves the ledger"
		return r
	default:
		r.State, r.CoveredBy = record.HookCovered, other
		r.Reason = "not needed: " + other + " is attached"
		return r
	}
	r.Required = h.required
	if len(h.choices) == 0 {
		r.Reason = h.lack
		if h.callSites != "" {
			r.Targets = []record.Target{{Means: record.MeansCallSite, Name: h.callSites}}
		}
		return r
	}
	var reasons []string
	allRefused := true
	for _, c := range h.choices {
		if _, attached := count(a.hooks, c.unless); c.unless != "" && attached > 0 {
			continue
		}
		state, try := record.HookAttached, a.object.attach
		if c.standsIn {
			state, try = record.HookReady, a.object.locateAll
		}
		err := try(c)
		if err == nil {
			r.State, r.Targets, r.Errno = state, c.targets(), 0
			a.skippable = a.skippable || c.skippable
			if c.standsIn {
				a.standIns = c
			}
			if c.inexact {
				for _, p := range c.probes {
					a.inexactLedger = append(a.inexactLedger, p.program)
				}
				r.Reason = strings.Join(append(reasons, "the kernel may skip this program while other tasks use BPF"), "; ")
				r.Advice = a.object.advice()
			}
			return r
		}
		if errno, ok := errors.AsType[syscall.Errno](err); ok && r.Errno == 0 {
			r.Errno = int(errno)
		}
		allRefused = allRefused && refused(err)
		reasons = append(reasons, fmt.Sprintf("%s: %s", record.JoinMeans(c.means()), cause(err)))
	}
	r.Targets = h.choices[0].targets()
	r.Reason = strings.Join(reasons, "; ")
	r.Advice = a.object.advice()
	if allRefused {
		r.State = record.HookRefused
		r.Reason = "the kernel refuses it: " + r.Reason
		r.Advice = "run as root; if this is root, lockdown or a security policy of this kernel denies it"
	}
	if !h.required && h.lack != "" {
		r.Reason += " (" + h.lack + ")"
	}
	return r
}

func (o *object) advice() string {
	if o.tracefsErr != nil {
		return "mount tracefs: mount -t tracefs tracefs /sys/kernel/tracing"
	}
	return "see docs/kernels.md for the kernels this was tested on"
}

// cause is the kernel's own word where an error has one, and else its first line:
// a verifier log is no message.
func cause(err error) string {
	var errno syscall.Errno
	if refused(err) && errors.As(err, &errno) {
		return errno.Error()
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// lacks lists what is missing: of the many hooks that time and tell apart allocations one
// entry for each kind.
func lacks(hooks []record.Hook) []record.Lack {
	var lacks []record.Lack
	for i := range hooks {
		h := &hooks[i]
		many := h.Kind == record.HookLatency || h.Kind == record.HookPath
		switch {
		case h.State == record.HookAttached && h.Reason != "",
			!slices.Contains([]record.HookState{record.HookAttached, record.HookCovered, record.HookReady}, h.State) && !many:
			lacks = append(lacks, record.Lack{Kind: h.Kind, Name: h.Name, Why: h.Reason})
		}
	}
	if total, attached := count(hooks, record.HookLatency); attached < total {
		lacks = append(lacks, record.Lack{
			Kind: record.HookLatency, Name: record.LackLatency,
			Why: fmt.Sprintf("%d of %d allocator entries are not probed: %s", total-attached, total, firstReason(hooks, record.HookLatency)),
		})
	}
	if total, attached := count(hooks, record.HookPath); attached < total {
		lacks = append(lacks, record.Lack{Kind: record.HookPath, Name: record.LackPaths, Why: firstReason(hooks, record.HookPath)})
	}
	return lacks
}

func count(hooks []record.Hook, kind record.HookKind) (total, attached int) {
	for i := range hooks {
		if hooks[i].Kind == kind {
			total++
			if hooks[i].State == record.HookAttached {
				attached++
			}
		}
	}
	return total, attached
}

// firstReason returns why the first hook of a kind that is not attached is not.
func firstReason(hooks []record.Hook, kind record.HookKind) string {
	for i := range hooks {
		if hooks[i].Kind == kind && hooks[i].State != record.HookAttached {
			return hooks[i].Reason
		}
	}
	return ""
}

// serves reports whether the hook of that name is attached by these means alone.
func (a *attachment) serves(name string, m record.Means) bool {
	return slices.ContainsFunc(a.hooks, func(h record.Hook) bool {
		return h.Name == name && h.State == record.HookAttached && slices.Equal(h.Serving(), []record.Means{m})
	})
}

// arm sets which probes the programs have, and lets them begin.
func (a *attachment) arm() error {
	paths, probed := count(a.hooks, record.HookPath)
	_, reasons := count(a.hooks, record.HookReason)
	_, vmallocEntries := count(a.hooks, record.HookVmEntry)
	return errors.Join(
		a.object.set("path_probe", boolByte(paths > 0 && probed == paths)),
		a.object.set("skippable", boolByte(a.skippable || reasons+vmallocEntries > 0)),
		a.object.set("noting", boolByte(len(a.standIns.probes) > 0)),
		a.object.set("ready", uint32(1)),
	)
}
