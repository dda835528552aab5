package object

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func TestRename(t *testing.T) {
	table := []byte("\x00.bss.a\x00.bss\x00.bss.b\x00x.bss.c\x00.rel.struct_ops.link\x00")
	hideSections(table)
	if want := "\x00.dataa\x00.bss\x00.datab\x00x.bss.c\x00.rel_struct_ops.link\x00"; string(table) != want {
		t.Errorf("got %q, want %q", table, want)
	}
}

// record encodes the record of a type.
func typeRecord(name, kind, vlen, size uint32, trailer int) []byte {
	record := make([]byte, 12+trailer)
	binary.LittleEndian.PutUint32(record, name)
	binary.LittleEndian.PutUint32(record[4:], kind<<24|vlen)
	binary.LittleEndian.PutUint32(record[8:], size)
	return record
}

func TestSizeDatasecs(t *testing.T) {
	strings := []byte("\x00int\x00.ksymx\x00.other\x00")
	types := bytes.Join([][]byte{
		typeRecord(1, kindInt, 0, 4, 4),
		typeRecord(1, kindStruct, 2, 8, 24),
		typeRecord(0, kindFuncProto, 3, 0, 24),
		typeRecord(5, kindDatasec, 1, 0, 12),
		typeRecord(12, kindDatasec, 1, 0, 12),
		typeRecord(5, kindDatasec, 0, 9, 0),
	}, nil)
	want := bytes.Clone(types)
	want[16+36+36+8] = 1
	if err := sizeDatasecs(types, strings, hiddenKsyms); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(types, want) {
		t.Errorf("got  %v\nwant %v", types, want)
	}
	for n := 1; n < 16; n++ {
		if err := sizeDatasecs(types[:n], strings, hiddenKsyms); err == nil {
			t.Errorf("no error of %d bytes", n)
		}
	}
}

func FuzzSplitBTF(f *testing.F) {
	f.Add(make([]byte, 24))
	f.Add([]byte("\x9f\xeb\x01\x00\x18\x00\x00\x00\x00\x00\x00\x00\x0c\x00\x00\x00\x0c\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0f\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		types, strings, err := splitBTF(raw)
		if err == nil {
			_ = sizeDatasecs(types, strings, "")
		}
	})
}
