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
	skippable     bool // bpf_prog_active tells when the ledger's programs may be skipped
	missing       []string
}

// attachAll attaches each hook by the first of its choices that the kernel lets
// it, and returns what became of each. It fails if a required hook has none; the
// attachment is then still valid, for doctor to tell of, and must be closed.
func attachAll(o *object, hooks []hook) (*attachment, error) {
	a := &attachment{object: o}
	var failed error
	for _, h := range hooks {
		r := record.Hook{Name: h.name, Purpose: h.purpose, Means: string(meansNone)}
		if other := a.needless(h); other != "" {
			r.Reason = reasonNeedless + other + " is attached"
		} else {
			r = a.attach(h)
		}
		a.hooks = append(a.hooks, r)
		if !r.Attached && h.required && failed == nil {
			kind := ErrUnsupported
			if strings.Contains(r.Reason, reasonRefused) {
				kind = ErrPermission
			}
			failed = fmt.Errorf("%w: kernel %s: %s (%s): %s (%s)", kind, o.kernel.release, h.name, h.purpose, r.Reason, r.Advice)
		}
	}
	a.summarize(hooks)
	return a, failed
}

// How reasons begin: of a hook that the kernel lacks nothing for, and of one that
// another serves as well.
const (
	reasonRefused  = "the kernel refuses it"
	reasonNeedless = "not needed: "
)

// needless returns the name of the hook that makes a fallback needless, or "": the one
// that it is a fallback for, or one that had to take the same place. A program that was
// attached twice would see each load begin twice.
func (a *attachment) needless(h hook) string {
	if h.unless == "" {
		return ""
	}
	i := slices.IndexFunc(a.hooks, func(r record.Hook) bool {
		return r.Attached && (r.Name == h.unless || r.Means == h.choices[0].means() && r.Symbol == h.choices[0].symbol())
	})
	if i < 0 {
		return ""
	}
	return a.hooks[i].Name
}

func (a *attachment) attach(h hook) record.Hook {
	r := record.Hook{Name: h.name, Purpose: h.purpose, Means: string(meansNone), Required: h.required}
	if len(h.choices) == 0 {
		r.Reason = h.lack
		if h.kind == hookVisit {
			r.Means, r.Symbol = string(meansCallSite), "do_check_common"
		}
		return r
	}
	var reasons []string
	allRefused := true
	for _, c := range h.choices {
		err := a.object.attach(c)
		if err == nil {
			r.Symbol, r.Means, r.Attached = c.symbol(), c.means(), true
			a.skippable = a.skippable || c.skippable
			if c.inexact {
				for _, p := range c.probes {
					a.inexactLedger = append(a.inexactLedger, p.program)
				}
				r.Reason = strings.Join(append(reasons, "the kernel may skip this program while other tasks use BPF"), "; ")
				r.Advice = a.object.advice()
			}
			return r
		}
		allRefused = allRefused && refused(err)
		reasons = append(reasons, fmt.Sprintf("%s: %s", c.means(), cause(err)))
	}
	r.Symbol = h.choices[0].symbol()
	r.Reason = strings.Join(reasons, "; ")
	r.Advice = a.object.advice()
	if allRefused {
		r.Reason = reasonRefused + ": " + r.Reason
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

// summarize says in sentences what is missing.
func (a *attachment) summarize(hooks []hook) {
	for i, h := range hooks {
		r := a.hooks[i]
		switch {
		case r.Attached && r.Reason != "":
			a.missing = append(a.missing, h.name+": "+r.Reason)
		case !r.Attached && h.kind != hookLatency && h.kind != hookPath && !strings.HasPrefix(r.Reason, reasonNeedless):
			a.missing = append(a.missing, h.name+": "+r.Reason)
		}
	}
	if total, attached := a.count(hooks, hookLatency); attached < total {
		a.missing = append(a.missing, fmt.Sprintf("latency: %d of %d allocator entries are not probed: %s",
			total-attached, total, a.firstReason(hooks, hookLatency)))
	}
	if total, attached := a.count(hooks, hookPath); attached < total {
		a.missing = append(a.missing, "allocator paths: "+a.firstReason(hooks, hookPath))
	}
}

func (a *attachment) count(hooks []hook, kind hookKind) (total, attached int) {
	for i, h := range hooks {
		if h.kind == kind {
			total++
			if a.hooks[i].Attached {
				attached++
			}
		}
	}
	return total, attached
}

func (a *attachment) firstReason(hooks []hook, kind hookKind) string {
	for i, h := range hooks {
		if h.kind == kind && !a.hooks[i].Attached {
			return a.hooks[i].Reason
		}
	}
	return ""
}

// serves tells whether the hook of that name is attached by these means.
func (a *attachment) serves(name string, m means) bool {
	return slices.ContainsFunc(a.hooks, func(h record.Hook) bool {
		return h.Name == name && h.Attached && h.Means == string(m)
	})
}

// means names the means by which the hooks of a kind are served.
func (a *attachment) means(hooks []hook, kind hookKind) string {
	var found []string
	for i, h := range hooks {
		if h.kind != kind || (!a.hooks[i].Attached && a.hooks[i].Means != string(meansCallSite)) {
			continue
		}
		if m := a.hooks[i].Means; !slices.Contains(found, m) {
			found = append(found, m)
		}
	}
	if len(found) == 0 {
		return string(meansNone)
	}
	return strings.Join(found, ", ")
}

// arm tells the programs which probes they have, and lets them begin.
func (a *attachment) arm(hooks []hook) error {
	paths, probed := a.count(hooks, hookPath)
	return errors.Join(
		a.object.set("path_probe", boolByte(paths > 0 && probed == paths)),
		a.object.set("skippable", boolByte(a.skippable)),
		a.object.set("ready", uint32(1)),
	)
}
