package compare

import (
	"slices"
	"strconv"
	"strings"
)

// varies stands for a number that is not the same in all samples of a side.
const varies = "varies"

// workMetrics are what the verifier must do alike for times to be of the same work.
// peak_states is not among them: to 6.15 it counts otherwise than after.
var workMetrics = []string{"total_insns", "total_states"}

// differentWork returns what the verifier did not do alike on the two sides of a row, as
// far as both sides know it.
func differentWork(p pair) []Difference {
	out := []Difference{}
	add := func(what, base, comp string) {
		if base != comp || base == varies {
			out = append(out, Difference{what, base, comp})
		}
	}
	if len(p.base.verdicts) > 0 && len(p.comp.verdicts) > 0 {
		add("verdict", constantText(p.base.verdicts), constantText(p.comp.verdicts))
	}
	for _, name := range workMetrics {
		a, b := p.base.values[name], p.comp.values[name]
		if len(a) > 0 && len(b) > 0 {
			add(name, constantNumber(a), constantNumber(b))
		}
	}
	if p.base.hash != "" && p.comp.hash != "" {
		add("object_sha256", p.base.hash, p.comp.hash)
	}
	return out
}

func constantText(words []string) string {
	if words = slices.Compact(slices.Clone(words)); len(words) > 1 {
		return varies
	}
	return words[0]
}

func constantNumber(values []float64) string {
	if !constant(values) {
		return varies
	}
	return strconv.FormatFloat(values[0], 'f', -1, 64)
}

func constant(values []float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return v != values[0] })
}

// describe names differences in one line.
func describe(differences []Difference) string {
	texts := make([]string, len(differences))
	for i, d := range differences {
		texts[i] = d.What + " " + orNone(d.Base) + " -> " + orNone(d.New)
	}
	return strings.Join(texts, ", ")
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
