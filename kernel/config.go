package kernel

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// Config holds the options of a kernel's configuration that are set, without the CONFIG_
// of their names, as they are written there: strings in quotes. nil: the configuration is
// not known.
type Config map[string]string

// ReadConfig reads the running kernel's configuration, from /proc/config.gz or from where
// its package puts it. It fails where there is none.
func ReadConfig() (Config, error) {
	release, err := ReadRelease()
	if err != nil {
		return nil, err
	}
	return readConfig(os.DirFS("/"), release.Name)
}

// configOptions are those that change what the verifier's allocations cost, or the
// verifier itself.
var configOptions = []string{
	// The slab allocator.
	"SLUB", "SLUB_TINY", "SLUB_CPU_PARTIAL", "SLUB_DEBUG", "SLUB_DEBUG_ON", "SLUB_STATS",
	"SLAB_MERGE_DEFAULT", "SLAB_FREELIST_RANDOM", "SLAB_FREELIST_HARDENED", "SLAB_BUCKETS",
	"RANDOM_KMALLOC_CACHES", "INIT_ON_ALLOC_DEFAULT_ON", "INIT_ON_FREE_DEFAULT_ON",
	"MEMCG", "MEMCG_KMEM", "NUMA", "MEM_ALLOC_PROFILING", "MEM_ALLOC_PROFILING_ENABLED_BY_DEFAULT",
	"SHUFFLE_PAGE_ALLOCATOR", "PAGE_POISONING", "DEBUG_PAGEALLOC", "DEBUG_KMEMLEAK",
	"KASAN", "KFENCE", "KMSAN", "KCSAN", "UBSAN",
	// BPF.
	"BPF_SYSCALL", "BPF_JIT", "BPF_JIT_ALWAYS_ON", "BPF_JIT_DEFAULT_ON", "BPF_UNPRIV_DEFAULT_OFF",
	"BPF_LSM", "DEBUG_INFO_BTF", "FUNCTION_TRACER", "KPROBES",
	// The code around them.
	"PREEMPT_NONE", "PREEMPT_VOLUNTARY", "PREEMPT", "PREEMPT_LAZY", "PREEMPT_DYNAMIC", "PREEMPT_RT",
	"HZ", "CC_OPTIMIZE_FOR_SIZE", "CC_VERSION_TEXT", "LTO_CLANG", "CFI_CLANG", "CFI", "GCOV_KERNEL", "KCOV",
	"PROVE_LOCKING", "LOCK_STAT", "DEBUG_PREEMPT", "DEBUG_VM", "DEBUG_LIST", "DEBUG_ATOMIC_SLEEP",
	"STACKPROTECTOR_STRONG", "RANDOMIZE_KSTACK_OFFSET_DEFAULT", "MITIGATION_RETPOLINE", "RETPOLINE", "X86_KERNEL_IBT",
}

// relevant returns those options by their full names, n where they are not set.
func (c Config) relevant() map[string]string {
	options := map[string]string{}
	if c == nil {
		return options
	}
	for _, name := range configOptions {
		options["CONFIG_"+name] = c.value(name)
	}
	return options
}

// value returns an option's value without quotes, n if it is not set.
func (c Config) value(name string) string {
	if value, ok := c[name]; ok {
		return strings.Trim(value, `"`)
	}
	return "n"
}

// readConfig reads the kernel's configuration, from itself or from its package.
func readConfig(root fs.FS, release string) (Config, error) {
	var reasons []error
	for _, path := range []string{
		"proc/config.gz",
		"boot/config-" + release,
		"lib/modules/" + release + "/config",
		"usr/lib/modules/" + release + "/config",
	} {
		text, err := readMaybeCompressed(root, path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			return parseConfig(text), nil
		}
		reasons = append(reasons, named(err))
	}
	return nil, errors.Join(append(reasons, fmt.Errorf(
		"neither /proc/config.gz nor /boot/config-%s: load module configs or install the kernel's package", release))...)
}

func readMaybeCompressed(root fs.FS, path string) ([]byte, error) {
	text, err := fs.ReadFile(root, path)
	if err != nil || !strings.HasSuffix(path, ".gz") {
		return text, err
	}
	r, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("/%s: %w", path, err)
	}
	text, err = io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("/%s: %w", path, err)
	}
	return text, nil
}

// parseConfig reads lines such as CONFIG_HZ=250; others say what is not set.
func parseConfig(text []byte) Config {
	c := Config{}
	scanner := bufio.NewScanner(bytes.NewReader(text))
	for scanner.Scan() {
		name, value, ok := strings.Cut(scanner.Text(), "=")
		name, isOption := strings.CutPrefix(name, "CONFIG_")
		if ok && isOption {
			c[name] = value
		}
	}
	return c
}

// bootOptions are those of the command line that matter, all others left out: it can
// hold what is nobody's business.
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
