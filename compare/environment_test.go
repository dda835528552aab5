package compare

import (
	"bytes"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/tracer/record"
)

func TestEnvironment(t *testing.T) {
	unread := func(m *record.Machine, member string) {
		m.Absent = map[string]string{member: "no permission"}
	}
	const older = "the recording does not have it"
	for _, c := range []struct {
		name        string
		change      func(base, comp *record.Machine)
		differences []Difference
		unknown     []Unknown
	}{
		{"alike", func(base, comp *record.Machine) {}, nil, nil},
		{
			"an option", func(base, comp *record.Machine) { comp.Config["CONFIG_MEMCG"] = "n" },
			[]Difference{{"config CONFIG_MEMCG", "y", "n"}},
			nil,
		},
		{
			"no configuration on NEW", func(base, comp *record.Machine) { comp.Config = map[string]string{}; unread(comp, "config") },
			nil,
			[]Unknown{{"configuration", "", "no permission"}},
		},
		{
			"no configuration on BASE, another CPU", func(base, comp *record.Machine) {
				base.Config = map[string]string{}
				unread(base, "config")
				comp.CPUModel = "Other"
			},
			[]Difference{{"CPU", "QEMU TCG", "Other"}},
			[]Unknown{{"configuration", "no permission", ""}},
		},
		{
			"no configuration at all", func(base, comp *record.Machine) {
				base.Config, comp.Config = nil, nil
				unread(base, "config")
				unread(comp, "config")
			},
			nil,
			[]Unknown{{"configuration", "no permission", "no permission"}},
		},
		{
			"a governor on BASE alone", func(base, comp *record.Machine) {
				base.Governor, base.Absent, base.Nonexistent = "performance", nil, nil
			},
			[]Difference{{"governor", "performance", ""}},
			nil,
		},
		{
			"a governor that could not be read", func(base, comp *record.Machine) {
				base.Governor, base.Absent, base.Nonexistent = "performance", nil, nil
				comp.Nonexistent = nil
			},
			nil,
			[]Unknown{{"governor", "", "the kernel has no cpufreq"}},
		},
		{
			"slabs", func(base, comp *record.Machine) {
				comp.SlabCaches, comp.SlabMerging = nil, nil
				comp.Absent = map[string]string{"slab_caches": "hidden", "slab_merging": "not there"}
			},
			nil,
			[]Unknown{{"slab merging", "", "not there"}, {"slab caches", "", "hidden"}},
		},
		{
			"a version that looked at other options", func(base, comp *record.Machine) {
				base.Config["CONFIG_OLD"], comp.Config["CONFIG_NEW"], comp.Config["CONFIG_NEWER"] = "y", "n", "m"
			},
			nil,
			[]Unknown{{"config CONFIG_NEW, config CONFIG_NEWER", older, ""}, {"config CONFIG_OLD", "", older}},
		},
		{
			"a mitigation that a kernel does not know", func(base, comp *record.Machine) { comp.Mitigations["its"] = "Vulnerable" },
			[]Difference{{"mitigation its", "", "Vulnerable"}},
			nil,
		},
	} {
		base, comp := machine("6.12", "#1"), machine("6.12", "#1")
		c.change(base, comp)
		differences, unknown := environment(base, comp)
		if diff := cmp.Diff(append([]Difference{}, c.differences...), differences); diff != "" {
			t.Errorf("%s: differences (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(append([]Unknown{}, c.unknown...), unknown); diff != "" {
			t.Errorf("%s: unknown (-want +got):\n%s", c.name, diff)
		}
	}
	if differences, unknown := environment(nil, machine("6.12", "#1")); len(differences) > 0 || len(unknown) > 0 {
		t.Errorf("of a CSV: %v, %v", differences, unknown)
	}
}

// Of two recordings one lacks the configuration: that is one line, in no way a difference.
func TestUnknownConfiguration(t *testing.T) {
	read := func(name string, change func(*record.Machine)) *Input {
		f := fake{seed: 1, kernel: "7.3.4", build: "#1 SMP", bare: 4, factor: 1, programs: []program{
			{file: "a.bpf.o", name: "a", ns: lognormal(1e6, 0.01), insns: 10, states: 1, observer: 1},
		}}
		lines := f.lines()
		change(lines[0].(*record.Machine))
		in, err := Read(name, bytes.NewReader(encoded(t, lines)), ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	with := read("with", func(*record.Machine) {})
	without := read("without", func(m *record.Machine) {
		m.Config = map[string]string{}
		m.Absent = maps.Clone(m.Absent)
		m.Absent["config"] = "neither /proc/config.gz nor /boot/config-7.3.4"
	})
	c, err := Compare(with, without, Options{Noise: without})
	if err != nil {
		t.Fatal(err)
	}
	want := []Unknown{{What: "configuration", New: "neither /proc/config.gz nor /boot/config-7.3.4"}}
	if diff := cmp.Diff(want, c.Unknown); diff != "" || len(c.Differences) > 0 {
		t.Errorf("differences %v, unknown (-want +got):\n%s", c.Differences, diff)
	}
	if !hasWarning(c, "noise_environment", "", "", "whether without differs from BASE is not known: configuration: neither /proc/config.gz") {
		t.Errorf("warnings: %+v", c.Warnings)
	}
}
