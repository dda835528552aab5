package veristat

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// What is read is written such that the same is read again.
func FuzzReadCSV(f *testing.F) {
	files, err := filepath.Glob("testdata/*.csv")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("file,prog,prog_type,attach_type,mem_peak\r\na,b,N/A,N/A,-1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := ReadCSV(bytes.NewReader(data))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") || table != nil {
				t.Fatalf("%v, %v", table, err)
			}
			return
		}
		if want := bytes.Count(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")); len(table.Rows) != want {
			t.Fatalf("%d rows of %d lines", len(table.Rows), want)
		}
		var first, second bytes.Buffer
		view := View{Emit: specOf(table.Columns)}
		if err := table.WriteCSV(&first, view); err != nil {
			t.Fatal(err)
		}
		again, err := ReadCSV(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("%v of\n%s", err, first.String())
		}
		if err := again.WriteCSV(&second, view); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first.String(), second.String()); diff != "" {
			t.Fatal(diff)
		}
		joined, err := Compare(table, again)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range joined.Pairs {
			if p.Base == nil || p.Comp == nil || p.Base.numbers != p.Comp.numbers {
				t.Fatalf("%+v", p)
			}
		}
		for _, write := range []func() error{
			func() error { return table.WriteText(&first, View{}) },
			func() error { return joined.WriteText(&first, View{Top: 1, Compat: true}) },
		} {
			if err := write(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzParseSpec(f *testing.F) {
	for _, text := range []string{"file,prog", "|insns_diff|^,dur_pct.", ",,insns_,verdict_a", "||", "^"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		spec, err := ParseSpec(text)
		if err != nil {
			return
		}
		if again, err := ParseSpec(spec.String()); err != nil || !cmp.Equal(again, spec) {
			t.Fatalf("%q is %v, and that %v, %v", text, spec, again, err)
		}
	})
}

func FuzzParseFilter(f *testing.F) {
	for _, text := range []string{"bpf_*", "!a*/b", "/p", "insns_diff<>-5", "!|states_pct|>=9", "verdict=SUCC", "!!", "a/b/c"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := ParseFilter(text)
		if err != nil {
			return
		}
		if again, err := ParseFilter(filter.String()); err != nil || again != filter {
			t.Fatalf("%q is %+v, and that %+v, %v", text, filter, again, err)
		}
		if filter.byName() == filter.byNumber() || filter.byNumber() && filter.AnyGlob+filter.FileGlob+filter.ProgGlob != "" {
			t.Fatalf("%q is %+v", text, filter)
		}
	})
}

// The oracle is a regular expression.
func FuzzMatch(f *testing.F) {
	for _, c := range [][2]string{{"a*b", "axb"}, {"*", ""}, {"a*a", "a"}, {"*a*b*", "xaybz"}, {"a**b", "ab"}, {"", ""}} {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, glob, s string) {
		if !utf8.ValidString(glob) || !utf8.ValidString(s) {
			return
		}
		quoted := strings.ReplaceAll(regexp.QuoteMeta(glob), `\*`, ".*")
		if want := regexp.MustCompile(`(?s)\A` + quoted + `\z`).MatchString(s); match(glob, s) != want {
			t.Fatalf("%q matches %q: %t", glob, s, !want)
		}
	})
}
