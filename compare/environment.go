package compare

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/tracer/record"
)

// environment returns what the machines of two recordings and the options of bench
// differ in, and what of that is not known of either; nothing if either is a CSV, which
// has neither. What is not known on one side is no difference.
func environment(base, comp *record.Machine) ([]Difference, []Unknown) {
	differences, unknown := []Difference{}, []Unknown{}
	if base == nil || comp == nil {
		return differences, unknown
	}
	a, b := traits(base), traits(comp)
	unread := map[string]bool{} // members, on either side
	for _, member := range readMembers {
		if u := (Unknown{member.what, whyUnknown(base, member.name), whyUnknown(comp, member.name)}); u.Base != "" || u.New != "" {
			unknown = append(unknown, u)
			unread[member.name] = true
		}
	}
	names := maps.Clone(a)
	maps.Copy(names, b)
	order := slices.SortedFunc(maps.Keys(names), func(x, y string) int {
		if byRank := rank(x) - rank(y); byRank != 0 {
			return byRank
		}
		return strings.Compare(x, y)
	})
	var unrecorded [2][]string
	for _, name := range order {
		x, hasX := a[name]
		y, hasY := b[name]
		switch member := names[name].member; {
		case unread[member] || x.value == y.value:
		case member == memberConfig && !hasX:
			unrecorded[0] = append(unrecorded[0], name)
		case member == memberConfig && !hasY:
			unrecorded[1] = append(unrecorded[1], name)
		default:
			differences = append(differences, Difference{name, x.value, y.value})
		}
	}
	// Another version of verialloc looks at other options of the configuration: an option
	// that is not set is recorded as n.
	const reason = "the recording does not have it"
	if len(unrecorded[0]) > 0 {
		unknown = append(unknown, Unknown{What: strings.Join(unrecorded[0], ", "), Base: reason})
	}
	if len(unrecorded[1]) > 0 {
		unknown = append(unknown, Unknown{What: strings.Join(unrecorded[1], ", "), New: reason})
	}
	return differences, unknown
}

// memberConfig is the configuration's name in record.Machine.Absent.
const memberConfig = "config"

// readMembers are the members of a machine that recording may fail to read, by their names
// in record.Machine.Absent, and what they are called here.
var readMembers = []struct{ name, what string }{
	{"cpu_model", "CPU"},
	{"cpus", "CPUs"},
	{"cpu_governor", "governor"},
	{"preemption", "preemption"},
	{"slab_merging", "slab merging"},
	{"boot_options", "boot options"},
	{memberConfig, "configuration"},
	{"mitigations", "mitigations"},
	{"slab_caches", "slab caches"},
}

// whyUnknown returns the reason why a member of a machine is not known, empty if it is.
// What the kernel lacks is known.
func whyUnknown(m *record.Machine, member string) string {
	if slices.Contains(m.Nonexistent, member) {
		return ""
	}
	return m.Absent[member]
}

// firstTraits stand ahead of the others, which are sorted.
var firstTraits = []string{"kernel", "kernel build", "architecture", "CPU", "CPUs", "governor", "preemption", "slab merging"}

func rank(name string) int {
	if i := slices.Index(firstTraits, name); i >= 0 {
		return i
	}
	return len(firstTraits)
}

// trait is one value of a machine that may show in a time or in an allocation.
type trait struct {
	member string // of record.Machine that it comes from, if that may be unknown
	value  string
}

// traits returns all of a machine, by what they are called here.
func traits(m *record.Machine) map[string]trait {
	out := map[string]trait{
		"kernel":         {"", m.Kernel},
		"kernel build":   {"", m.Build},
		"architecture":   {"", m.Architecture},
		"CPU":            {"cpu_model", m.CPUModel},
		"CPUs":           {"cpus", strconv.Itoa(m.CPUs)},
		"governor":       {"cpu_governor", m.Governor},
		"preemption":     {"preemption", m.Preemption},
		"slab merging":   {"slab_merging", onOff(m.SlabMerging)},
		"boot options":   {"boot_options", strings.Join(m.BootOptions, " ")},
		"verialloc":      {"", m.Version},
		"bench repeat":   {"", strconv.Itoa(m.Repeat)},
		"bench traced":   {"", strconv.Itoa(m.Traced)},
		"bench warmup":   {"", strconv.Itoa(m.Warmup)},
		"bench parallel": {"", strconv.Itoa(m.Parallel)},
		"bench cpu":      {"", list(m.CPUList)},
	}
	for name, value := range m.Config {
		out["config "+name] = trait{memberConfig, value}
	}
	for name, value := range m.Mitigations {
		out["mitigation "+name] = trait{"mitigations", value}
	}
	for i := range m.SlabCaches {
		c := &m.SlabCaches[i]
		if !servesVerifier(c.Name) {
			continue
		}
		out["cache "+c.Name] = trait{"slab_caches", fmt.Sprintf("%s %d/%d bytes, %d a slab of order %d",
			orNone(c.ID), c.ObjectBytes, c.SlotBytes, c.ObjectsPerSlab, c.Order)}
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
