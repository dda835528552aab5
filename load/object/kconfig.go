package object

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/load"
)

// configData is the contents of the map .kconfig: the values of all variables of the
// kernel's configuration that the object asks for, nil if it asks for none. It sets
// their offsets.
func configData(externs map[string]*extern) ([]byte, error) {
	var (
		data   []byte
		config map[string]string
	)
	for _, name := range slices.Sorted(maps.Keys(externs)) {
		e := externs[name]
		v, ok := e.typ.(*btf.Var)
		if !ok || !e.config {
			continue
		}
		size, err := btf.Sizeof(v.Type)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if strings.HasPrefix(name, "CONFIG_") && config == nil {
			if config, err = kernelConfig(); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		// Eight bytes suit any variable that there can be.
		data = append(data, make([]byte, -len(data)&7)...)
		e.offset = uint32(len(data))
		data = append(data, make([]byte, size)...)
		if err := setConfig(data[e.offset:], e, v.Type, config); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return data, nil
}

// createConfig makes the map .kconfig.
func (l *loadedObject) createConfig(data []byte) (*ebpf.Map, error) {
	return l.createMap(&ebpf.MapSpec{
		Name:       kconfigSection,
		Type:       ebpf.Array,
		KeySize:    4,
		ValueSize:  uint32(len(data)),
		MaxEntries: 1,
		Flags:      unix.BPF_F_RDONLY_PROG,
		Contents:   []ebpf.MapKV{{Key: uint32(0), Value: data}},
	}, 1)
}

// setConfig sets a variable to what the kernel's configuration has for it.
func setConfig(data []byte, e *extern, typ btf.Type, config map[string]string) error {
	switch e.name {
	case "LINUX_KERNEL_VERSION":
		version, err := kernelVersion()
		if err != nil {
			return err
		}
		return setConfigNumber(data, typ, uint64(version))
	case "LINUX_HAS_BPF_COOKIE", "LINUX_HAS_SYSCALL_WRAPPER": // on all kernels from 6.1
		return setConfigNumber(data, typ, 1)
	}
	value, ok := config[e.name]
	switch {
	case !ok && e.weak:
		return nil
	case !ok:
		return errors.New("this kernel's configuration has none")
	case value == "y" || value == "n" || value == "m":
		return setTristate(data, typ, value[0])
	case strings.HasPrefix(value, `"`):
		return setConfigString(data, typ, value)
	}
	if isBool(typ) {
		return fmt.Errorf("%s is no value for a variable of type %s", value, typ.TypeName())
	}
	negative := strings.HasPrefix(value, "-")
	number, err := strconv.ParseUint(strings.TrimPrefix(value, "-"), 0, 64)
	if err != nil {
		return err
	}
	if negative {
		number = -number
	}
	return setConfigNumber(data, typ, number)
}

func setTristate(data []byte, typ btf.Type, value byte) error {
	switch t := btf.UnderlyingType(typ).(type) {
	case *btf.Int:
		switch {
		case isBool(t) && value != 'm':
			return setConfigNumber(data, t, uint64(strings.IndexByte("ny", value)))
		case !isBool(t) && t.Size == 1:
			return setConfigNumber(data, t, uint64(value))
		}
	case *btf.Enum:
		if t.Name == "libbpf_tristate" && t.Size == 4 && len(data) >= 4 {
			load.NativeEndian.PutUint32(data, uint32(strings.IndexByte("nym", value)))
			return nil
		}
	}
	return fmt.Errorf("%c is no value for a variable of type %s", value, typ.TypeName())
}

func isBool(typ btf.Type) bool {
	t, ok := btf.UnderlyingType(typ).(*btf.Int)
	return ok && t.Encoding == btf.Bool
}

func setConfigString(data []byte, typ btf.Type, value string) error {
	array, ok := btf.UnderlyingType(typ).(*btf.Array)
	if !ok {
		return fmt.Errorf("%s is no value for a variable of type %s", value, typ.TypeName())
	}
	size := min(int(array.Nelems), len(data))
	text := strings.Trim(value, `"`)
	copy(data[:max(size-1, 0)], text)
	return nil
}

// setConfigNumber sets an integer of up to eight bytes that the value fits in.
func setConfigNumber(data []byte, typ btf.Type, value uint64) error {
	t, ok := btf.UnderlyingType(typ).(*btf.Int)
	if !ok {
		return fmt.Errorf("a number is no value for a variable of type %s", typ.TypeName())
	}
	if t.Size > 8 || int64(t.Size) > int64(len(data)) {
		return fmt.Errorf("the variable has %d bytes", t.Size)
	}
	var fits bool
	switch bits := 8 * t.Size; {
	case isBool(t):
		fits = value <= 1
	case t.Encoding == btf.Signed:
		sign := int64(value) >> (bits - 1)
		fits = sign == 0 || sign == -1
	default:
		fits = bits == 64 || value>>bits == 0
	}
	if !fits {
		return fmt.Errorf("the value %d does not fit a variable of type %s", int64(value), typ.TypeName())
	}
	var bytes [8]byte
	load.NativeEndian.PutUint64(bytes[:], value)
	copy(data[:t.Size], bytes[:])
	return nil
}

// kernelVersion is the running kernel's KERNEL_VERSION: on Ubuntu and Debian that of
// the upstream kernel, which their release does not tell.
func kernelVersion() (uint32, error) {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return 0, fmt.Errorf("uname: %w", err)
	}
	signature, err := os.ReadFile("/proc/version_signature") // Ubuntu's
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	return parseVersion(string(signature), unix.ByteSliceToString(uts.Version[:]), unix.ByteSliceToString(uts.Release[:]))
}

// parseVersion takes the version from what tells most: Ubuntu's signature, Debian's
// version, or the release.
func parseVersion(signature, version, release string) (uint32, error) {
	// Ubuntu 5.15.0-25.25-generic 5.15.30
	if fields := strings.Fields(signature); len(fields) == 3 {
		if n, parts := parseNumbers(fields[2]); parts == 3 {
			return n, nil
		}
	}
	// #1 SMP PREEMPT_DYNAMIC Debian 6.12.12-1 (2025-02-02)
	if _, debian, ok := strings.Cut(version, "Debian "); ok {
		if n, parts := parseNumbers(debian); parts == 3 {
			return n, nil
		}
	}
	n, parts := parseNumbers(release)
	if parts < 2 {
		return 0, fmt.Errorf("kernel release %q does not begin with a version", release)
	}
	return n, nil
}

// parseNumbers reads major.minor.patch, or how many parts of it are there, and encodes
// it as KERNEL_VERSION does.
func parseNumbers(text string) (version uint32, parts int) {
	var major, minor, patch uint32
	parts, _ = fmt.Sscanf(text, "%d.%d.%d", &major, &minor, &patch)
	return major<<16 | minor<<8 | min(patch, 255), parts
}

// kernelConfig is the running kernel's configuration, by option.
func kernelConfig() (map[string]string, error) {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return nil, fmt.Errorf("uname: %w", err)
	}
	file, err := os.Open("/boot/config-" + unix.ByteSliceToString(uts.Release[:]))
	if err == nil {
		defer file.Close()
		return parseConfig(file)
	}
	compressed, err := os.Open("/proc/config.gz")
	if err != nil {
		return nil, errors.New("the kernel's configuration is neither in /boot nor in /proc/config.gz")
	}
	defer compressed.Close()
	r, err := gzip.NewReader(compressed)
	if err != nil {
		return nil, fmt.Errorf("/proc/config.gz: %w", err)
	}
	return parseConfig(r)
}

func parseConfig(r io.Reader) (map[string]string, error) {
	config := make(map[string]string)
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if option, value, ok := strings.Cut(lines.Text(), "="); ok && strings.HasPrefix(option, "CONFIG_") {
			config[option] = value
		}
	}
	return config, lines.Err()
}
