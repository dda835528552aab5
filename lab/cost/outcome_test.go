package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// perfFile makes a file with a header and records of the given types and counts.
func perfFile(t *testing.T, records ...[]byte) string {
	t.Helper()
	header := make([]byte, 104)
	binary.NativeEndian.PutUint64(header[perfDataOffset:], uint64(len(header)))
	name := filepath.Join(t.TempDir(), "perf.data")
	if err := os.WriteFile(name, append(header, bytes.Join(records, nil)...), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func perfRecordOf(kind uint32, body ...uint64) []byte {
	b := binary.NativeEndian.AppendUint32(nil, kind)
	b = binary.NativeEndian.AppendUint16(b, 0)
	b = binary.NativeEndian.AppendUint16(b, uint16(perfRecordHeader+8*len(body)))
	for _, word := range body {
		b = binary.NativeEndian.AppendUint64(b, word)
	}
	return b
}

func TestPerfData(t *testing.T) {
	sample, lost := perfRecordOf(9, 1, 2, 3), perfRecordOf(perfRecordLost, 7, 40)
	d := perfData{path: perfFile(t, sample, lost, sample, lost[:20])}
	if n, err := d.read(); n != 40 || err != nil {
		t.Fatalf("%d lost, error %v: want the 40 of the record that is all there", n, err)
	}
	f, err := os.OpenFile(d.path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(append(bytes.Clone(lost[20:]), lost...)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if n, err := d.read(); n != 120 || err != nil {
			t.Fatalf("%d lost, error %v: want 120 once the rest is there", n, err)
		}
	}
	torn := perfData{path: perfFile(t, make([]byte, 8))}
	if _, err := torn.read(); err == nil || !strings.Contains(err.Error(), "record of 0 bytes") {
		t.Errorf("error %v for a record without a size", err)
	}
}

func TestLosses(t *testing.T) {
	said := "WRN lost: ring_full 3: try --ring-size 16M\nWRN lost: ring_full 40, ends_lost 2\n" +
		"9 loads in 2.0s: 9 loaded, 7 of 9 verified exact\n  lost: ring_full 40, ends_lost 2\n"
	if n := lossesIn(said); n != 42 {
		t.Errorf("%d lost, want the last sum, 42", n)
	}
	if n := lossesIn("WRN lost: ring_full 3: try --ring-size 16M\n"); n != 3 {
		t.Errorf("%d lost, want 3", n)
	}
	if n := inexactIn(said); n != 2 {
		t.Errorf("%d not exact, want 2", n)
	}
	if lossesIn("  nothing lost\n") != 0 || inexactIn("") != 0 {
		t.Error("losses where none are reported")
	}
}

func TestReadEvents(t *testing.T) {
	feed := filepath.Join(t.TempDir(), "feed")
	lines := `{"kind":"environment"}
{"kind":"verification","prog_name":"stress_100","allocs":7,"frees":5,"exact":true}
{"kind":"summary","exact":1,"allocs":7}
`
	if err := os.WriteFile(feed, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	var o outcome
	if err := o.readEvents(feed); err != nil {
		t.Fatal(err)
	}
	if o.allocs[programName("stress-100")] != 7 || o.frees[programName("stress-100")] != 5 || len(o.allocs) != 1 {
		t.Errorf("%v allocations, %v frees: want 7 and 5 of stress_100", o.allocs, o.frees)
	}
}
