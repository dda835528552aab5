package veristat

import (
	"fmt"
	"strings"
)

// A Variant is a side of a comparison. It means nothing elsewhere.
type Variant int

// The variants: the first table's value, the second's, their difference, and that in
// per cent of the first.
const (
	VariantA Variant = iota
	VariantB
	VariantDiff
	VariantPct
)

// endings ask for a variant at the end of a stat's name. No ending is VariantB.
var endings = [...]string{VariantA: "_a", VariantB: "_b", VariantDiff: "_diff", VariantPct: "_pct"}

// A Selector names a number of a row, or of a pair of rows.
type Selector struct {
	Stat     Stat
	Variant  Variant
	Absolute bool // by magnitude
}

// parseSelector reads a selector such as "insns", "states_pct" or "|insns_diff|".
func parseSelector(text string) (Selector, error) {
	name, s := text, Selector{Variant: VariantB}
	if len(name) > 2 && name[0] == '|' && name[len(name)-1] == '|' {
		name, s.Absolute = name[1:len(name)-1], true
	}
	var ok bool
	if s.Stat, ok = byName[name]; ok {
		return s, nil
	}
	for v, ending := range endings {
		if bare, cut := strings.CutSuffix(name, ending); cut {
			if s.Stat, ok = byName[bare]; ok {
				s.Variant = Variant(v)
				return s, nil
			}
		}
	}
	return Selector{}, fmt.Errorf("%q is no stat: want one of %s", text, strings.Join(statNames(), ", "))
}

// String returns the selector in its canonical form.
func (s Selector) String() string {
	text := s.Stat.Name()
	if s.Variant != VariantB {
		text += endings[s.Variant]
	}
	if s.Absolute {
		text = "|" + text + "|"
	}
	return text
}

// A Key is one member of a spec.
type Key struct {
	Selector

	Ascending bool
}

// String returns the key in its canonical form, with a mark.
func (k Key) String() string {
	mark := descendingMarks[:1]
	if k.Ascending {
		mark = ascendingMark
	}
	return k.Selector.String() + mark
}

// The last character of a key may say which way to sort.
const (
	ascendingMark   = "^"
	descendingMarks = "vV.!_"
)

// A Spec is a list of stats, as -e takes it for the columns and -s for the order. For
// columns the stats alone count.
type Spec []Key

// ParseSpec reads a list such as "insns_diff^,|states_pct|,file". Without a mark,
// names and verdicts ascend and numbers descend. Empty members are skipped; so
// nothing but commas is an empty spec.
func ParseSpec(text string) (Spec, error) {
	var spec Spec
	for member := range strings.SplitSeq(text, ",") {
		if member == "" {
			continue
		}
		key, err := parseKey(member)
		if err != nil {
			return nil, err
		}
		spec = append(spec, key)
	}
	return spec, nil
}

func parseKey(text string) (Key, error) {
	name, mark := text, ""
	if last := len(text) - 1; last > 0 && strings.Contains(ascendingMark+descendingMarks, text[last:]) {
		name, mark = text[:last], text[last:]
	}
	s, err := parseSelector(name)
	if err != nil {
		return Key{}, err
	}
	ascending := s.Stat.IsKey() || s.Stat == Verdict
	if mark != "" {
		ascending = mark == ascendingMark
	}
	return Key{Selector: s, Ascending: ascending}, nil
}

// String returns the spec in its canonical form.
func (s Spec) String() string {
	texts := make([]string, len(s))
	for i, k := range s {
		texts[i] = k.String()
	}
	return strings.Join(texts, ",")
}

// stats returns what the spec names, in its order.
func (s Spec) stats() []Stat {
	stats := make([]Stat, len(s))
	for i, k := range s {
		stats[i] = k.Stat
	}
	return stats
}
