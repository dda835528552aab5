package kernel

import (
	"io/fs"
	"slices"
	"strings"
)

// bootOptions are those of the command line that matter to slab, BPF and times.
var bootOptions = []string{
	"slab_nomerge", "slub_nomerge", "slab_merge", "slub_merge", "init_on_alloc", "init_on_free",
	"hardened_usercopy", "page_poison", "cgroup.memory", "cgroup_disable", "swapaccount",
	"mitigations", "nopti", "pti", "nospectre_v1", "nospectre_v2", "spectre_v2", "spectre_bhi", "spec_store_bypass_disable",
	"l1tf", "mds", "tsx", "tsx_async_abort", "retbleed", "ibt", "cfi", "randomize_kstack_offset",
	"preempt", "isolcpus", "nohz", "nohz_full", "rcu_nocbs", "irqaffinity", "nosmt", "maxcpus", "nr_cpus",
	"idle", "processor.max_cstate", "intel_idle.max_cstate", "intel_pstate", "amd_pstate", "cpufreq.default_governor",
	"numa_balancing", "transparent_hugepage", "debug_pagealloc", "lsm", "clocksource", "tsc", "nokaslr",
}

var bootPrefixes = []string{"slab_", "slub_", "kasan", "kfence", "kmemleak", "sysctl.net.core.bpf_", "sysctl.vm."}

// readCommandLine reads the whole command line of the running kernel, with what is for
// init. It may be empty.
func readCommandLine(root fs.FS) Fact[string] {
	text, err := readLine(root, "proc/cmdline")
	if err != nil {
		return Unknown[string](err)
	}
	return Known(text)
}

// bootOptionsOf returns those of a command line.
func bootOptionsOf(commandLine Fact[string]) Fact[[]string] {
	text, ok := commandLine.Get()
	if !ok {
		return Unknown[[]string](commandLine.Why())
	}
	return Known(relevantOptions(text))
}

// relevantOptions returns the options of a command line that matter to slab, BPF and
// times, in their order.
func relevantOptions(cmdline string) []string {
	options := []string{}
	for _, option := range strings.Fields(cmdline) {
		if option == "--" { // the rest is for init
			break
		}
		name, _, _ := strings.Cut(option, "=")
		if slices.Contains(bootOptions, name) || slices.ContainsFunc(bootPrefixes, func(p string) bool {
			return strings.HasPrefix(name, p)
		}) {
			options = append(options, option)
		}
	}
	return options
}

// lastOption returns the value of the last of the options with one of the names: that
// is the one which holds.
func lastOption(options []string, names ...string) (name, value string, ok bool) {
	for _, option := range slices.Backward(options) {
		name, value, _ = strings.Cut(option, "=")
		if slices.Contains(names, name) {
			return name, value, true
		}
	}
	return "", "", false
}
