package veristat

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/exporter/view/text"
)

// nameViews write names as a library may, and as bench and compare do.
var nameViews = map[string]View{"raw": {}, "escaped": {Names: text.Escape}}

func TestCSVName(t *testing.T) {
	for name, want := range map[string]string{
		"a.bpf.o":     "a.bpf.o", // as veristat
		`a b"c'd.o`:   `a b"c'd.o`,
		`a\b/c\.o`:    `a\b/c\.o`, // no escape is there, at the point
		`a\101.o`:     `a\101.o`,
		"ü.o":         "ü.o",
		"a,b.o":       `a\x2cb.o`,
		"a\nb.o":      `a\nb.o`,
		"a\r":         `a\r`,
		"a,\\b\n.o":   `a\x2c\\b\n.o`,
		`a\nb.o`:      `a\\nb.o`, // it would be read back as a newline
		`a\x2cb.o`:    `a\\x2cb.o`,
		`a\\b.o`:      `a\\\\b.o`,
		"\x1b[2J.o":   `\x1b[2J.o`,
		"\xff\u202e,": `\xff\u202e\x2c`,
	} {
		got := nameViews["escaped"].csvName(name)
		if got != want {
			t.Errorf("%q is written %s, want %s", name, got, want)
		}
		if back := parseName(got); back != name {
			t.Errorf("%q is written %s, and read back as %q", name, got, back)
		}
	}
}

// Whatever names a table has, it is read back as it was written.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"a,b", "a\nb", `a\nb`, `"a"`, "\r", `\`, `\\`, "\xff", "\u202e", "file_name", "\x00", `\,`, " a "} {
		f.Add(name, "prog")
		f.Add("a.bpf.o", name)
	}
	f.Fuzz(func(t *testing.T, file, prog string) {
		if file == "" || prog == "" {
			return // no file has the empty name, nor a program
		}
		for kind, view := range nameViews {
			written := &Table{Columns: csvColumns(nil), Rows: []Row{{File: file, Prog: prog}, {File: prog, Prog: file}}}
			for i := range written.Rows {
				for s := range statCount {
					if !s.IsKey() && s != MaxStackDepth {
						written.Rows[i].Set(s, int64(i))
					}
				}
			}
			var out bytes.Buffer
			if err := written.WriteCSV(&out, view); err != nil {
				if view.CheckNames(file, prog) == nil {
					t.Fatalf("%s: %v", kind, err)
				}
				continue
			}
			read, err := ReadCSV(bytes.NewReader(out.Bytes()))
			if err != nil {
				t.Fatalf("%s: %v of\n%s", kind, err, out.String())
			}
			if many, err := ReadCSVs(bytes.NewReader(out.Bytes())); err != nil || len(many.Rows) != 2 {
				t.Fatalf("%s: %v, %v of\n%s", kind, many, err, out.String())
			}
			joined, err := Compare(written, read)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range joined.Pairs {
				if p.Base == nil || p.Comp == nil || *p.Base != *p.Comp {
					t.Fatalf("%s: %+v of\n%s", kind, p, out.String())
				}
			}
		}
	})
}

// The same of names that are made of what matters.
func TestNames(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", ",", "\n", "\r", `"`, `'`, `\`, "x2c", "n", "u202e", "\u202e", "\xff", "\x00", " ", "101", "file_name"}
	word := func() string {
		var b strings.Builder
		for range 1 + random.IntN(8) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		return b.String()
	}
	for range 5000 {
		file, prog := word(), word()
		for kind, view := range nameViews {
			table := &Table{Columns: []Stat{FileName, ProgName, Verdict}, Rows: []Row{{File: file, Prog: prog}}}
			table.Rows[0].Set(Verdict, 1)
			view.Emit = specOf(table.Columns)
			var out bytes.Buffer
			if err := table.WriteCSV(&out, view); err != nil {
				t.Fatal(err)
			}
			read, err := ReadCSV(&out)
			if err != nil {
				t.Fatalf("%s: %q, %q: %v", kind, file, prog, err)
			}
			if diff := cmp.Diff(table.Rows, read.Rows, cmp.AllowUnexported(Row{})); diff != "" {
				t.Fatalf("%s: %q, %q: %s", kind, file, prog, diff)
			}
		}
	}
}

// Names for which a line has no room are refused, not written as what nothing reads.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("x", lineLimit)
	table := &Table{Columns: csvColumns(nil), Rows: []Row{{File: "a.o", Prog: long}}}
	var out bytes.Buffer
	if err := table.WriteCSV(&out, View{}); err == nil || !strings.Contains(err.Error(), "which veristat does not read") || out.Len() > 0 {
		t.Errorf("error %v, wrote %d bytes", err, out.Len())
	}
	if err := (View{}).CheckNames("a.o", long); err == nil {
		t.Error("no error of the names")
	}
	if err := (View{}).CheckNames("a.o", long[:lineLimit-restOfLine-3]); err != nil {
		t.Error(err)
	}
}
