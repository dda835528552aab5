package record

import (
	"encoding/json"
	"slices"
	"strings"
)

// Lack is something that this kernel does not permit or have.
type Lack struct {
	Kind HookKind `json:"kind,omitempty"` // of the hooks concerned; empty: of no one kind
	Name string   `json:"name"`           // of the hook, or of what is lacking
	Why  string   `json:"why"`            // error text
}

// String is the sentence of the deprecated member missing.
func (l Lack) String() string {
	if l.Why == "" {
		return l.Name
	}
	return l.Name + ": " + l.Why
}

// The names of the lacks that are about several hooks of one kind, or none.
const (
	LackLatency   = "latency"
	LackPaths     = "allocator paths"
	LackOrphans   = "orphans" // of followed processes
	LackCallSites = "call sites"
	LackAliases   = "slab caches that share slabs"
	LackCgroups   = "control groups" // of loaders: where they are
	LackLoaders   = "loaders"        // by which command line they run
)

// WhyLacking returns why hooks of a kind are lacking, of the first that is; empty: none is.
func WhyLacking(lacks []Lack, kind HookKind) string {
	i := slices.IndexFunc(lacks, func(l Lack) bool { return l.Kind == kind })
	if i < 0 {
		return ""
	}
	return lacks[i].Why
}

// Timed reports whether anything times allocations.
func (e *Environment) Timed() bool {
	timed, known := false, false
	for i := range e.Hooks {
		if e.Hooks[i].Kind == HookLatency {
			known = true
			timed = timed || e.Hooks[i].State == HookAttached
		}
	}
	// Off, or a record of an earlier version, whose hooks have no kind.
	return timed || !known && e.Latency != string(MeansNone)
}

// MarshalJSON writes the deprecated member too.
func (e Environment) MarshalJSON() ([]byte, error) {
	e.Missing = sentences(e.Lacks, e.Missing)
	type plain Environment // without this method
	return marshal(plain(e))
}

// UnmarshalJSON makes lacks of the sentences of an earlier version.
func (e *Environment) UnmarshalJSON(text []byte) error {
	type plain Environment
	err := json.Unmarshal(text, (*plain)(e))
	e.Lacks, e.Missing = lacksOf(e.Lacks, e.Missing)
	return err
}

// MarshalJSON writes the deprecated member too.
func (d Diagnosis) MarshalJSON() ([]byte, error) {
	d.Missing = sentences(d.Lacks, d.Missing)
	type plain Diagnosis
	return marshal(plain(d))
}

// UnmarshalJSON makes lacks of the sentences of an earlier version.
func (d *Diagnosis) UnmarshalJSON(text []byte) error {
	type plain Diagnosis
	err := json.Unmarshal(text, (*plain)(d))
	d.Lacks, d.Missing = lacksOf(d.Lacks, d.Missing)
	return err
}

// sentences returns the sentences of lacks; those there are where there is no lack.
func sentences(lacks []Lack, missing []string) []string {
	if len(lacks) == 0 {
		return missing
	}
	missing = make([]string, len(lacks))
	for i, l := range lacks {
		missing[i] = l.String()
	}
	return missing
}

// lacksOf returns lacks, or of an earlier version, which has none, what its sentences say.
// The sentences are then those of the lacks, and not kept.
func lacksOf(lacks []Lack, missing []string) ([]Lack, []string) {
	if len(lacks) > 0 {
		return lacks, missing[:0]
	}
	kinds := map[string]HookKind{LackLatency: HookLatency, LackPaths: HookPath}
	for _, sentence := range missing {
		name, why, _ := strings.Cut(sentence, ": ")
		lacks = append(lacks, Lack{Kind: kinds[name], Name: name, Why: why})
	}
	return lacks, missing[:0]
}
