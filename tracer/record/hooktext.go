package record

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// MarshalJSON writes the deprecated members too.
func (h Hook) MarshalJSON() ([]byte, error) {
	h.Symbol, h.Means, h.Attached = h.ServedBy(), h.MeansText(), h.State == HookAttached
	type plain Hook // without this method
	return marshal(plain(h))
}

// UnmarshalJSON reads hooks of earlier versions as well, which have the deprecated members
// alone. Whether a kernel refuses or lacks a hook they had in words only: HookAbsent is
// what both have in common.
func (h *Hook) UnmarshalJSON(text []byte) error {
	type plain Hook
	if err := json.Unmarshal(text, (*plain)(h)); err != nil {
		return err
	}
	switch {
	case h.State != "":
		h.Symbol, h.Means = "", ""
	case h.Attached:
		h.State = HookAttached
	default:
		h.State = HookAbsent
	}
	h.Attached = false
	return nil
}

// ServedBy says for people what serves the hook, or would; empty: nothing.
func (h *Hook) ServedBy() string {
	switch h.Form {
	case FormInline:
		return "inline over " + h.Function
	case FormInlined:
		return "inlined into " + h.Function + ", matched by call site"
	case FormGlobal:
		return "global " + h.Function
	}
	if len(h.Targets) > 0 {
		return h.Targets[0].Name
	}
	return h.Symbol // of an earlier version
}

// MeansText returns the means of the targets that serve the hook, joined by +.
func (h *Hook) MeansText() string {
	if len(h.Targets) == 0 {
		return cmp.Or(h.Means, string(MeansNone)) // of an earlier version, or none
	}
	return JoinMeans(h.Serving())
}

// Serving lists the means by which the hook is served, without repetition: those of its
// targets if it is attached, call sites always.
func (h *Hook) Serving() []Means {
	var means []Means
	for _, t := range h.Targets {
		if (h.State == HookAttached || t.Means == MeansCallSite) && !slices.Contains(means, t.Means) {
			means = append(means, t.Means)
		}
	}
	return means
}

// JoinMeans returns means as text, joined by +; none for none.
func JoinMeans(means []Means) string {
	texts := make([]string, len(means))
	for i, m := range means {
		texts[i] = string(m)
	}
	return cmp.Or(strings.Join(texts, "+"), string(MeansNone))
}

// MeansOf lists the distinct ways in which hooks of a kind are served, in their order.
func MeansOf(hooks []Hook, kind HookKind) [][]Means {
	var found [][]Means
	for i := range hooks {
		if hooks[i].Kind != kind {
			continue
		}
		means := hooks[i].Serving()
		same := func(other []Means) bool { return slices.Equal(other, means) }
		if len(means) > 0 && !slices.ContainsFunc(found, same) {
			found = append(found, means)
		}
	}
	return found
}

// MeansText returns the ways of MeansOf as text; none for none.
func MeansText(hooks []Hook, kind HookKind) string {
	var texts []string
	for _, means := range MeansOf(hooks, kind) {
		texts = append(texts, JoinMeans(means))
	}
	return cmp.Or(strings.Join(texts, ", "), string(MeansNone))
}
