package object

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/load"
)

// configData returns the contents of the map .kconfig: the values of all variables of the
// kernel's configuration that the object declares, nil if it declares none. It sets the
// offsets of the externs.
func configData(externs map[string]*extern) ([]byte, error) {
	var (
		data   []byte
		config kernel.Config
		read   bool
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
		if strings.HasPrefix(name, "CONFIG_") && !read {
			config, read = kernelConfig(), true
		}
		// Variables have an alignment of eight bytes at most.
		data = append(data, make([]byte, -len(data)&7)...)
		if size > maxData-len(data) {
			return nil, fmt.Errorf("%s: it has %d bytes, beyond the %d of all variables of an object", name, size, maxData)
		}
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

// setConfig sets a variable to its value in the kernel's configuration.
func setConfig(data []byte, e *extern, typ btf.Type, config kernel.Config) error {
	switch e.name {
	case "LINUX_KERNEL_VERSION":
		version, err := kernel.RunningVersion()
		if err != nil {
			return err
		}
		return setConfigNumber(data, typ, uint64(version.Code()))
	case "LINUX_HAS_BPF_COOKIE", "LINUX_HAS_SYSCALL_WRAPPER": // on all kernels from 6.1
		return setConfigNumber(data, typ, 1)
	}
	option := config.Option(e.name)
	value, ok := option.Get()
	switch {
	case option.IsAbsent() && e.weak:
		return nil
	case !ok:
		return option.Why()
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

// setConfigNumber sets an integer of up to eight bytes. It fails if the value does not fit.
func setConfigNumber(data []byte, typ btf.Type, value uint64) error {
	t, ok := btf.UnderlyingType(typ).(*btf.Int)
	if !ok {
		return fmt.Errorf("a number is no value for a variable of type %s", typ.TypeName())
	}
	if t.Size < 1 || t.Size > 8 || int64(t.Size) > int64(len(data)) {
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
