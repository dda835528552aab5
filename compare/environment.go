package compare

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/tracer/record"
)

// differences returns what the machines of two recordings and the options of bench
// differ in; none if either is a CSV, which does not tell.
func differences(base, comp *record.Machine) []Difference {
	out := []Difference{}
	if base == nil || comp == nil {
		return out
	}
	a, b := traits(base), traits(comp)
	names := maps.Clone(a)
	maps.Copy(names, b)
	order := slices.SortedFunc(maps.Keys(names), func(x, y string) int {
		if byRank := rank(x) - rank(y); byRank != 0 {
			return byRank
		}
		return strings.Compare(x, y)
	})
	for _, name := range order {
		if a[name] != b[name] {
			out = append(out, Difference{name, a[name], b[name]})
		}
	}
	return out
}

// firstTraits stand ahead of the others, which are sorted.
var firstTraits = []string{"kernel", "kernel build", "architecture", "CPU", "CPUs", "governor", "preemption", "slab merging"}

func rank(name string) int {
	if i := slices.Index(firstTraits, name); i >= 0 {
		return i
	}
	return len(firstTraits)
}

// traits are what may tell in a time or in an allocation.
func traits(m *record.Machine) map[string]string {
	out := map[string]string{
		"kernel":         m.Kernel,
		"kernel build":   m.Build,
		"architecture":   m.Architecture,
		"CPU":            m.CPUModel,
		"CPUs":           strconv.Itoa(m.CPUs),
		"governor":       m.Governor,
		"preemption":     m.Preemption,
		"slab merging":   onOff(m.SlabMerging),
		"boot options":   strings.Join(m.BootOptions, " "),
		"verialloc":      m.Version,
		"bench repeat":   strconv.Itoa(m.Repeat),
		"bench traced":   strconv.Itoa(m.Traced),
		"bench warmup":   strconv.Itoa(m.Warmup),
		"bench parallel": strconv.Itoa(m.Parallel),
		"bench cpu":      list(m.CPUList),
	}
	for name, value := range m.Config {
		out["config "+name] = value
	}
	for name, value := range m.Mitigations {
		out["mitigation "+name] = value
	}
	for i := range m.SlabCaches {
		c := &m.SlabCaches[i]
		if !servesVerifier(c.Name) {
			continue
		}
		out["cache "+c.Name] = fmt.Sprintf("%s %d/%d bytes, %d a slab of order %d",
			orNone(c.ID), c.ObjectBytes, c.SlotBytes, c.ObjectsPerSlab, c.Order)
	}
	return out
}

// servesVerifier reports whether the verifier's objects may come from a cache: one for
// sizes, or one made for BPF. Which others there are depends on what has been loaded.
func servesVerifier(cache string) bool {
	return strings.HasPrefix(cache, "kmalloc-") && !strings.HasPrefix(cache, "kmalloc-rcl-") || strings.Contains(cache, "bpf")
}

func onOff(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "on"
	default:
		return "off"
	}
}

func list(numbers []int) string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ",")
}
