package veristat

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/exporter/view/text"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The tables are those of two mails to the kernel's list, and one with all columns.
// The expected output is veristat's own where there is one to ask.
func TestGolden(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		files []string
		want  command
	}{
		"replay.txt":       {[]string{"-R"}, []string{"all_columns.csv"}, command{}},
		"replay.csv":       {[]string{"-R", "-o", "csv"}, []string{"all_columns.csv"}, command{csv: true}},
		"replay_mail1.txt": {[]string{"-R"}, []string{"mail1_baseline.csv"}, command{}},
		"replay_top.txt": {
			[]string{"-R", "-e", "prog,insns,prog_type", "-s", "insns", "-n", "3", "-f", "!bpf_gotox*"},
			[]string{"mail2_baseline.csv"},
			command{view: View{Emit: mustSpec("prog,insns,prog_type"), Sort: mustSpec("insns"), Top: 3, Filters: Filters{mustFilter("!bpf_gotox*")}}},
		},
		"compare_mail1.txt": {[]string{"-C"}, []string{"mail1_baseline.csv", "mail1_patched.csv"}, command{compare: true}},
		"compare_mail2.txt": {
			[]string{"-C", "-s", "|duration_pct|,prog", "-f", "|duration_diff|>1"},
			[]string{"mail2_baseline.csv", "mail2_patched.csv"},
			command{compare: true, strict: true, view: View{Sort: mustSpec("|duration_pct|,prog"), Filters: Filters{mustFilter("|duration_diff|>1")}}},
		},
		"compare_ci.csv": { // the columns that the job of the kernel's BPF CI reads
			[]string{"-C", "-o", "csv", "-e", "file,prog,verdict,states"},
			[]string{"mail1_baseline.csv", "mail2_patched.csv"},
			command{compare: true, csv: true, strict: true, view: View{Emit: mustSpec("file,prog,verdict,states")}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var files []string
			for _, file := range c.files {
				files = append(files, filepath.Join("testdata", file))
			}
			got, err := c.want.run(files, false)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(lines(string(want)), lines(got)); diff != "" {
				t.Errorf("-%s +now:\n%s", path, diff)
			}
			if os.Getenv("VERIALLOC_VERISTAT") != "" {
				c.want.args = c.args
				c.want.check(t, 0, files)
			}
		})
	}
}

// A table of the veristat that has one column more is written with it.
func TestMaxStackDepth(t *testing.T) {
	table, err := ReadCSV(bytes.NewBufferString("file_name,prog_name,stack_depth,max_stack_depth,mem_peak\na.o,p,48,40,-1\n"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := table.WriteCSV(&out, View{}); err != nil {
		t.Fatal(err)
	}
	const want = "file_name,prog_name,verdict,duration,total_insns,total_states,peak_states,max_states_per_insn,max_mark_read_len," +
		"prog_size,prog_size_jited,prog_type,attach_type,stack_depth,max_stack_depth,mem_peak\n" +
		"a.o,p,failure,0,0,0,0,0,0,0,0,unspec,cgroup_inet_ingress,48,40,-1\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if v, ok := table.Rows[0].Value(Verdict); ok || v.Text != "failure" {
		t.Errorf("a verdict that was not read is %v, %t", v, ok)
	}
	if v, ok := table.Rows[0].Value(MaxStackDepth); !ok || v != (Value{"40", 40}) {
		t.Errorf("max_stack_depth is %v, %t", v, ok)
	}
}

// Without Compat a filter by number means what it says.
func TestCompat(t *testing.T) {
	base, err := ReadCSV(bytes.NewBufferString("file,prog,insns\na,better,10\na,worse,10\n"))
	if err != nil {
		t.Fatal(err)
	}
	comp, err := ReadCSV(bytes.NewBufferString("file,prog,insns\na,better,5\na,worse,15\n"))
	if err != nil {
		t.Fatal(err)
	}
	joined, err := Compare(base, comp)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		filter string
		compat bool
		want   string
	}{
		{"insns_diff<-1", false, "prog_name\nbetter\n"},
		{"insns_diff<-1", true, "prog_name\n"},
		{"insns_diff>1", false, "prog_name\nworse\n"},
		{"insns_diff>1", true, "prog_name\nbetter\nworse\n"},
		{"|insns_diff|>1", false, "prog_name\nbetter\nworse\n"},
		{"insns_pct=-50", false, "prog_name\nbetter\n"},
	} {
		var out bytes.Buffer
		view := View{Emit: mustSpec("prog"), Filters: Filters{mustFilter(c.filter)}, Compat: c.compat}
		if err := joined.WriteCSV(&out, view); err != nil {
			t.Fatal(err)
		}
		if out.String() != c.want {
			t.Errorf("%s, compat %t: got %q, want %q", c.filter, c.compat, out.String(), c.want)
		}
	}
	var out bytes.Buffer
	if err := joined.WriteCSV(&out, View{Emit: mustSpec("insns,prog"), Top: 1}); err != nil {
		t.Fatal(err)
	}
	if want := "total_insns_base,total_insns_comp,total_insns_diff,prog_name\n10,5,-5 (-50.00%),better\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// Numbers above 2^24 can be asked for; veristat's tolerance is lost in their rounding.
func TestFilterLargeNumbers(t *testing.T) {
	joined, err := Compare(
		&Table{Rows: []Row{{File: "a", Prog: "p", numbers: [statCount]int64{TotalInsns: 1 << 40}}}},
		&Table{Rows: []Row{{File: "a", Prog: "p", numbers: [statCount]int64{TotalInsns: 1<<40 + 1}}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"insns_a=1099511627776":   true,
		"insns_b=1099511627776":   false,
		"insns_b>1099511627776":   true,
		"insns_a!=1099511627776":  false,
		"insns_diff=1":            true,
		"!insns_diff=1":           false,
		"insns_a<=1099511627776":  true,
		"|insns_a|>1099511627776": false,
	} {
		f := Filters{mustFilter(text)}
		if got := f.matchPair(joined.Pairs[0], false); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

func TestCompareColumns(t *testing.T) {
	_, err := Compare(&Table{Columns: []Stat{FileName, ProgName, Verdict}}, &Table{Columns: []Stat{FileName, ProgName, Duration}})
	if err == nil || err.Error() != "the tables differ in their columns: file_name,prog_name,verdict against file_name,prog_name,duration" {
		t.Error(err)
	}
}

// A name from a stranger's table must not reach a terminal as it is.
func TestTextIsPrintable(t *testing.T) {
	table := &Table{Rows: []Row{{File: "a\x1b[2J", Prog: "b\xff"}}}
	var out bytes.Buffer
	if err := table.WriteText(&out, View{Emit: mustSpec("file,prog"), Names: text.Escape}); err != nil {
		t.Fatal(err)
	}
	const want = "File      Program\n--------  -------\na\\x1b[2J  b\\xff  \n--------  -------\n" +
		"Done. Processed 0 files, 0 programs. Skipped 0 files, 0 programs.\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func mustSpec(text string) Spec {
	spec, err := ParseSpec(text)
	if err != nil {
		panic(err)
	}
	return spec
}

func mustFilter(text string) Filter {
	f, err := ParseFilter(text)
	if err != nil {
		panic(err)
	}
	return f
}
