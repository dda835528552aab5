package kernel

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/tracer/record"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func link(target string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
}

func zipped(t *testing.T, text string) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

// addCache adds a cache's own directory.
func addCache(root fstest.MapFS, name string, object, slot, objects, order int) {
	for file, n := range map[string]int{"object_size": object, "slab_size": slot, "objs_per_slab": objects, "order": order} {
		root["sys/kernel/slab/"+name+"/"+file] = &fstest.MapFile{Data: []byte(strconv.Itoa(n) + "\n")}
	}
}

// debian is a machine as Debian's kernels show it.
func debian(t *testing.T) fstest.MapFS {
	root := fstest.MapFS{
		"proc/cmdline":                  file("BOOT_IMAGE=/vmlinuz root=/dev/sda1 secret=1 init_on_alloc=0 slab_merge quiet -- preempt=full\n"),
		"proc/config.gz":                zipped(t, "CONFIG_SLUB=y\nCONFIG_HZ=250\n# CONFIG_KASAN is not set\nCONFIG_PREEMPT_VOLUNTARY=y\nCONFIG_PREEMPT_DYNAMIC=y\nCONFIG_CC_VERSION_TEXT=\"gcc 12\"\n"),
		"proc/cpuinfo":                  file("processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\nprocessor\t: 1\nmodel name\t: Other\n"),
		"sys/devices/system/cpu/online": file("0-2,4\n"),
		"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": file("performance\n"),
		"sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": file("performance\n"),
		"sys/devices/system/cpu/vulnerabilities/retbleed":      file("Not affected\n"),
		"sys/devices/system/cpu/vulnerabilities/spectre_v2":    file("Mitigation: Retpolines\n"),
		"sys/kernel/slab/kmalloc-192":                          link(":0000192"),
		"sys/kernel/slab/filp_like":                            link(":0000192"),
		"sys/kernel/slab/kmalloc-cg-192":                       link(":A-0000192"),
		"sys/kernel/slab/kmalloc-rcl-192":                      link(":a-0000192"),
		"sys/kernel/slab/skbuff":                               link(":0000256"),
	}
	root["sys/kernel/notes"] = &fstest.MapFile{Data: slices.Concat(
		note(6, "Linux", "\x00\x00\x00\x00"), note(0x100, "Linux", "6.12.117"), note(ntGNUBuildID, "GNU", "\x4a\x5a\x9b\x0a\xff"),
	)}
	root["sys/devices/system/clocksource/clocksource0/current_clocksource"] = file("tsc\n")
	root["proc/sys/kernel/random/boot_id"] = file("2b0c0f3e-0f7c-4a5e-9d35-1d9c3a3f8f11\n")
	addCache(root, ":0000192", 192, 192, 21, 0)
	addCache(root, ":A-0000192", 192, 192, 21, 0)
	addCache(root, ":a-0000192", 192, 192, 21, 0)
	addCache(root, ":0000256", 256, 256, 16, 0)
	addCache(root, "bpf_states", 100, 104, 39, 0)
	return root
}

func describeOn(root fs.FS, release, build string) record.Machine {
	m := record.Machine{Kernel: release, Build: build}
	describe(&m, root, emulated(icountLoop(0)))
	return m
}

func TestDescribe(t *testing.T) {
	m := describeOn(debian(t), "6.12.117", "#1 SMP PREEMPT_DYNAMIC Debian")
	if len(m.Absent) > 0 {
		t.Errorf("absent: %v", m.Absent)
	}
	if m.CPUs != 4 || m.CPUModel != "Some CPU @ 3 GHz" || m.Governor != "performance" {
		t.Errorf("%d CPUs, %q, governor %q", m.CPUs, m.CPUModel, m.Governor)
	}
	if m.Preemption != "voluntary" {
		t.Errorf("preemption %q: what is behind -- is for init", m.Preemption)
	}
	if diff := cmp.Diff([]string{"init_on_alloc=0", "slab_merge"}, m.BootOptions); diff != "" {
		t.Errorf("boot options (-want +got):\n%s", diff)
	}
	want := record.System{
		KernelCommandLine: "BOOT_IMAGE=/vmlinuz root=/dev/sda1 secret=1 init_on_alloc=0 slab_merge quiet -- preempt=full",
		KernelBuildID:     "4a5a9b0aff",
		ConfigSHA256:      "31e757ad9d3d820e23584105105aaa0db3644403cd81a5e6424eee9687410dbc",
		ClockSource:       "tsc", Hypervisor: "TCG", ICount: "shift=0", BootID: "2b0c0f3e-0f7c-4a5e-9d35-1d9c3a3f8f11",
	}
	if diff := cmp.Diff(want, m.System); diff != "" {
		t.Errorf("system (-want +got):\n%s", diff)
	}
	for option, want := range map[string]string{
		"CONFIG_SLUB": "y", "CONFIG_HZ": "250", "CONFIG_KASAN": "n", "CONFIG_BPF_JIT": "n", "CONFIG_CC_VERSION_TEXT": "gcc 12",
	} {
		if m.Config[option] != want {
			t.Errorf("%s=%q, want %q", option, m.Config[option], want)
		}
	}
	if m.Mitigations["spectre_v2"] != "Mitigation: Retpolines" || len(m.Mitigations) != 2 {
		t.Errorf("mitigations: %v", m.Mitigations)
	}
	if m.SlabMerging == nil || !*m.SlabMerging {
		t.Error("slabs are merged, and it is not seen")
	}
	caches := []record.SlabCache{
		{Name: "bpf_states", ObjectBytes: 100, SlotBytes: 104, ObjectsPerSlab: 39, Aliases: []string{}},
		{Name: "filp_like", ID: ":0000192", ObjectBytes: 192, SlotBytes: 192, ObjectsPerSlab: 21, Aliases: []string{"kmalloc-192"}},
		{Name: "kmalloc-192", ID: ":0000192", ObjectBytes: 192, SlotBytes: 192, ObjectsPerSlab: 21, Aliases: []string{"filp_like"}},
		{Name: "kmalloc-cg-192", ID: ":A-0000192", ObjectBytes: 192, SlotBytes: 192, ObjectsPerSlab: 21, Aliases: []string{}},
		{Name: "kmalloc-rcl-192", ID: ":a-0000192", ObjectBytes: 192, SlotBytes: 192, ObjectsPerSlab: 21, Aliases: []string{}},
		{Name: "skbuff", ID: ":0000256", ObjectBytes: 256, SlotBytes: 256, ObjectsPerSlab: 16, Aliases: []string{}},
	}
	if diff := cmp.Diff(caches, m.SlabCaches); diff != "" {
		t.Errorf("caches (-want +got):\n%s", diff)
	}
}

// What the kernel lacks is told apart from what could not be read.
func TestNonexistent(t *testing.T) {
	root := debian(t)
	for path := range root {
		if strings.Contains(path, "/cpufreq/") || strings.Contains(path, "/vulnerabilities/") {
			delete(root, path)
		}
	}
	m := describeOn(root, "6.12.117", "")
	if diff := cmp.Diff([]string{"cpu_governor", "mitigations"}, m.Nonexistent); diff != "" || len(m.Absent) != 2 {
		t.Errorf("absent: %v; nonexistent (-want +got):\n%s", m.Absent, diff)
	}
	root["sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"] = &fstest.MapFile{Mode: fs.ModeDir}
	if m := describeOn(root, "6.12.117", ""); m.Absent["cpu_governor"] == "" || slices.Contains(m.Nonexistent, "cpu_governor") {
		t.Errorf("absent: %v, nonexistent %v", m.Absent, m.Nonexistent)
	}
}

// What is not there has a reason, and nothing else is made of it.
func TestDescribeNothing(t *testing.T) {
	m := describeOn(fstest.MapFS{}, "6.12.117", "#1 SMP")
	for _, member := range []string{
		"kernel_command_line", "kernel_build_id", "config_sha256", "clock_source", "boot_id",
		"boot_options", "config", "cpus", "cpu_model", "cpu_governor", "mitigations", "preemption", "slab_caches", "slab_merging",
	} {
		if m.Absent[member] == "" {
			t.Errorf("%s: no reason", member)
		}
	}
	if len(m.Nonexistent) > 0 {
		t.Errorf("without any file nobody knows what the kernel lacks: %v", m.Nonexistent)
	}
	if m.SlabMerging != nil || m.Preemption != "" || m.CPUs != 0 {
		t.Errorf("%+v", m)
	}
	if !strings.Contains(m.Absent["config"], "/boot/config-6.12.117") {
		t.Errorf("config: %s", m.Absent["config"])
	}
}

func TestConfigOfPackage(t *testing.T) {
	root := fstest.MapFS{"boot/config-6.1": file("CONFIG_PREEMPT=y\n")}
	m := describeOn(root, "6.1", "#1 SMP PREEMPT")
	if m.Config["CONFIG_PREEMPT"] != "y" || m.Preemption != "full" {
		t.Errorf("preemption %q, config %v", m.Preemption, m.Config)
	}
	root["proc/config.gz"] = file("not zipped")
	if m := describeOn(root, "6.1", ""); m.Config["CONFIG_PREEMPT"] != "y" {
		t.Errorf("absent: %v", m.Absent)
	}
	delete(root, "boot/config-6.1")
	if m := describeOn(root, "6.1", ""); !strings.Contains(m.Absent["config"], "gzip") {
		t.Errorf("absent: %v", m.Absent)
	}
}

func TestPreemption(t *testing.T) {
	const dynamic = "#1 SMP PREEMPT_DYNAMIC"
	for name, c := range map[string]struct {
		debug, cmdline, config, build string
		want                          string
	}{
		"debugfs":               {"none voluntary full (lazy)", "preempt=full", "CONFIG_PREEMPT=y", dynamic, "lazy"},
		"chosen at boot":        {"", "preempt=none preempt=full", "CONFIG_PREEMPT_LAZY=y", dynamic, "full"},
		"chosen at build":       {"", "", "CONFIG_PREEMPT_LAZY=y", dynamic, "lazy"},
		"not to be chosen":      {"", "preempt=full", "CONFIG_PREEMPT_NONE=y", "#1 SMP", "none"},
		"no such mode":          {"", "preempt=most", "CONFIG_PREEMPT_VOLUNTARY=y", dynamic, "voluntary"},
		"boot without a config": {"", "preempt=none", "", dynamic, "none"},
		"not known":             {"", "", "", dynamic, ""},
	} {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{"proc/cmdline": file(c.cmdline)}
			if c.debug != "" {
				root["sys/kernel/debug/sched/preempt"] = file(c.debug + "\n")
			}
			if c.config != "" {
				root["boot/config-6.18"] = file(c.config)
			}
			m := describeOn(root, "6.18", c.build)
			if m.Preemption != c.want || (m.Absent["preemption"] == "") != (c.want != "") {
				t.Errorf("%q (%s), want %q", m.Preemption, m.Absent["preemption"], c.want)
			}
		})
	}
}

func TestSlabMerging(t *testing.T) {
	unmerged := fstest.MapFS{}
	addCache(unmerged, "kmalloc-192", 192, 192, 21, 0)
	hidden := debian(t) // as to others than root
	delete(hidden, "sys/kernel/slab/:0000192/slab_size")
	yes, no := true, false
	for name, c := range map[string]struct {
		root fstest.MapFS
		want *bool
	}{
		"sysfs":             {debian(t), &yes},
		"sysfs, off":        {unmerged, &no},
		"sysfs, no sizes":   {hidden, &yes},
		"boot, off":         {fstest.MapFS{"proc/cmdline": file("slab_nomerge")}, &no},
		"boot, old names":   {fstest.MapFS{"proc/cmdline": file("slub_nomerge slub_merge")}, &yes},
		"configuration":     {fstest.MapFS{"boot/config-6.1": file("CONFIG_SLAB_MERGE_DEFAULT=y")}, &yes},
		"configuration, no": {fstest.MapFS{"boot/config-6.1": file("CONFIG_SLUB=y")}, &no},
		"not known":         {fstest.MapFS{}, nil},
	} {
		if diff := cmp.Diff(c.want, describeOn(c.root, "6.1", "").SlabMerging); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if m := describeOn(hidden, "6.1", ""); len(m.SlabCaches) != 0 || m.Absent["slab_caches"] == "" {
		t.Errorf("caches without their sizes: %v", m.SlabCaches)
	}
}

func TestSlabAliases(t *testing.T) {
	got, ok := slabAliases(fstest.MapFS{
		"sys/kernel/slab/:0000192/object_size":    file("192"),
		"sys/kernel/slab/proc_dir_entry":          link(":0000192"),
		"sys/kernel/slab/bpf_verifier_state_list": link(":0000192"),
		"sys/kernel/slab/inet_peer":               link(":0000192"),
		"sys/kernel/slab/skbuff":                  link(":0000256"),
		"sys/kernel/slab/task_struct/object_size": file("9000"),
	}).Get()
	want := map[string][]string{
		"proc_dir_entry":          {"bpf_verifier_state_list", "inet_peer"},
		"bpf_verifier_state_list": {"inet_peer", "proc_dir_entry"},
		"inet_peer":               {"bpf_verifier_state_list", "proc_dir_entry"},
		"skbuff":                  {},
		"task_struct":             {},
	}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("aliases (-want +got):\n%s", diff)
	}
	if fact := slabAliases(fstest.MapFS{}); !fact.IsUnknown() {
		t.Errorf("%+v without sysfs", fact)
	}
}

func TestAccountedCaches(t *testing.T) {
	if accounted, ok := accountedCaches(fstest.MapFS{"sys/kernel/slab/kmalloc-cg-64": link(":A-0000064")}).Get(); !ok || !accounted {
		t.Errorf("%v, %v: a link is a cache", accounted, ok)
	}
	if accounted, ok := accountedCaches(fstest.MapFS{"sys/kernel/slab/kmalloc-64": link(":0000064")}).Get(); !ok || accounted {
		t.Errorf("%v, %v: there is none", accounted, ok)
	}
	if fact := accountedCaches(fstest.MapFS{}); !fact.IsUnknown() {
		t.Errorf("%+v without sysfs", fact)
	}
}

// Any Linux has these.
func TestReadMachine(t *testing.T) {
	m, err := ReadMachine()
	if err != nil {
		t.Fatal(err)
	}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	for member, value := range map[string]string{
		"kernel_build_id": m.KernelBuildID, "config_sha256": m.ConfigSHA256, "clock_source": m.ClockSource,
		"hypervisor": m.Hypervisor, "icount": m.ICount, "boot_id": m.BootID,
	} {
		if (value == "") != (m.Absent[member] != "") {
			t.Errorf("%s is %q, and why it has no value %q", member, value, m.Absent[member])
		}
	}
	if m.Kernel != strings.TrimSpace(string(release)) || m.CPUs < runtime.NumCPU() || m.Architecture == "" || m.PageBytes < 4096 {
		t.Errorf("kernel %q, %d CPUs, architecture %q, pages of %d bytes", m.Kernel, m.CPUs, m.Architecture, m.PageBytes)
	}
	t.Logf("hypervisor %q, icount %q, clock source %q", m.Hypervisor, m.ICount, m.ClockSource)
	t.Logf("absent: %v; preemption %q, %d slab caches", m.Absent, m.Preemption, len(m.SlabCaches))
}
