package compare

import (
	"slices"
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/tracer/record"
)

// varies stands for a number that is not the same in all samples of a side.
const varies = "varies"

// workMetrics are what the verifier must do alike for times to be of the same work.
// peak_states is not among them: to 6.15 it counts otherwise than after.
var workMetrics = []string{"total_insns", "total_states"}

// input is one of what a load was asked for; its value is empty where it is not known.
type input struct {
	name     string
	value    func(*record.Inputs) string
	ofKernel bool // it says something on one kernel alone
}

// inputs are what changes the cost of a verification, by their names in record.Inputs.
// kernel_version is not among them: no kernel does anything with it.
var inputs = []input{
	number("log_level", func(i *record.Inputs) uint64 { return uint64(i.LogLevel &^ record.LogFixed) }), // which end is kept takes nothing
	number("log_bytes", func(i *record.Inputs) uint64 { return uint64(i.LogBytes) }),
	number("prog_flags", func(i *record.Inputs) uint64 { return uint64(i.ProgFlags) }),
	number("ifindex", func(i *record.Inputs) uint64 { return uint64(i.Ifindex) }),
	yesNo("token", func(i *record.Inputs) *bool { return &i.Token }),
	number("signature_bytes", func(i *record.Inputs) uint64 { return uint64(i.SignatureBytes) }),
	yesNo("fd_array", func(i *record.Inputs) *bool { return &i.FDArray }).ofTheKernel(),
	number("fd_array_count", func(i *record.Inputs) uint64 { return uint64(i.FDArrayCount) }),
	yesNo("btf", func(i *record.Inputs) *bool { return &i.BTF }),
	number("func_info_count", func(i *record.Inputs) uint64 { return uint64(i.FuncInfoCount) }),
	number("func_info_bytes", func(i *record.Inputs) uint64 { return i.FuncInfoBytes }),
	number("line_info_count", func(i *record.Inputs) uint64 { return uint64(i.LineInfoCount) }),
	number("line_info_bytes", func(i *record.Inputs) uint64 { return i.LineInfoBytes }),
	number("core_relo_count", func(i *record.Inputs) uint64 { return uint64(i.CoreRelocCount) }),
	number("core_relo_bytes", func(i *record.Inputs) uint64 { return i.CoreRelocBytes }),
	{"attach_btf_id", func(i *record.Inputs) string { return strconv.FormatUint(uint64(i.AttachBTFID), 10) }, true},
	yesNo("attach_fd", func(i *record.Inputs) *bool { return &i.AttachFD }).ofTheKernel(),
	yesNo("attach_prog", func(i *record.Inputs) *bool { return i.AttachProg }),
	yesNo("gpl", func(i *record.Inputs) *bool { return i.GPL }),
	{"privileges", func(i *record.Inputs) string {
		if i.Privileges == nil {
			return ""
		}
		return "[" + strings.Join(i.Privileges, " ") + "]"
	}, false},
}

// ofTheKernel is in with ofKernel set: functions and types are in a module, which is named by
// a file descriptor, on one kernel and built in on another.
func (in input) ofTheKernel() input {
	in.ofKernel = true
	return in
}

func number(name string, of func(*record.Inputs) uint64) input {
	return input{name: name, value: func(i *record.Inputs) string { return strconv.FormatUint(of(i), 10) }}
}

func yesNo(name string, of func(*record.Inputs) *bool) input {
	return input{name: name, value: func(i *record.Inputs) string {
		if is := of(i); is != nil {
			return strconv.FormatBool(*is)
		}
		return ""
	}}
}

// addInputs takes what a load was asked for; nil: not known.
func (s *subject) addInputs(given *record.Inputs) {
	if given == nil {
		return
	}
	for _, in := range inputs {
		if value := in.value(given); value != "" {
			s.inputs[in.name] = append(s.inputs[in.name], value)
		}
	}
}

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
	for _, in := range inputs {
		a, b := p.base.inputs[in.name], p.comp.inputs[in.name]
		if len(a) > 0 && len(b) > 0 && (!in.ofKernel || p.base.build == p.comp.build) {
			add(in.name, constantText(a), constantText(b))
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
