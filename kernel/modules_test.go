package kernel

import (
	"errors"
	"testing"

	"github.com/cilium/ebpf/btf"
)

func TestFind(t *testing.T) {
	types := typesOf(t, structOf("state", 8), structOf("state", 16), &btf.Typedef{Name: "state", Type: u32})
	first, err := Find[*btf.Struct](types, "state", "")
	if err != nil || first.Type.Size != 8 || first.ID == 0 || first.Module != "" {
		t.Errorf("%+v, error %v, want the first struct", first, err)
	}
	if handle, err := first.Open(); handle != nil || err != nil {
		t.Errorf("the kernel's own BTF: %v, error %v", handle, err)
	}
	if other, err := Find[*btf.Typedef](types, "state", "vmlinux"); err != nil || other.ID == first.ID {
		t.Errorf("%+v, error %v, want the typedef", other, err)
	}
	if none, err := Find[*btf.Func](types, "state", "vmlinux"); !errors.Is(err, btf.ErrNotFound) {
		t.Errorf("%+v, error %v, want none", none, err)
	}
}
