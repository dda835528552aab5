package veristat

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestReadCSVErrors(t *testing.T) {
	const header = "file_name,prog_name,verdict,duration\n"
	for input, want := range map[string]string{
		"":                                   "line 1: there is none: want veristat's header, such as file_name,prog_name,verdict",
		"\n":                                 "line 1: empty",
		header + "\n":                        "line 2: empty",
		"file_name,verdict\n":                "line 1: column prog_name is missing",
		"prog,insns\n":                       "line 1: column file_name is missing",
		"file,prog,file_name\n":              "line 1: column file_name is there twice",
		"file,prog,insns^\n":                 `line 1: column "insns^" is none of veristat's: want ` + strings.Join(statNames(), ","),
		"file,prog,\n":                       `line 1: column "" is none of veristat's: want ` + strings.Join(statNames(), ","),
		"file_name,prog_name,verdict_base\n": `line 1: column "verdict_base" is of a comparison of two tables: want a table, with column verdict`,
		header + "a.o,p,success\n":           "line 2: 3 fields, where the header has 4",
		header + "a.o,p,success,1,2\n":       "line 2: 5 fields, where the header has 4",
		header + "a.o,,success,1\n":          "line 2: prog_name is empty",
		header + "a.o,p,success,1\na.o,p,N/A,1\n":                                        `line 3: verdict is "N/A": want success or failure`,
		header + "a.o,p,success,1us\n":                                                   `line 2: duration is "1us": want an integer of 64 bits`,
		header + "a.o,p,success,N/A\n":                                                   `line 2: duration is "N/A": want an integer of 64 bits`,
		header + "a.o,p,success,-1\n":                                                    "line 2: duration is -1: less than 0",
		header + "a.o,p,success,9223372036854775808":                                     `line 2: duration is "9223372036854775808": want an integer of 64 bits`,
		"file,prog,mem_peak\na.o,p,-2\n":                                                 "line 2: mem_peak is -2: less than 0",
		"file,prog,prog_type\na.o,p,xpd\n":                                               `line 2: prog_type is "xpd": libbpf 1.7 knows no such type`,
		"file,prog,attach_type\na.o,p,XDP\n":                                             `line 2: attach_type is "XDP": libbpf 1.7 knows no such type`,
		header + "a\x00b.o,p,success,1\n":                                                "line 2: holds a zero byte: not text",
		header + strings.Repeat("a", lineLimit-len(",p,success,1")+1) + ",p,success,1\n": "line 2: longer than 4094 bytes, which veristat does not read",
		header + strings.Repeat("a", 1<<20):                                              "line 2: longer than 4094 bytes, which veristat does not read",
	} {
		table, err := ReadCSV(strings.NewReader(input))
		if err == nil || err.Error() != want || table != nil {
			t.Errorf("%.80q: got %v, want %s", input, err, want)
		}
	}
	broken := errors.New("broken")
	input := io.MultiReader(strings.NewReader(header+"a.o,p,success,1\n"), iotest.ErrReader(broken))
	if table, err := ReadCSV(input); !errors.Is(err, broken) || table != nil {
		t.Errorf("of a reader that fails: %v, %v", table, err)
	}
}

func TestReadCSV(t *testing.T) {
	for _, input := range []string{
		"file,prog,insns,prog_type\na.o,p,7,N/A\nb,q,0,xdp\n",
		"filename,progname,total_insns,prog_type\r\na.o,p, 7 ,N/A\r\nb,q,+0,xdp", // from a mail
	} {
		table, err := ReadCSV(strings.NewReader(input))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := table.WriteCSV(&out, View{Emit: mustSpec("file,prog,insns,prog_type")}); err != nil {
			t.Fatal(err)
		}
		if want := "file_name,prog_name,total_insns,prog_type\na.o,p,7,N/A\nb,q,0,xdp\n"; out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	}
	longest := strings.Repeat("a", lineLimit-len(",p"))
	if table, err := ReadCSV(strings.NewReader("file,prog\n" + longest + ",p\n")); err != nil || table.Rows[0].File != longest {
		t.Errorf("the longest line: %v", err)
	}
}

// The tables as posted: read as they are, and nothing of them is lost.
func TestReadCSVMail(t *testing.T) {
	for name, rows := range map[string]int{"mail1_baseline": 5, "mail1_patched": 5, "mail2_baseline": 27, "mail2_patched": 27} {
		data, err := os.ReadFile(filepath.Join("testdata", name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		table, err := ReadCSV(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := []Stat{FileName, ProgName, Verdict, Duration, TotalInsns, TotalStates, PeakStates, MemPeak}
		if diff := cmp.Diff(want, table.Columns); diff != "" || len(table.Rows) != rows {
			t.Errorf("%s: %d rows, columns: %s", name, len(table.Rows), diff)
		}
		var out bytes.Buffer
		if err := table.WriteCSV(&out, View{Emit: specOf(table.Columns)}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(lines(string(data)), lines(out.String())); diff != "" {
			t.Errorf("%s: -read +written:\n%s", name, diff)
		}
	}
}

// specOf returns the spec that names stats.
func specOf(stats []Stat) Spec {
	var spec Spec
	for _, s := range stats {
		spec = append(spec, Key{Selector: Selector{Stat: s}})
	}
	return spec
}

func TestParseSpec(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "",
		",,":                           "",
		"file,prog":                    "file_name^,prog_name^",
		"verdict,insns":                "verdict^,total_insnsv",
		"insns^,statesv,duration_":     "total_insns^,total_statesv,durationv",
		"|insns_diff|!,dur_pct.":       "|total_insns_diff|v,duration_pctv",
		"mark_read_a,stack_b,stack_b^": "max_mark_read_len_av,stack_depthv,stack_depth^",
	} {
		if spec, err := ParseSpec(text); err != nil || spec.String() != want {
			t.Errorf("%q is %q, %v: want %q", text, spec, err, want)
		}
	}
	for _, text := range []string{"insn", " insns", "insns^^", "insns_c", "|insns", "||", "^", "insns_a_b", "File"} {
		if spec, err := ParseSpec("file," + text); err == nil {
			t.Errorf("%q is %q", text, spec)
		}
	}
	const want = `"insn" is no stat: want one of file_name, prog_name, verdict, duration, total_insns, total_states, peak_states, ` +
		"max_states_per_insn, max_mark_read_len, prog_size, prog_size_jited, prog_type, attach_type, stack_depth, max_stack_depth, mem_peak"
	if _, err := ParseSpec("insn^"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestParseFilter(t *testing.T) {
	for text, want := range map[string]Filter{
		"bpf_*":             {AnyGlob: "bpf_*"},
		"!bpf_*":            {Deny: true, AnyGlob: "bpf_*"},
		"a*/b":              {FileGlob: "a*", ProgGlob: "b"},
		"a/":                {FileGlob: "a"},
		"/b/c":              {ProgGlob: "b/c"},
		"insns==5":          {Selector: Selector{Stat: TotalInsns, Variant: VariantB}, Operator: Equal, Number: 5},
		"insns_a<>-5":       {Selector: Selector{Stat: TotalInsns, Variant: VariantA}, Operator: NotEqual, Number: -5},
		"!|states_pct|>= 9": {Deny: true, Selector: Selector{TotalStates, VariantPct, true}, Operator: GreaterOrEqual, Number: 9},
		"verdict=SUCC":      {Selector: Selector{Stat: Verdict, Variant: VariantB}, Operator: Equal, Number: 1},
		"verdict_diff!=mis": {Selector: Selector{Stat: Verdict, Variant: VariantDiff}, Operator: NotEqual, Number: 0},
	} {
		if f, err := ParseFilter(text); err != nil || f != want {
			t.Errorf("%q is %+v, %v: want %+v", text, f, err, want)
		}
	}
	for text, want := range map[string]string{
		"":            `filter "" names nothing`,
		"!/":          `filter "!/" names nothing`,
		"file=1":      `filter "file=1": file_name is a name: filter it by a glob`,
		"insns>1k":    `filter "insns>1k": "1k" is no integer of 64 bits, nor success, failure, match or mismatch`,
		"insns>":      `filter "insns>": "" is no integer of 64 bits, nor success, failure, match or mismatch`,
		"insns=1=1":   `filter "insns=1=1": "1=1" is no integer of 64 bits, nor success, failure, match or mismatch`,
		"insns > 100": `filter "insns > 100": "insns " is no stat: want one of ` + strings.Join(statNames(), ", "),
	} {
		if f, err := ParseFilter(text); err == nil || err.Error() != want {
			t.Errorf("%q is %v, %v: want %s", text, f, err, want)
		}
	}
}

func TestReadFilters(t *testing.T) {
	filters, err := ReadFilters(strings.NewReader("# all\n\n  \t!a*\n # b\ninsns>5\n"))
	if want := (Filters{mustFilter("!a*"), mustFilter("insns>5")}); err != nil || !cmp.Equal(filters, want) {
		t.Errorf("got %v, %v: want %v", filters, err, want)
	}
	if _, err := ReadFilters(strings.NewReader("a\n\nx>5\n")); err == nil || !strings.HasPrefix(err.Error(), `line 3: filter "x>5": "x" is no stat`) {
		t.Error(err)
	}
}

func TestFiltersByName(t *testing.T) {
	for _, c := range []struct {
		filters    string // apart by blanks
		file, prog string
		fileMatch  bool
		match      bool
	}{
		{"", "a.o", "p", true, true},
		{"a*", "a.o", "p", true, true},
		{"p", "a.o", "p", true, true}, // the file is not known to lack it
		{"p", "a.o", "q", true, false},
		{"a.o/p", "a.o", "q", true, false},
		{"a.o/p", "b.o", "p", false, false},
		{"/p", "b.o", "p", true, true},
		{"a.o/", "a.o", "p", true, true},
		{"a.o/ /q", "b.o", "q", true, true},
		{"!a.o", "a.o", "p", false, false},
		{"!p", "a.o", "p", true, false},
		{"a* !a.o", "a.o", "p", false, false},
		{"!a.o/p", "a.o", "q", false, false}, // veristat denies by either
		{"!/p", "a.o", "p", true, false},
		{"insns>5", "a.o", "p", true, true},
	} {
		var filters Filters
		for _, text := range strings.Fields(c.filters) {
			filters = append(filters, mustFilter(text))
		}
		if got := filters.MatchFile(c.file); got != c.fileMatch {
			t.Errorf("%q: file %s: %t", c.filters, c.file, got)
		}
		if got := filters.MatchName(c.file, c.prog); got != c.match {
			t.Errorf("%q: %s/%s: %t", c.filters, c.file, c.prog, got)
		}
	}
}
