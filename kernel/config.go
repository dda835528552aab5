package kernel

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/verialloc/verialloc/internal/input"
)

// Config is the configuration that a kernel was built with. Of the zero Config no option
// is known. It may be used by several goroutines.
type Config struct {
	options map[string]string // those that are set, by their full names; nil: not known
	sha256  string            // of the text, in hexadecimal
	why     error             // why they are not known
}

// errNotSet is why an option is absent.
var errNotSet = errors.New("this kernel's configuration has none")

// ReadConfig reads the running kernel's configuration, from the kernel itself
// (CONFIG_IKCONFIG_PROC) or from its package.
func ReadConfig() Config {
	release, err := ReadRelease()
	if err != nil {
		return Config{why: err}
	}
	return readConfig(os.DirFS("/"), release.Name)
}

// readConfig reads the first of the files that is there and can be read. What the kernel
// itself shows comes first: a package's file may be of another build of the same release.
func readConfig(root fs.FS, release string) Config {
	why := fmt.Errorf("neither /proc/config.gz nor /boot/config-%s: load module configs or install the kernel's package", release)
	for _, name := range []string{
		"proc/config.gz",
		"boot/config-" + release,
		"lib/modules/" + release + "/config",
		"usr/lib/modules/" + release + "/config",
	} {
		c, err := readConfigFile(root, name)
		switch {
		case err == nil:
			return c
		case !errors.Is(err, fs.ErrNotExist):
			why = fmt.Errorf("%w; %w", err, why)
		}
	}
	return Config{why: why}
}

func readConfigFile(root fs.FS, name string) (Config, error) {
	file, err := input.Kernel.OpenIn(root, name)
	if err != nil {
		return Config{}, named(err)
	}
	defer file.Close()
	var text io.Reader = file
	if path.Ext(name) == ".gz" {
		if text, err = gzip.NewReader(file); err != nil {
			return Config{}, fmt.Errorf("/%s: %w", name, err)
		}
	}
	c, err := ParseConfig(input.Kernel.Reader(text)) // what gzip makes of it has its own length
	if err != nil {
		return Config{}, fmt.Errorf("/%s: %w", name, err)
	}
	return c, nil
}

// ParseConfig reads lines such as CONFIG_HZ=250. All others are comments, such as
// # CONFIG_KASAN is not set.
func ParseConfig(r io.Reader) (Config, error) {
	c := Config{options: map[string]string{}}
	hash := sha256.New()
	lines := bufio.NewScanner(io.TeeReader(r, hash))
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok && strings.HasPrefix(name, "CONFIG_") {
			c.options[name] = value
		}
	}
	if err := lines.Err(); err != nil {
		return Config{}, err
	}
	c.sha256 = hex.EncodeToString(hash.Sum(nil))
	return c, nil
}

// SHA256 returns the hash of the configuration's text, in hexadecimal: what sha256sum prints
// for it, zcat'ed from /proc/config.gz.
func (c Config) SHA256() Fact[string] {
	if why := c.Why(); why != nil {
		return Unknown[string](why)
	}
	return Known(c.sha256)
}

// Option returns the value of an option by its full name, such as CONFIG_HZ, as the
// configuration has it: y, m, a number, or a string in quotes. An option that is not set
// is absent, and so is a name without CONFIG_, whether or not the configuration is known.
func (c Config) Option(name string) Fact[string] {
	value, ok := c.options[name]
	switch {
	case ok:
		return Known(value)
	case c.options == nil && strings.HasPrefix(name, "CONFIG_"):
		return Unknown[string](c.why)
	default:
		return Absent[string](errNotSet)
	}
}

// Why returns the reason why no option is known; nil if the configuration could be read.
func (c Config) Why() error {
	if c.options != nil {
		return nil
	}
	return Unknown[string](c.why).Why()
}

// value returns an option's value without quotes, n if it is not set or not known.
func (c Config) value(name string) string {
	if value, ok := c.Option("CONFIG_" + name).Get(); ok {
		return strings.Trim(value, `"`)
	}
	return "n"
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

// relevant returns those options by their full names, n where they are not set; none if
// the configuration is not known.
func (c Config) relevant() map[string]string {
	options := map[string]string{}
	if c.Why() != nil {
		return options
	}
	for _, name := range configOptions {
		options["CONFIG_"+name] = c.value(name)
	}
	return options
}
