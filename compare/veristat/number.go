package veristat

import (
	"cmp"
	"math"
	"strings"
)

// missing is the number of a side that has no row: less than any other, and more than
// any other by magnitude.
const missing = -math.MaxFloat64

// tolerance is how far numbers of a comparison may be apart and still count as equal
// in a filter, because of what per cent lose.
const tolerance = 1e-9

// ofPair returns the number that is selected of a pair.
func (s Selector) ofPair(p Pair) float64 {
	number := s.signed(p)
	if s.Absolute {
		return math.Abs(number)
	}
	return number
}

func (s Selector) signed(p Pair) float64 {
	switch {
	case s.Variant == VariantA && p.Base != nil:
		return float64(p.Base.numbers[s.Stat])
	case s.Variant == VariantB && p.Comp != nil:
		return float64(p.Comp.numbers[s.Stat])
	case s.Variant == VariantA, s.Variant == VariantB, p.Base == nil, p.Comp == nil:
		return missing
	}
	base, comp := p.Base.numbers[s.Stat], p.Comp.numbers[s.Stat]
	switch {
	case s.Variant == VariantPct:
		return percent(base, comp)
	case s.Stat == Verdict && base == comp: // a match
		return 1
	case s.Stat == Verdict:
		return 0
	default:
		return float64(comp - base)
	}
}

// comparePairs orders two pairs by one key of a spec.
func (k Key) comparePairs(p, q Pair) int {
	switch k.Stat {
	case FileName:
		return k.directed(strings.Compare(p.File, q.File))
	case ProgName:
		return k.directed(strings.Compare(p.Prog, q.Prog))
	default:
		return k.directed(cmp.Compare(k.ofPair(p), k.ofPair(q)))
	}
}

// matchPair reports whether the filters by number let a pair pass.
func (f Filters) matchPair(p Pair, compat bool) bool {
	return f.pass(Filter.byNumber, func(filter Filter) bool {
		filter.Selector.Absolute = filter.Selector.Absolute || compat
		number, wanted := filter.Selector.ofPair(p), float64(filter.Number)
		if math.Abs(number-wanted) < tolerance {
			return filter.Operator.holds(0)
		}
		return filter.Operator.holds(cmp.Compare(number, wanted))
	})
}
