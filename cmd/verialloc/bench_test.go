package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

func TestBenchGolden(t *testing.T) {
	for _, c := range []struct{ name, args string }{
		{"bench-table", "dir/a.bpf.o dir/b.bpf.o"},
		{"bench-csv", "-o csv dir/a.bpf.o dir/b.bpf.o"},
		{"bench-emit", "-o csv -e file,prog,verdict,insns,states -s states dir/a.bpf.o"},
		{"bench-extended", "--extended --seed 1 --repeat 3 --traced 2 dir/a.bpf.o dir/b.bpf.o"},
		{"bench-extended-csv", "--extended --seed 1 -o csv dir/a.bpf.o"},
		{"bench-sweep", "--stress branches=100,1000,10000 --seed 1"},
		{"bench-jsonl", "--seed 1 -o jsonl --repeat 2 --traced 1 --stress branches=10,20,40 dir/b.bpf.o"},
		{"bench-verbose", "-v dir/a.bpf.o"},
		{"bench-benchfmt", "--seed 1 -o benchfmt --repeat 2 --traced 1 dir/a.bpf.o"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := newFakeLab().bench(t.Context(), strings.Fields(c.args)...)
			got.want(t, codeOK, "")
			golden(t, c.name+".txt", got.stdout)
		})
	}
}

// That a file is missing is said without a wait for a reader of the output.
func TestBenchMissingUnread(t *testing.T) {
	output, _ := fifo(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // ends a wait
	missing := filepath.Join(t.TempDir(), "missing")
	for _, args := range [][]string{
		{"dir/missing.bpf.o"},
		{"-o", "jsonl", "dir/missing.bpf.o", "dir/gone.bpf.o"},
		{"-R", missing},
		{"-C", missing, missing},
	} {
		got := newFakeLab().bench(ctx, append(args, "--output", output)...)
		if got.want(t, codeError, "missing"); !strings.Contains(got.stderr, ": no such file") && !strings.Contains(got.stderr, "file does not exist") {
			t.Errorf("%q: %s", args, got.stderr)
		}
	}
}

func TestBenchUsage(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	for _, c := range []struct{ args, want string }{
		{"", "nothing to load"},
		{"@" + missing, "no such file"},
		{"-v -q dir/a.bpf.o", "-v with -q: give one or neither"},
		{"-d -q dir/a.bpf.o", "-v with -q: give one or neither"},
		{"-C -R a.csv", "-C with -R: give one or neither"},
		{"-C a.csv", "-C takes two results to compare, not 1"},
		{"-R a.csv b.csv", "-R takes one result to show, not 2"},
		{"-C a.csv b.csv --stress branches=1", "veristat's stats alone"},
		{"-R -o jsonl a.jsonl", "veristat's stats alone"},
		{"--partial dir/a.bpf.o", "--partial is for -C and -R"},
		{"-o jsonl --extended dir/a.bpf.o", "-o jsonl always holds all"},
		{"-o jsonl -e insns dir/a.bpf.o", "-o jsonl always holds all"},
		{"-o benchfmt -n 3 dir/a.bpf.o", "-o benchfmt always holds all"},
		{"-o jsonl -f insns>3 dir/a.bpf.o", "-o jsonl always holds all"},
		{"-o yaml dir/a.bpf.o", "want table, csv, jsonl, benchfmt"},
		{"-v --extended dir/a.bpf.o", "logs take time"},
		{"-v --repeat 3 dir/a.bpf.o", "-v and -S make one load"},
		{"-S 3 --traced 1 dir/a.bpf.o", "-v and -S make one load"},
		{"-e colour dir/a.bpf.o", "colour"},
		{"-s colour dir/a.bpf.o", "colour"},
		{"-f insns>many dir/a.bpf.o", "-f: "},
		{"-f @" + missing + " dir/a.bpf.o", "no such file"},
		{"-G what dir/a.bpf.o", "-G: "},
		{"-G @" + missing + " dir/a.bpf.o", "no such file"},
		{"-G debug=1 dir/a.bpf.o", "has no such variable"},
		{"--repeat 0 dir/a.bpf.o", "want a number from 1 up"},
		{"--warmup -1 dir/a.bpf.o", "want a number from 0 up"},
		{"--traced x dir/a.bpf.o", "want a number from 0 up"},
		{"--parallel 0 dir/a.bpf.o", "want a number from 1 up"},
		{"--cpu 1- dir/a.bpf.o", "want numbers and ranges such as 0,2-4"},
		{"--cpu 9999 dir/a.bpf.o", "--cpu: pin a loader to CPU 9999"},
		{"--seed 9007199254740992 dir/a.bpf.o", "want a number from 0 to 9007199254740991"},
		{"--stress branches", "--stress: want a kind and sizes"},
		{"--ring-size 3M dir/a.bpf.o", "power of two"},
	} {
		lab := newFakeLab()
		got := lab.bench(t.Context(), strings.Fields(c.args)...)
		got.want(t, codeUsage, c.want)
		if lab.loads > 0 || got.stdout != "" || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s: %d loads, stdout %q, stderr %q: want one line and nothing loaded", c.args, lab.loads, got.stdout, got.stderr)
		}
	}
}

// How often programs are loaded unless it is said: once where the result is veristat's.
func TestBenchDefaults(t *testing.T) {
	for _, c := range []struct {
		args         string
		bare, traced int
	}{
		{"dir/a.bpf.o", 2, 0},
		{"-o csv dir/a.bpf.o", 2, 0},
		{"--stress branches=10,20", 2, 0},
		{"-v --stress branches=10,20,30", 3, 0},
		{"-o csv --stress branches=10,20,30", 3, 0},
		{"--stress branches=10,20,30", 33, 33},
		{"--repeat 4 dir/a.bpf.o", 10, 0},
		{"--repeat 4 --warmup 0 dir/a.bpf.o", 8, 0},
		{"--extended dir/a.bpf.o", 22, 22},
		{"-o jsonl dir/a.bpf.o", 22, 22},
		{"-o jsonl --traced 0 dir/a.bpf.o", 22, 0},
		{"-o jsonl --repeat 1 --warmup 0 --traced 1 dir/a.bpf.o", 2, 2},
	} {
		lab := newFakeLab()
		lab.bench(t.Context(), strings.Fields(c.args)...).want(t, codeOK, "")
		traced := 0
		for _, o := range lab.options {
			if o.Name != "" {
				traced++
			}
		}
		if bare := len(lab.options) - traced; bare != c.bare || traced != c.traced {
			t.Errorf("%s: %d bare loads and %d traced, want %d and %d", c.args, bare, traced, c.bare, c.traced)
		}
		if lab.opened != (c.traced > 0) || lab.closed != lab.opened {
			t.Errorf("%s: tracer opened %t, closed %t", c.args, lab.opened, lab.closed)
		}
	}
}

func TestBenchOptions(t *testing.T) {
	for _, c := range []struct {
		args string
		want load.Options
	}{
		{"dir/a.bpf.o", load.Options{}},
		{"-t -r dir/a.bpf.o", load.Options{Flags: 1<<3 | 1<<7}},
		{"-v dir/a.bpf.o", load.Options{LogLevel: 1, LogSize: 1<<24 - 1}},
		{"-vl2 --log-fixed --log-size 4096 dir/a.bpf.o", load.Options{LogLevel: 2 | 8, LogSize: 4096}},
		{"-S 3 dir/a.bpf.o", load.Options{LogLevel: 2, LogSize: 1<<24 - 1}},
		{"-l 2 dir/a.bpf.o", load.Options{}},
	} {
		lab := newFakeLab()
		lab.bench(t.Context(), strings.Fields(c.args)...).want(t, codeOK, "")
		if lab.options[0] != c.want {
			t.Errorf("%s: %+v, want %+v", c.args, lab.options[0], c.want)
		}
	}
	lab := newFakeLab()
	lab.bench(t.Context(), "--extended", "--ring-size", "64K", "dir/a.bpf.o").want(t, codeOK, "")
	if c := lab.config; !c.IncludeSelf || c.RingBytes != 64<<10 || !strings.HasPrefix(c.Comm, "verialloc") {
		t.Errorf("tracer's configuration: %+v", c)
	}
}

func TestBenchFilters(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(list, []byte("# objects\n\n  dir/a.bpf.o  \ndir/b.bpf.o\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args  string
		loads int
		want  string
	}{
		{"@" + list, 2, "Processed 2 files, 3 programs. Skipped 0 files, 0 programs."},
		{"-f good @" + list, 1, "Processed 2 files, 1 programs. Skipped 0 files, 2 programs."},
		{"-f a.bpf.o/ @" + list, 2, "Processed 1 files, 2 programs. Skipped 1 files, 0 programs."},
		{"-f !bad dir/a.bpf.o", 1, "Processed 1 files, 1 programs. Skipped 0 files, 1 programs."},
		{"-f states>10 dir/a.bpf.o", 2, "Processed 1 files, 2 programs. Skipped 0 files, 0 programs."},
	} {
		lab := newFakeLab()
		got := lab.bench(t.Context(), strings.Fields(c.args)...)
		got.want(t, codeOK, "")
		if lab.loads != c.loads || !strings.Contains(got.stdout, c.want) {
			t.Errorf("%s: %d loads, want %d and %q in\n%s", c.args, lab.loads, c.loads, c.want, got.stdout)
		}
	}
}

// Failures of programs are rows, and the log has the reasons; files that are no objects
// are passed over; files that are not there are an error, after all else was done.
func TestBenchFailures(t *testing.T) {
	lab := newFakeLab()
	lab.objects["dir/text"] = nil
	got := lab.bench(t.Context(), "dir/text", "dir/a.bpf.o", "dir/b.bpf.o")
	got.want(t, codeOK, "WRN skipped: dir/text is not a readable BPF object: bad magic number")
	got.want(t, codeOK, "WRN a.bpf.o/bad rejected: EACCES: R1 invalid mem access 'scalar'\n")
	got.want(t, codeOK, "WRN b.bpf.o/unloadable cannot be loaded: prepare unloadable: no kfunc of that name")
	if !strings.Contains(got.stdout, "Processed 2 files, 3 programs. Skipped 1 files, 0 programs.") {
		t.Errorf("stdout:\n%s", got.stdout)
	}
	if quiet := newFakeLab().bench(t.Context(), "-q", "dir/a.bpf.o", "dir/b.bpf.o"); quiet.stderr != "" || strings.Contains(quiet.stdout, "Processing") {
		t.Errorf("-q:\n%s%s", quiet.stdout, quiet.stderr)
	}

	got = newFakeLab().bench(t.Context(), "-o", "csv", "dir/missing.bpf.o", "dir/a.bpf.o")
	got.want(t, codeError, "open dir/missing.bpf.o: file does not exist")
	if !strings.Contains(got.stdout, "a.bpf.o,good,success") {
		t.Errorf("stdout:\n%s", got.stdout)
	}

	lab = newFakeLab()
	lab.objects["dir/a.bpf.o"][0].(*fakeProgram).broken = errors.New("no verifier statistics in the log")
	got = lab.bench(t.Context(), "-o", "csv", "-e", "prog,verdict", "dir/a.bpf.o")
	got.want(t, codeError, "ERR a.bpf.o/good: no further loads: no verifier statistics in the log")
	if got.stdout != "prog_name,verdict\nbad,failure\ngood,failure\n" {
		t.Errorf("stdout:\n%s", got.stdout)
	}

	lab = newFakeLab()
	lab.permitted = fmt.Errorf("%w: CAP_BPF", tracer.ErrPermission)
	lab.bench(t.Context(), "dir/a.bpf.o").want(t, codePermission, "not permitted")
}

// Where nothing can be traced the bare samples are there, and why others are not.
func TestBenchUntraced(t *testing.T) {
	lab := newFakeLab()
	lab.openErr = fmt.Errorf("%w: kernel 6.12: no ring buffer", tracer.ErrUnsupported)
	got := lab.bench(t.Context(), "-o", "jsonl", "dir/a.bpf.o")
	got.want(t, codeOK, "WRN traced samples are missing: not supported by this kernel")
	samples, end := readSamples(t, got.stdout)
	if len(samples) != 20 || end.Samples != 20 || end.Interrupted || !strings.Contains(end.TracedAbsent, "no ring buffer") {
		t.Errorf("%d samples, end %+v", len(samples), end)
	}
	lab.bench(t.Context(), "-o", "jsonl", "--traced", "2", "dir/a.bpf.o").want(t, codeUnsupported, "--traced: not supported")
}

// A result without some of the tracer's records is written and is no success.
func TestBenchRecordsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lab := newFakeLab()
		lab.lose, lab.losses = "bad", []record.Loss{{Reason: record.LossRingFull, Count: 3}}
		got := lab.bench(t.Context(), "-o", "jsonl", "--traced", "2", "dir/a.bpf.o")
		got.want(t, codeError, "WRN lost: ring_full 3: try --ring-size 64M")
		got.want(t, codeError, "the tracer's records of 2 loads were lost: give a larger --ring-size")
		samples, end := readSamples(t, got.stdout)
		if len(samples) != 22 || end.Samples != 22 || !end.Interrupted || end.TracedAbsent == "" {
			t.Errorf("%d samples, end %+v", len(samples), end)
		}
	})
}

func TestBenchInterrupted(t *testing.T) {
	for _, mode := range []struct {
		name    string
		at      int // load
		samples int
	}{
		{"bare", 8, 5}, // two to warm up, five, and the one that is being made
		{"traced", 25, 20},
	} {
		t.Run(mode.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			release := make(chan struct{})
			defer close(release)
			lab := newFakeLab()
			lab.loaded = func(n int, _ load.Options) {
				if n == mode.at {
					cancel(signalled{os.Interrupt})
					<-release
				}
			}
			got := lab.bench(ctx, "-o", "jsonl", "dir/a.bpf.o")
			got.want(t, 128+2, "WRN interrupt: ")
			samples, end := readSamples(t, got.stdout)
			if len(samples) != mode.samples || end.Samples != uint64(mode.samples) || !end.Interrupted {
				t.Errorf("%d samples, end %+v; want %d samples", len(samples), end, mode.samples)
			}
		})
	}
}

// What is interrupted is no whole result: a file stays as it was if there is nothing to
// write, and says so if there is.
func TestBenchInterruptedOutput(t *testing.T) {
	path := filepath.Join(t.TempDir(), "result")
	for _, c := range []struct {
		format string
		at     int // load
		want   string
	}{
		{"table", 1, "earlier"},
		{"csv", 1, "earlier"},
		{"benchfmt", 1, "earlier"},
		{"jsonl", 1, "earlier"},
		{"benchfmt", 8, "# interrupted: 5 samples, fewer than asked for\n"},
	} {
		if err := os.WriteFile(path, []byte("earlier"), 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		release := make(chan struct{})
		lab := newFakeLab()
		lab.loaded = func(n int, _ load.Options) {
			if n == c.at {
				cancel(signalled{os.Interrupt})
				<-release
			}
		}
		lab.bench(ctx, "-o", c.format, "--output", path, "dir/a.bpf.o").want(t, 128+2, "WRN interrupt: ")
		close(release)
		if text, err := os.ReadFile(path); err != nil || !strings.HasSuffix(string(text), c.want) {
			t.Errorf("%s, interrupted at load %d: the file holds %q: %v", c.format, c.at, text, err)
		}
	}
}

// An earlier result survives a bench that cannot start.
func TestBenchOutput(t *testing.T) {
	path := filepath.Join(t.TempDir(), "result")
	if err := os.WriteFile(path, []byte("earlier"), 0o600); err != nil {
		t.Fatal(err)
	}
	lab := newFakeLab()
	lab.bench(t.Context(), "--output", path, "--cpu", "9999", "dir/a.bpf.o").want(t, codeUsage, "CPU 9999")
	if text, err := os.ReadFile(path); err != nil || string(text) != "earlier" {
		t.Errorf("the file holds %q: %v", text, err)
	}
	got := lab.bench(t.Context(), "--output", path, "-o", "csv", "-e", "prog,states", "dir/a.bpf.o")
	got.want(t, codeOK, "")
	if text, err := os.ReadFile(path); err != nil || string(text) != "prog_name,total_states\nbad,7\ngood,40\n" || got.stdout != "" {
		t.Errorf("the file holds %q: %v; stdout %q", text, err, got.stdout)
	}
	newFakeLab().bench(t.Context(), "--output", t.TempDir(), "dir/a.bpf.o").want(t, codeOutput, "--output")
	lab = newFakeLab()
	lab.bench(t.Context(), "--output", "/dev/full", "-o", "jsonl", "dir/a.bpf.o").want(t, codeOutput, "no space left")
	if most := 2 * (1 + 1); lab.loads > most { // to warm up, and the first round
		t.Errorf("%d loads, but the first write failed", lab.loads)
	}
}

// What bench wrote can be shown again and compared, as JSON Lines and as CSV.
func TestBenchReplay(t *testing.T) {
	dir := t.TempDir()
	csv, jsonl := filepath.Join(dir, "a.csv"), filepath.Join(dir, "a.jsonl")
	newFakeLab().bench(t.Context(), "-o", "csv", "--output", csv, "dir/a.bpf.o", "dir/b.bpf.o").want(t, codeOK, "")
	newFakeLab().bench(t.Context(), "-o", "jsonl", "--seed", "3", "--output", jsonl, "dir/a.bpf.o", "dir/b.bpf.o").want(t, codeOK, "")
	for _, path := range []string{csv, jsonl} {
		got := newFakeLab().bench(t.Context(), "-R", "-o", "csv", "-e", "prog,verdict,states", path)
		got.want(t, codeOK, "")
		if got.stdout != "prog_name,verdict,total_states\nbad,failure,7\ngood,success,40\nunloadable,failure,0\n" {
			t.Errorf("%s: stdout:\n%s", path, got.stdout)
		}
	}
	got := newFakeLab().bench(t.Context(), "-C", "-e", "file,prog,verdict,states", "-o", "csv", csv, jsonl)
	got.want(t, codeOK, "")
	const header = "file_name,prog_name,verdict_base,verdict_comp,verdict_diff,total_states_base,total_states_comp,total_states_diff\n"
	if !strings.HasPrefix(got.stdout, header) || !strings.Contains(got.stdout, "a.bpf.o,good,success,success,MATCH,40,40,+0 (+0.00%)") {
		t.Errorf("stdout:\n%s", got.stdout)
	}

	cut, err := os.ReadFile(jsonl)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(cut), "\n")
	for _, c := range []struct {
		text, want string
		code       int
	}{
		{string(cut[:len(cut)/2]), "its last line is cut off: --partial takes what is there", codeError},
		{strings.Join(lines[:len(lines)-2], ""), jsonl + ": it has no end: cut off: --partial takes what is there", codeError},
		{strings.Join(slices.Delete(slices.Clone(lines), 6, 7), ""), "lines are missing", codeError},
		{strings.Replace(string(cut), `"interrupted":false`, `"interrupted":true`, 1), "WRN " + jsonl + ": bench was interrupted", codeOK},
	} {
		if err := os.WriteFile(jsonl, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		newFakeLab().bench(t.Context(), "-R", jsonl).want(t, c.code, c.want)
	}
	newFakeLab().bench(t.Context(), "-R", dir+"/none.csv").want(t, codeError, "no such file")
}

func readSamples(t *testing.T, text string) ([]*record.Sample, *record.End) {
	t.Helper()
	var samples []*record.Sample
	var end *record.End
	for line, err := range recording.ReadJSONL(strings.NewReader(text)) {
		if err != nil {
			t.Fatal(err)
		}
		switch r := line.(type) {
		case *record.Sample:
			samples = append(samples, r)
		case *record.End:
			end = r
		}
	}
	if end == nil {
		t.Fatalf("the recording has no end:\n%.2000s", text)
	}
	return samples, end
}
