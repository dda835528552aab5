package object

import (
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"os"
	"runtime"
	"slices"
	"strings"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// mapAttr is the part of union bpf_attr for BPF_MAP_CREATE, as far as it is used here.
type mapAttr struct {
	mapType            uint32
	keySize            uint32
	valueSize          uint32
	maxEntries         uint32
	mapFlags           uint32
	innerMapFD         uint32
	numaNode           uint32
	mapName            [unix.BPF_OBJ_NAME_LEN]byte
	_                  uint32 // map_ifindex
	btfFD              uint32
	btfKeyTypeID       uint32
	btfValueTypeID     uint32
	vmlinuxValueTypeID uint32
	mapExtra           uint64
	valueTypeBTFObjFD  int32
	_                  int32 // map_token_fd
}

func (a *mapAttr) create() (*ebpf.Map, error) {
	fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_MAP_CREATE, uintptr(unsafe.Pointer(a)), unsafe.Sizeof(*a))
	runtime.KeepAlive(a)
	if errno != 0 {
		return nil, errno
	}
	return ebpf.NewMapFromFD(int(fd))
}

// createMaps makes all maps of the object, used by a program or not, as libbpf does.
func (l *loadedObject) createMaps() error {
	specs := l.object.spec.Maps
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		if name == hiddenArena {
			continue
		}
		m, err := l.createMap(specs[name], maxEntries(specs[name]))
		if err != nil {
			return fmt.Errorf("map %s: %w", name, err)
		}
		l.maps[name] = m
	}
	for name, m := range l.maps {
		if err := l.fillOuter(m, specs[name]); err != nil {
			return fmt.Errorf("map %s: %w", name, err)
		}
	}
	for _, ops := range l.object.structOps {
		value, ok := l.opsValues[ops.name]
		if !ok {
			continue
		}
		m, err := ops.create(value, l.types)
		if err != nil {
			return fmt.Errorf("struct_ops %s: %w", ops.name, err)
		}
		l.maps[structOpsSection+"/"+ops.name] = m
	}
	return nil
}

// createMap makes one map with a number of entries, without the maps that it holds.
func (l *loadedObject) createMap(spec *ebpf.MapSpec, entries uint32) (_ *ebpf.Map, err error) {
	attr := mapAttr{
		mapType:    uint32(spec.Type),
		keySize:    spec.KeySize,
		valueSize:  spec.ValueSize,
		maxEntries: entries,
		mapFlags:   spec.Flags,
		numaNode:   spec.NumaNode,
		mapExtra:   spec.MapExtra,
	}
	copy(attr.mapName[:unix.BPF_OBJ_NAME_LEN-1], spec.Name)
	data := isData(spec)
	if data {
		attr.mapFlags |= unix.BPF_F_MMAPABLE
	}
	if spec.Type == ebpf.PerfEventArray && attr.valueSize == 0 {
		attr.valueSize = 4 // the ebpf library leaves it at 0
	}
	if holdsMaps(spec.Type) {
		attr.valueSize = 4
		if spec.InnerMap != nil {
			inner, err := l.createMap(spec.InnerMap, innerEntries(spec.InnerMap))
			if err != nil {
				return nil, fmt.Errorf("inner map: %w", err)
			}
			defer inner.Close()
			attr.innerMapFD = uint32(inner.FD())
		}
	}
	if l.types != nil && !refusesTypes(spec.Type) {
		if err := l.addTypes(&attr, spec); err != nil {
			return nil, err
		}
	}
	m, err := attr.create()
	if err != nil && attr.btfFD != 0 {
		// libbpf tries again without types.
		attr.btfFD, attr.btfKeyTypeID, attr.btfValueTypeID = 0, 0, 0
		m, err = attr.create()
	}
	if err != nil {
		return nil, fmt.Errorf("create a %v of %d entries, keys of %d bytes and values of %d: %w",
			spec.Type, attr.maxEntries, attr.keySize, attr.valueSize, err)
	}
	defer func() {
		if err != nil {
			m.Close()
		}
	}()
	switch {
	case data:
		return m, fillData(m, spec)
	case spec.Type == ebpf.Arena && spec.MapExtra == 0:
		return m, placeArena(m, attr.maxEntries)
	}
	return m, nil
}

func (l *loadedObject) addTypes(attr *mapAttr, spec *ebpf.MapSpec) error {
	attr.btfFD = uint32(l.types.FD())
	for _, t := range []struct {
		id  *uint32
		typ btf.Type
	}{{&attr.btfKeyTypeID, spec.Key}, {&attr.btfValueTypeID, spec.Value}} {
		if t.typ == nil {
			continue
		}
		id, err := l.builder.Add(t.typ)
		if err != nil {
			return err
		}
		*t.id = uint32(id)
	}
	return nil
}

// maxEntries returns the number of entries that libbpf and veristat give a map: 1 if the
// object does not specify it.
func maxEntries(spec *ebpf.MapSpec) uint32 {
	entries := spec.MaxEntries
	switch spec.Type {
	case ebpf.SkStorage, ebpf.TaskStorage, ebpf.InodeStorage, ebpf.CGroupStorage, ebpf.CgroupStorage:
		return entries
	}
	entries = max(entries, 1)
	if spec.Type == ebpf.RingBuf || spec.Type == ebpf.UserRingbuf {
		return ringSize(entries)
	}
	return entries
}

// innerEntries returns the number of entries of the template of a map's inner maps. If the
// object does not specify it, libbpf and veristat leave it at 0, except for perf event
// arrays.
func innerEntries(spec *ebpf.MapSpec) uint32 {
	switch {
	case spec.Type == ebpf.RingBuf || spec.Type == ebpf.UserRingbuf:
		return ringSize(spec.MaxEntries)
	case spec.Type == ebpf.PerfEventArray && spec.MaxEntries == 0:
		return uint32(ebpf.MustPossibleCPU())
	}
	return spec.MaxEntries
}

// ringSize returns the size of a ring buffer in bytes: a page times a power of two.
func ringSize(bytes uint32) uint32 {
	page := uint32(os.Getpagesize())
	pages := (uint64(max(bytes, 1)) + uint64(page) - 1) / uint64(page)
	size := uint64(page) << bits.Len64(pages-1)
	if size > 1<<31 {
		return bytes // the kernel refuses it
	}
	return uint32(size)
}

func holdsMaps(t ebpf.MapType) bool {
	return t == ebpf.ArrayOfMaps || t == ebpf.HashOfMaps
}

// dedicated reports whether the kernel permits only programs of one kind to use such a map:
// the kind of the first program that is loaded with it.
func dedicated(t ebpf.MapType) bool {
	return t == ebpf.ProgramArray || t == ebpf.DevMap || t == ebpf.DevMapHash || t == ebpf.CPUMap
}

// refusesTypes reports whether the kernel refuses BTF types of keys and values for maps of
// this type. The list is libbpf's.
func refusesTypes(t ebpf.MapType) bool {
	switch t {
	case ebpf.PerfEventArray, ebpf.CGroupArray, ebpf.StackTrace, ebpf.ArrayOfMaps, ebpf.HashOfMaps,
		ebpf.DevMap, ebpf.DevMapHash, ebpf.CPUMap, ebpf.XSKMap, ebpf.SockMap, ebpf.SockHash,
		ebpf.Queue, ebpf.Stack, ebpf.Arena:
		return true
	}
	return false
}

// isData reports whether a map holds a section of global variables.
func isData(spec *ebpf.MapSpec) bool {
	if len(spec.Contents) != 1 {
		return false
	}
	_, ok := spec.Contents[0].Value.([]byte)
	return ok && strings.HasPrefix(spec.Name, ".")
}

// fillData sets the global variables, and freezes a map of constants.
func fillData(m *ebpf.Map, spec *ebpf.MapSpec) error {
	if err := m.Put(uint32(0), spec.Contents[0].Value); err != nil {
		return err
	}
	if spec.Flags&unix.BPF_F_RDONLY_PROG != 0 {
		return m.Freeze()
	}
	return nil
}

// fillOuter puts the inner maps that the object declares into a map of maps.
func (l *loadedObject) fillOuter(m *ebpf.Map, spec *ebpf.MapSpec) error {
	if spec == nil || !holdsMaps(spec.Type) {
		return nil
	}
	for _, kv := range spec.Contents {
		name, ok := kv.Value.(string)
		if !ok || l.maps[name] == nil {
			return fmt.Errorf("the inner map %v is none of the object's", kv.Value)
		}
		if err := m.Put(kv.Key, uint32(l.maps[name].FD())); err != nil {
			return fmt.Errorf("inner map %s: %w", name, err)
		}
	}
	return nil
}

// placeArena gives an arena an address in user space, which the verifier needs. The arena
// keeps the address when it is unmapped again.
func placeArena(m *ebpf.Map, pages uint32) error {
	size := uintptr(pages) * uintptr(os.Getpagesize())
	at, err := unix.MmapPtr(m.FD(), 0, nil, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map it into memory: %w", err)
	}
	return unix.MunmapPtr(at, size)
}

var errNoArena = errors.New("the object has arena variables, but not one arena map")

// arena returns the object's arena, which has the arena variables at its beginning.
func (l *loadedObject) arena() (*ebpf.Map, error) {
	var found *ebpf.Map
	for name, spec := range l.object.spec.Maps {
		if spec.Type != ebpf.Arena {
			continue
		}
		if found != nil {
			return nil, errNoArena
		}
		found = l.maps[name]
	}
	if found == nil {
		return nil, errNoArena
	}
	return found, nil
}
