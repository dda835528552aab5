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
		if unread[member.of] {
			unread[member.name] = true // the one line is of both
			continue
		}
		if u := (Unknown{member.what, whyUnknown(base, member.name), whyUnknown(comp, member.name)}); u.Base != "" || u.New != "" {
			unknown = append(unknown, u)
			unread[member.name] = true
		}
	}
	if base.Recorded() && comp.Recorded() { // the command line has them
		delete(a, bootOptions)
		delete(b, bootOptions)
	}
	other := base.Kernel != comp.Kernel || base.Build != comp.Build
	names := maps.Clone(a)
	maps.Copy(names, b)
	order := slices.SortedFunc(maps.Keys(names), func(x, y string) int {
		if byRank := rank(x) - rank(y); byRank != 0 {
			return byRank
		}
		return strings.Compare(x, y)
	})
	var unrecorded [3][]string // on BASE alone, on NEW alone, on both
	for _, name := range order {
		x, hasX := a[name]
		y, hasY := b[name]
		switch member := names[name].member; {
		case unread[member]:
		case x.unrecorded && y.unrecorded:
			unrecorded[2] = append(unrecorded[2], name)
		case x.unrecorded || member == memberConfig && !hasX:
			unrecorded[0] = append(unrecorded[0], name)
		case y.unrecorded || member == memberConfig && !hasY:
			unrecorded[1] = append(unrecorded[1], name)
		case x.value == y.value:
		case other && slices.Contains(followTheKernel, name):
		case member == memberCommandLine:
			if d := differentWords(name, x.value, y.value, other); d.Base != d.New {
				differences = append(differences, d)
			}
		default:
			differences = append(differences, Difference{name, x.value, y.value})
		}
	}
	// Another version of verialloc looks at other options of the configuration: an option
	// that is not set is recorded as n.
	const reason = "the recording does not have it"
	for i, u := range []Unknown{{Base: reason}, {New: reason}, {Base: reason, New: reason}} {
		if len(unrecorded[i]) > 0 {
			u.What = strings.Join(unrecorded[i], ", ")
			unknown = append(unknown, u)
		}
	}
	return differences, unknown
}

// Names of members in record.Machine.Absent.
const (
	memberConfig      = "config"
	memberCommandLine = "kernel_command_line"
)

// What some of the members are called here.
const (
	bootID       = "boot id"
	bootOptions  = "boot options"
	configSHA256 = "configuration sha256"
)

// followTheKernel are what always differs between two kernels, and so is no news there: the
// head of a configuration has the release.
var followTheKernel = []string{bootID, configSHA256}

// readMembers are the members of a machine that recording may fail to read, by their names
// in record.Machine.Absent, and what they are called here; each after the member that it
// is a part of, with which it is not known.
var readMembers = []struct{ name, what, of string }{
	{name: "cpu_model", what: "CPU"},
	{name: "cpus", what: "CPUs"},
	{name: "cpu_governor", what: "governor"},
	{name: "preemption", what: "preemption"},
	{name: "slab_merging", what: "slab merging"},
	{name: "kernel_build_id", what: "kernel build id"},
	{name: memberCommandLine, what: "kernel command line"},
	{name: "boot_options", what: bootOptions, of: memberCommandLine},
	{name: "boot_id", what: bootID},
	{name: "hypervisor", what: "hypervisor"},
	{name: "icount", what: "icount"},
	{name: "clock_source", what: "clock source"},
	{name: memberConfig, what: "configuration"},
	{name: "config_sha256", what: configSHA256, of: memberConfig},
	{name: "mitigations", what: "mitigations"},
	{name: "slab_caches", what: "slab caches"},
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
var firstTraits = []string{
	"kernel", "kernel build", "kernel build id", "kernel command line", bootID, "architecture", "hypervisor", "icount", "clock source",
	"CPU", "CPUs", "governor", "preemption", "slab merging",
}

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
	// unrecorded: the recording is of a version that had no such member.
	unrecorded bool
}

// traits returns all of a machine, by what they are called here.
func traits(m *record.Machine) map[string]trait {
	out := map[string]trait{
		"kernel":         {value: m.Kernel},
		"kernel build":   {value: m.Build},
		"architecture":   {value: m.Architecture},
		"CPU":            {member: "cpu_model", value: m.CPUModel},
		"CPUs":           {member: "cpus", value: strconv.Itoa(m.CPUs)},
		"governor":       {member: "cpu_governor", value: m.Governor},
		"preemption":     {member: "preemption", value: m.Preemption},
		"slab merging":   {member: "slab_merging", value: onOff(m.SlabMerging)},
		bootOptions:      {member: "boot_options", value: strings.Join(m.BootOptions, " ")},
		"verialloc":      {value: m.Version},
		"bench repeat":   {value: strconv.Itoa(m.Repeat)},
		"bench traced":   {value: strconv.Itoa(m.Traced)},
		"bench warmup":   {value: strconv.Itoa(m.Warmup)},
		"bench parallel": {value: strconv.Itoa(m.Parallel)},
		"bench cpu":      {value: list(m.CPUList)},
	}
	for name, member := range map[string]trait{
		"kernel build id":     {member: "kernel_build_id", value: m.KernelBuildID},
		"kernel command line": {member: memberCommandLine, value: m.KernelCommandLine},
		"clock source":        {member: "clock_source", value: m.ClockSource},
		"hypervisor":          {member: "hypervisor", value: m.Hypervisor},
		"icount":              {member: "icount", value: m.ICount},
		bootID:                {member: "boot_id", value: m.BootID},
		configSHA256:          {member: "config_sha256", value: m.ConfigSHA256},
	} {
		member.unrecorded = !m.Recorded()
		out[name] = member
	}
	for name, value := range m.Config {
		out["config "+name] = trait{member: memberConfig, value: value}
	}
	for name, value := range m.Mitigations {
		out["mitigation "+name] = trait{member: "mitigations", value: value}
	}
	for i := range m.SlabCaches {
		c := &m.SlabCaches[i]
		if !servesVerifier(c.Name) {
			continue
		}
		out["cache "+c.Name] = trait{member: "slab_caches", value: fmt.Sprintf("%s %d/%d bytes, %d a slab of order %d",
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
