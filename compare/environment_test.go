package compare

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/tracer/record"
)

func TestEnvironment(t *testing.T) {
	unread := func(m *record.Machine, member string) {
		m.Absent = map[string]string{member: "no permission"}
	}
	const (
		older  = "the recording does not have it"
		system = "kernel build id, kernel command line, boot id, hypervisor, icount, clock source, configuration sha256"
	)
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
			"no configuration on NEW", func(base, comp *record.Machine) {
				comp.Config, comp.ConfigSHA256 = map[string]string{}, ""
				comp.Absent = map[string]string{"config": "no permission", "config_sha256": "no permission"}
			},
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
			"another arm of one image", func(base, comp *record.Machine) {
				base.KernelCommandLine, comp.KernelCommandLine = "console=ttyS0 arm=A", "console=ttyS0 arm=C"
				comp.BootID = "b4a3c2d1"
			},
			[]Difference{{"kernel command line", "arm=A", "arm=C"}, {"boot id", "9fe86349", "b4a3c2d1"}},
			nil,
		},
		{
			"another kernel", func(base, comp *record.Machine) {
				comp.Kernel, comp.BootID, comp.ConfigSHA256 = "7.3.4", "b4a3c2d1", "f2"
				base.KernelCommandLine, comp.KernelCommandLine = "BOOT_IMAGE=/boot/vmlinuz-6.12 quiet", "BOOT_IMAGE=/boot/vmlinuz-7.3.4 quiet"
			},
			[]Difference{{"kernel", "6.12", "7.3.4"}},
			nil,
		},
		{
			"another image of one name, under another clock", func(base, comp *record.Machine) {
				comp.KernelBuildID, comp.ConfigSHA256, comp.ClockSource, comp.Hypervisor, comp.ICount = "e1", "f2", "hpet", "KVM", ""
				unread(comp, "icount")
				comp.Nonexistent = []string{"icount"}
			},
			[]Difference{
				{"kernel build id", "4a5a9b0a", "e1"},
				{"hypervisor", "TCG", "KVM"},
				{"icount", "off", ""},
				{"clock source", "tsc", "hpet"},
				{"configuration sha256", "cd69f98a", "f2"},
			},
			nil,
		},
		{
			"a command line that could not be read", func(base, comp *record.Machine) {
				base.BootOptions = []string{"slab_nomerge"}
				comp.KernelCommandLine = ""
				comp.Absent = map[string]string{"kernel_command_line": "hidden", "boot_options": "hidden"}
			},
			nil,
			[]Unknown{{"kernel command line", "", "hidden"}},
		},
		{
			"a recording of an earlier version", func(base, comp *record.Machine) {
				base.System = record.System{}
				comp.BootOptions = []string{"slab_nomerge"}
			},
			[]Difference{{"boot options", "", "slab_nomerge"}},
			[]Unknown{{system, older, ""}},
		},
		{
			"two of an earlier version", func(base, comp *record.Machine) { base.System, comp.System = record.System{}, record.System{} },
			nil,
			[]Unknown{{system, older, older}},
		},
		{
			"no configuration on NEW, an earlier version on BASE", func(base, comp *record.Machine) {
				base.System = record.System{}
				comp.Config, comp.ConfigSHA256 = map[string]string{}, ""
				comp.Absent = map[string]string{"config": "no permission", "config_sha256": "no permission"}
			},
			nil,
			[]Unknown{{"configuration", "", "no permission"}, {strings.TrimSuffix(system, ", configuration sha256"), older, ""}},
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

// A recording of noise is best made after another boot: that alone is no warning.
func TestNoiseOfAnotherBoot(t *testing.T) {
	read := func(boot, commandLine string) *Input {
		f := fake{seed: 1, kernel: "7.3.4", build: "#1 SMP", bare: 4, factor: 1, programs: []program{
			{file: "a.bpf.o", name: "a", ns: lognormal(1e6, 0.01), insns: 10, states: 1, observer: 1},
		}}
		lines := f.lines()
		m := lines[0].(*record.Machine)
		m.BootID, m.KernelCommandLine = boot, commandLine
		in, err := Read(boot, bytes.NewReader(encoded(t, lines)), ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	base, comp := read("first", "quiet"), read("second", "quiet")
	c, err := Compare(base, comp, Options{Noise: comp})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Difference{{"boot id", "first", "second"}}, c.Differences); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	for _, w := range c.Warnings {
		if w.Code == "noise_environment" {
			t.Errorf("another boot: %s", w.Text)
		}
	}
	if c, err = Compare(base, comp, Options{Noise: read("third", "quiet arm=C")}); err != nil {
		t.Fatal(err)
	}
	if !hasWarning(c, "noise_environment", "", "", "third differs from BASE: kernel command line") {
		t.Errorf("warnings: %+v", c.Warnings)
	}
}
