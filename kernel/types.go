package kernel

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// Types are the types of the running kernel proper, from its BTF. They are large: keep no
// reference once nothing is loaded any more. They are for one goroutine at a time.
type Types struct {
	cache *btf.Cache
	spec  *btf.Spec
}

// ReadTypes reads /sys/kernel/btf/vmlinux. It fails for a kernel that was built without
// CONFIG_DEBUG_INFO_BTF.
func ReadTypes() (*Types, error) {
	cache := btf.NewCache()
	spec, err := cache.Kernel()
	if err != nil {
		return nil, fmt.Errorf("read BTF: %w (build the kernel with CONFIG_DEBUG_INFO_BTF=y)", err)
	}
	return &Types{cache, spec}, nil
}

// TypesOf takes the types from BTF that is at hand.
func TypesOf(spec *btf.Spec) *Types { return &Types{btf.NewCache(), spec} }

// Cache returns the decoded BTF, for loading programs without decoding it again.
func (t *Types) Cache() *btf.Cache { return t.cache }

// find looks up a type by its name and kind, as btf.Spec.TypeByName does. A Spec matches
// the name without a flavour, such as ___new.
func (t *Types) find(name string, typ any) error { return t.spec.TypeByName(name, typ) }

// Size returns the size of a struct in bytes.
func (t *Types) Size(name string) Fact[uint64] {
	var s *btf.Struct
	switch err := t.find(name, &s); {
	case err == nil:
		return Known(uint64(s.Size))
	case errors.Is(err, btf.ErrNotFound):
		return Absent[uint64](fmt.Errorf("struct %s: %w", name, err))
	default:
		return Unknown[uint64](fmt.Errorf("struct %s: %w", name, err))
	}
}

// HasMember reports whether a struct has a member of that name, anonymous members' own
// included.
func (t *Types) HasMember(name, member string) bool {
	var s *btf.Struct
	if t.find(name, &s) != nil {
		return false
	}
	_, ok := memberOffset(s, member)
	return ok
}

// memberOffset returns a member's offset in bytes, looking into anonymous members.
func memberOffset(s btf.Type, name string) (uint32, bool) {
	var members []btf.Member
	switch t := btf.UnderlyingType(s).(type) {
	case *btf.Struct:
		members = t.Members
	case *btf.Union:
		members = t.Members
	}
	for _, m := range members {
		if m.Name == name {
			return m.Offset.Bytes(), true
		}
		if m.Name == "" {
			if offset, ok := memberOffset(m.Type, name); ok {
				return m.Offset.Bytes() + offset, true
			}
		}
	}
	return 0, false
}

// HasFunction reports whether BTF describes a function of this name.
func (t *Types) HasFunction(name string) bool {
	var f *btf.Func
	return t.find(name, &f) == nil
}

// HasTracepoint reports whether the kernel has a tracepoint of this name.
func (t *Types) HasTracepoint(name string) bool {
	var typedef *btf.Typedef
	return t.find("btf_trace_"+name, &typedef) == nil
}

// ProgTypes returns the program types that this kernel knows, by number, as libbpf names
// them: in lower case without BPF_PROG_TYPE_. It is empty if the kernel's BTF lacks them.
func (t *Types) ProgTypes() map[uint32]string { return t.names("bpf_prog_type", "BPF_PROG_TYPE_") }

// AttachTypes returns the attach types in the same way, without BPF_.
func (t *Types) AttachTypes() map[uint32]string { return t.names("bpf_attach_type", "BPF_") }

// names returns the names of an enum's values that have a prefix, without it and in lower
// case.
func (t *Types) names(enum, prefix string) map[uint32]string {
	names := map[uint32]string{}
	var e *btf.Enum
	if t.find(enum, &e) != nil {
		return names
	}
	for _, v := range e.Values {
		if name, ok := strings.CutPrefix(v.Name, prefix); ok {
			names[uint32(v.Value)] = strings.ToLower(name)
		}
	}
	return names
}
