package object

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// testVariables is an object of variables alone.
func testVariables(t *testing.T) (*object, []byte) {
	t.Helper()
	integer := func(name string, size uint32, encoding btf.IntEncoding) *btf.Int {
		return &btf.Int{Name: name, Size: size, Encoding: encoding}
	}
	s32, u8, u64, boolean := integer("int", 4, btf.Signed), integer("u8", 1, 0), integer("u64", 8, 0), integer("bool", 1, btf.Bool)
	color := &btf.Enum{Name: "color", Size: 4, Values: []btf.EnumValue{{Name: "RED", Value: 1}, {Name: "BLUE", Value: 2}}}
	inner := &btf.Struct{Size: 8, Members: []btf.Member{
		{Name: "x", Type: s32},
		{Name: "bits", Type: s32, Offset: 32, BitfieldSize: 3},
	}}
	outer := &btf.Struct{Name: "outer", Size: 24, Members: []btf.Member{
		{Name: "list", Type: &btf.Array{Index: s32, Type: inner, Nelems: 2}},
		{Type: &btf.Union{Size: 8, Members: []btf.Member{{Name: "deep", Type: u64}}}, Offset: 128},
	}}
	section := &btf.Datasec{Name: ".data", Size: 64}
	offset := uint32(0)
	for _, v := range []struct {
		name string
		typ  btf.Type
	}{
		{"number", s32},
		{"byte", u8},
		{"flag", boolean},
		{"paint", &btf.Typedef{Name: "paint_t", Type: color}},
		{"wide", &btf.Volatile{Type: u64}},
		{"thing", &btf.Const{Type: outer}},
		{"pointer", &btf.Pointer{Target: s32}},
	} {
		size, err := btf.Sizeof(v.typ)
		if err != nil {
			t.Fatal(err)
		}
		section.Vars = append(section.Vars, btf.VarSecinfo{
			Type: &btf.Var{Name: v.name, Type: v.typ, Linkage: btf.GlobalVar}, Offset: offset, Size: uint32(size),
		})
		offset += uint32(size)
	}
	builder, err := btf.NewBuilder([]btf.Type{section, color}, nil)
	if err != nil {
		t.Fatal(err)
	}
	types, err := builder.Spec()
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 64)
	return &object{spec: &ebpf.CollectionSpec{
		Types: types,
		Maps: map[string]*ebpf.MapSpec{
			".data":  {Name: ".data", Value: section, Contents: []ebpf.MapKV{{Key: uint32(0), Value: data}}},
			"a_hash": {Name: "a_hash", Value: s32},
		},
	}}, data
}

func TestSetGlobal(t *testing.T) {
	for _, tt := range []struct {
		text   string
		offset int
		want   []byte
	}{
		{"number = 5", 0, []byte{5, 0, 0, 0}},
		{"number=-2", 0, []byte{0xfe, 0xff, 0xff, 0xff}},
		{" number = 0x10 ", 0, []byte{16, 0, 0, 0}},
		{"number = 010", 0, []byte{8, 0, 0, 0}},
		{"byte = 255", 4, []byte{255}},
		{"byte = -1", 4, []byte{255}},
		{"flag = true", 5, []byte{1}},
		{"flag = 1", 5, []byte{1}},
		{"paint = BLUE", 6, []byte{2, 0, 0, 0}},
		{"paint = 7", 6, []byte{7, 0, 0, 0}},
		{"wide = 18446744073709551615", 10, bytes.Repeat([]byte{255}, 8)},
		{"thing.list[1].x = 3", 18 + 8, []byte{3, 0, 0, 0}},
		{"thing . list [ RED ] . x = 3", 18 + 8, []byte{3, 0, 0, 0}},
		{"thing.deep = 9", 18 + 16, []byte{9, 0, 0, 0, 0, 0, 0, 0}},
	} {
		t.Run(tt.text, func(t *testing.T) {
			o, data := testVariables(t)
			g, err := ParseGlobal(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if err := o.setGlobals([]Global{g}); err != nil {
				t.Fatal(err)
			}
			want := make([]byte, len(data))
			copy(want[tt.offset:], tt.want)
			if !bytes.Equal(data, want) {
				t.Errorf("got %v, want %v", data, want)
			}
		})
	}
}

func TestSetGlobalErrors(t *testing.T) {
	for text, want := range map[string]string{
		"nothing = 1":             "has no such variable",
		"number = RED":            "RED is no value for a variable of type int",
		"number = true":           "true is no value for a variable of type int",
		"number = 2147483648":     "the value 2147483648 is not within [-2147483648, 2147483647]",
		"byte = 256":              "the value 256 is not within [-256, 255]",
		"flag = maybe":            "maybe is no value for a variable of type bool",
		"paint = GREEN":           "GREEN is no enumerator of the variable's type",
		"pointer = 1":             "only integers and enumerations can be set",
		"thing = 1":               "24 bytes",
		"thing.list[2].x = 1":     "the index 2 is not within [0, 2)",
		"thing.list[-1].x = 1":    "the index -1 is not within [0, 2)",
		"thing.list[GREEN].x = 1": "no enumerator GREEN",
		"thing.list[0].bits = 1":  "member bits is a bit field",
		"thing.none = 1":          "no member none",
		"number.x = 1":            "is no structure",
		"number[0] = 1":           "is no array",
	} {
		o, data := testVariables(t)
		g, err := ParseGlobal(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		err = o.setGlobals([]Global{g})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
		if !bytes.Equal(data, make([]byte, len(data))) {
			t.Errorf("%s: data %v was changed", text, data)
		}
	}
}

func TestSetGlobalTwice(t *testing.T) {
	o, _ := testVariables(t)
	var globals []Global
	for _, text := range []string{"thing.list[0].x = 1", "thing.list[1].x = 1", "thing.list[ 0 ].x = 2"} {
		g, err := ParseGlobal(text)
		if err != nil {
			t.Fatal(err)
		}
		globals = append(globals, g)
	}
	if err := o.setGlobals(globals); err == nil || !strings.Contains(err.Error(), "set twice") {
		t.Errorf("error %v", err)
	}
}

func TestParseGlobalErrors(t *testing.T) {
	for _, text := range []string{
		"", "x", "=", "x =", "= 1", "x = ", "x = 1 2", "x = 1_000", "x = 0b1", "x = 0o7", "x = 1.5", "x = 0x",
		"x = 18446744073709551616", "x = -9223372036854775809", "a..b = 1", "a. = 1", "a[1 = 1", "a[] = 1",
		"a[1]b = 1", "a] = 1", "a-b = 1", "x = +1", "x = a b",
	} {
		if g, err := ParseGlobal(text); err == nil {
			t.Errorf("%q: %+v", text, g)
		}
	}
}

// FuzzParseGlobal checks that the text of a value that was accepted is accepted again.
func FuzzParseGlobal(f *testing.F) {
	f.Add("name = 1")
	f.Add("a.b[2][ONE].c = -0x7f")
	f.Add("flag = true")
	f.Fuzz(func(t *testing.T, text string) {
		g, err := ParseGlobal(text)
		if err != nil {
			return
		}
		again, err := ParseGlobal(g.String())
		if err != nil || again.name != g.name || len(again.path) != len(g.path) || again.number != g.number {
			t.Errorf("%q: %+v, then %+v, %v", text, g, again, err)
		}
	})
}
