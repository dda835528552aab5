package object

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/load"
)

func TestSetConfig(t *testing.T) {
	config, err := kernel.ParseConfig(strings.NewReader(`# comment
CONFIG_YES=y
CONFIG_MODULE=m
# CONFIG_NOT is not set
CONFIG_NUMBER=-5
CONFIG_HEX=0x1000
CONFIG_LIMIT=128
CONFIG_ONE=1
CONFIG_TEXT="abc"
`))
	if err != nil {
		t.Fatal(err)
	}
	var (
		boolean  = &btf.Int{Name: "bool", Size: 1, Encoding: btf.Bool}
		char     = &btf.Int{Name: "char", Size: 1, Encoding: btf.Signed}
		integer  = &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
		unsigned = &btf.Int{Name: "u8", Size: 1}
		wide     = &btf.Int{Name: "u64", Size: 8}
		other    = &btf.Enum{Name: "other", Size: 4}
		tristate = &btf.Enum{Name: "libbpf_tristate", Size: 4}
	)
	text := func(n uint32) btf.Type { return &btf.Array{Index: integer, Type: char, Nelems: n} }
	for _, tt := range []struct {
		name string
		typ  btf.Type
		weak bool
		want []byte // nil: an error
	}{
		{"CONFIG_YES", boolean, false, []byte{1}},
		{"CONFIG_YES", char, false, []byte("y")},
		{"CONFIG_YES", tristate, false, []byte{1, 0, 0, 0}},
		{"CONFIG_MODULE", tristate, false, []byte{2, 0, 0, 0}},
		{"CONFIG_MODULE", boolean, false, nil},
		{"CONFIG_NUMBER", integer, false, []byte{0xfb, 0xff, 0xff, 0xff}},
		{"CONFIG_HEX", integer, false, []byte{0, 0x10, 0, 0}},
		{"CONFIG_NUMBER", char, false, []byte{0xfb}},
		{"CONFIG_NUMBER", unsigned, false, nil},
		{"CONFIG_HEX", char, false, nil},
		{"CONFIG_HEX", wide, false, []byte{0, 0x10, 0, 0, 0, 0, 0, 0}},
		{"CONFIG_LIMIT", char, false, nil},
		{"CONFIG_LIMIT", unsigned, false, []byte{128}},
		{"CONFIG_LIMIT", tristate, false, nil},
		{"CONFIG_ONE", boolean, false, nil},
		{"CONFIG_YES", other, false, nil},
		{"CONFIG_TEXT", text(8), false, []byte("abc\x00\x00\x00\x00\x00")},
		{"CONFIG_TEXT", text(3), false, []byte("ab\x00")},
		{"CONFIG_TEXT", integer, false, nil},
		{"CONFIG_NOT", boolean, false, nil},
		{"CONFIG_NOT", boolean, true, []byte{0}},
		{"LINUX_HAS_BPF_COOKIE", boolean, false, []byte{1}},
		{"LINUX_UNKNOWN", boolean, false, nil},
		{"LINUX_UNKNOWN", boolean, true, []byte{0}},
	} {
		size, err := btf.Sizeof(tt.typ)
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, size)
		err = setConfig(data, &extern{name: tt.name, weak: tt.weak}, tt.typ, config)
		if (err != nil) != (tt.want == nil) || err == nil && !bytes.Equal(data, tt.want) {
			t.Errorf("%s of type %v: %v, error %v, want %v", tt.name, tt.typ, data, err, tt.want)
		}
	}
}

func TestKernelVersion(t *testing.T) {
	running, err := kernel.RunningVersion()
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 4)
	err = setConfig(data, &extern{name: "LINUX_KERNEL_VERSION"}, &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}, kernel.Config{})
	if got := load.NativeEndian.Uint32(data); err != nil || got != running.Code() {
		t.Errorf("%#x, error %v, want %#x", got, err, running.Code())
	}
}

// A configuration that cannot be read is no configuration without the option.
func TestSetConfigUnknown(t *testing.T) {
	boolean := &btf.Int{Name: "bool", Size: 1, Encoding: btf.Bool}
	for name, fails := range map[string]bool{"CONFIG_YES": true, "LINUX_UNKNOWN": false} {
		err := setConfig(make([]byte, 1), &extern{name: name, weak: true}, boolean, kernel.Config{})
		if (err != nil) != fails {
			t.Errorf("%s, weak: error %v", name, err)
		}
	}
}
