package veristat

import "errors"

// A Variant is a side of a comparison. It means nothing elsewhere.
type Variant int

// The variants and the endings that ask for them: the first table's value (_a), the
// second's (_b or none), their difference (_diff), and that in per cent of the first
// (_pct).
const (
	VariantA Variant = iota
	VariantB
	VariantDiff
	VariantPct
)

// A Key is one member of a spec.
type Key struct {
	Stat      Stat
	Variant   Variant
	Ascending bool
	Absolute  bool // by magnitude
}

// A Spec is a list of stats, as -e takes it for the columns and -s for the order.
type Spec []Key

// ParseSpec reads a list such as "insns_diff^,|states_pct|,file".
func ParseSpec(text string) (Spec, error) { return nil, errors.ErrUnsupported }
