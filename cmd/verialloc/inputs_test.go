package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/object"
)

// filesLab is a fakeLab whose objects are files.
type filesLab struct{ *fakeLab }

func (filesLab) Find(path string) error { return kernelLab{}.Find(path) }

func (filesLab) Object(path string, o object.Options) ([]load.Subject, error) {
	return kernelLab{}.Object(path, o)
}

// runOnFiles runs a command line in such a lab.
func runOnFiles(ctx context.Context, args ...string) outcome {
	var stdout, stderr lockedBuffer
	lab := newFakeLab()
	a := &app{stdout: &stdout, stderr: &stderr, lab: filesLab{lab}, open: lab.open}
	code := a.run(ctx, args)
	return outcome{code, stdout.String(), stderr.String()}
}

// repeated is a stream of one text over and over, after a beginning. It counts what is
// taken of it.
type repeated struct {
	head, text string
	taken      int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) {
		var m int
		if r.taken < len(r.head) {
			m = copy(p[n:], r.head[r.taken:])
		} else {
			m = copy(p[n:], r.text[(r.taken-len(r.head))%len(r.text):])
		}
		n, r.taken = n+m, r.taken+m
	}
	return n, nil
}

// Streams without an end are given up early, in little memory.
func TestEndlessStreams(t *testing.T) {
	const (
		csv    = "file_name,prog_name,verdict\n"
		most   = 65 << 20  // bytes taken: what a CSV may have
		memory = 200 << 20 // bytes allocated
	)
	for _, c := range []struct {
		head, text, want string
		most             int
	}{
		{"", "\x00", "line 1: ", 1 << 20},
		{"", "y\n", "line 1: ", 1 << 20},
		{"", "\n", "line 1: ", 1 << 20},
		{"", "y", "line 1: longer than 4094 bytes", 1 << 20},
		{"{", "\x00", "line 1: ", 20 << 20},
		{"", `{"schema":"verialloc/1",`, "line 1: longer than 16777216 bytes", 20 << 20},
		{"", "[", "line 1: longer than 4094 bytes", 1 << 20},
		{csv, "y", "line 2: longer than 4094 bytes", 1 << 20},
		{csv, "y\n", "line 2: ", 1 << 20},
		{csv, strings.Repeat("\n", 512), "it is larger than the 64 MiB", most},
		{csv, csv, "it is larger than the 64 MiB", most},
	} {
		if testing.Short() && c.most == most {
			continue
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		stream := &repeated{head: c.head, text: c.text}
		_, err := readSide("-", stream, &compareOptions{})
		runtime.ReadMemStats(&after)
		name := c.head + c.text[:min(len(c.text), 10)]
		if err == nil || !strings.HasPrefix(err.Error(), "standard input: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want one with %q", name, err, c.want)
		}
		if stream.taken > c.most {
			t.Errorf("%q: %d bytes were taken, want %d at most", name, stream.taken, c.most)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > memory {
			t.Errorf("%q: %d bytes were allocated, want %d at most", name, allocated, memory)
		}
	}
}

// What is no file is refused as such wherever a file is read, with one line and the right
// exit code, and so is a pipe whose writer does not end.
func TestNoFiles(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.csv")
	if err := os.WriteFile(good, []byte("file_name,prog_name,verdict\na.o,p,success\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("/dev/zero", link); err != nil {
		t.Fatal(err)
	}
	sparse := filepath.Join(dir, "sparse")
	if err := errors.Join(os.WriteFile(sparse, nil, 0o600), os.Truncate(sparse, 1<<40)); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	commands := []struct {
		args   string
		code   int
		object bool
	}{
		{"compare FILE GOOD", codeError, false},
		{"compare GOOD FILE", codeError, false},
		{"compare --noise FILE GOOD GOOD", codeError, false},
		{"bench -R FILE", codeError, false},
		{"bench -C GOOD FILE", codeError, false},
		{"bench FILE", codeError, true},
		{"bench -o jsonl FILE", codeError, true},
		{"bench @FILE", codeUsage, false},
		{"bench -G @FILE x.o", codeUsage, false},
		{"bench -f @FILE x.o", codeUsage, false},
	}
	for file, want := range map[string]string{
		"/dev/zero": "it is a device: want a file", link: "it is a device: want a file", dir: "it is a directory: want a file",
		sparse: "it is larger than the ", pipe: "",
	} {
		for _, c := range commands {
			want := want
			if file == pipe && c.object {
				want = "it is larger than the 64 MiB"
			}
			var taken chan int64
			if file == pipe {
				taken = make(chan int64)
				go func() { taken <- pour(t, pipe) }()
			}
			got := runOnFiles(t.Context(), strings.Fields(strings.NewReplacer("FILE", file, "GOOD", good).Replace(c.args))...)
			got.want(t, c.code, want)
			if got.stdout != "" || strings.Count(got.stderr, "\n") != 1 {
				t.Errorf("%s of %s: stdout %q, stderr %q: want one line", c.args, file, got.stdout, got.stderr)
			}
			if taken == nil {
				continue
			}
			most := int64(17 << 20)
			if c.object {
				most = 65 << 20
			}
			if n := <-taken; n > most {
				t.Errorf("%s of a pipe: %d bytes were taken", c.args, n)
			}
		}
	}
}

// pour writes into a pipe for as long as somebody reads, and returns how many bytes.
func pour(t *testing.T, path string) int64 {
	pipe, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer pipe.Close()
	n, err := io.Copy(pipe, struct{ io.Reader }{&repeated{text: "\x00"}})
	if !errors.Is(err, syscall.EPIPE) {
		t.Error(err)
	}
	return n
}

// A bench of nothing that is an object has no result. Among objects other files are
// passed over, as by veristat.
func TestBenchNoObject(t *testing.T) {
	dir := t.TempDir()
	text, other, missing := filepath.Join(dir, "README.md"), filepath.Join(dir, "other"), filepath.Join(dir, "missing")
	for path, content := range map[string]string{text: "# no object\n", other: "\x7fELF"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list := filepath.Join(dir, "list")
	if err := os.WriteFile(list, []byte(text+"\n"+other+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	output := filepath.Join(dir, "output")
	if err := os.WriteFile(output, []byte("earlier"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{text}, "nothing to load: " + text + " is not a readable BPF object: it is no ELF file"},
		{[]string{"-q", text}, "it is no ELF file"},
		{[]string{"-o", "csv", text}, "it is no ELF file"},
		{[]string{"-o", "jsonl", text}, "it is no ELF file"},
		{[]string{"-o", "benchfmt", text}, "it is no ELF file"},
		{[]string{"--output", output, text}, "it is no ELF file"},
		{[]string{"/etc/passwd"}, "it is no ELF file"},
		{[]string{text, other}, "it is no ELF file; " + other + " is not a readable BPF object: its ELF headers: "},
		{[]string{"@" + list}, "it is no ELF file; " + other},
		{[]string{text, missing}, "no such file"},
		{[]string{missing}, "no such file"},
		{[]string{text, text, text, text, text}, "; and 2 more"},
		{[]string{"-f", "*.md", text, missing}, "it is no ELF file"},
	} {
		got := runOnFiles(t.Context(), append([]string{"bench"}, c.args...)...)
		got.want(t, codeError, c.want)
		if got.stdout != "" || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%q: stdout %q, stderr %q: want one line and no table", c.args, got.stdout, got.stderr)
		}
	}
	if content, err := os.ReadFile(output); err != nil || string(content) != "earlier" {
		t.Errorf("the output that was there is %q, %v", content, err)
	}
	// What is shown beside them is shown.
	lab := newFakeLab()
	lab.objects["dir/text"] = nil
	got := lab.bench(t.Context(), "dir/text", "dir/a.bpf.o")
	got.want(t, codeOK, "skipped: dir/text is not a readable BPF object")
	if !strings.Contains(got.stdout, "good") {
		t.Errorf("stdout: %s", got.stdout)
	}
	lab.bench(t.Context(), "--stress", "branches=10", "dir/text").want(t, codeOK, "skipped: dir/text")
	// Files that a filter keeps out are not looked at.
	runOnFiles(t.Context(), "bench", "-f", "*.bpf.o/", text).want(t, codeOK, "")
}

// What bench writes as CSV is read by bench -R and -C and by compare, whatever the name of
// the file.
func TestBenchNames(t *testing.T) {
	for _, file := range []string{"a,b.bpf.o", "a\nb.bpf.o", `a"b.bpf.o`, "a'b.bpf.o", `a\nb.bpf.o`, "\xff\u202e.bpf.o", "file_name", " a .bpf.o"} {
		lab := newFakeLab()
		lab.objects = map[string][]load.Subject{file: {&fakeProgram{lab: lab, file: file, name: "good", states: 40}}}
		got := lab.bench(t.Context(), "-o", "csv", file)
		got.want(t, codeOK, "")
		path := filepath.Join(t.TempDir(), "result.csv")
		if err := os.WriteFile(path, []byte(got.stdout), 0o600); err != nil {
			t.Fatal(err)
		}
		again := runOnFiles(t.Context(), "bench", "-o", "csv", "-R", path)
		again.want(t, codeOK, "")
		if again.stdout != got.stdout {
			t.Errorf("%q: wrote\n%sread back as\n%s", file, got.stdout, again.stdout)
		}
		runOnFiles(t.Context(), "bench", "-C", path, path).want(t, codeOK, "")
		compared := runOnFiles(t.Context(), "compare", path, path)
		compared.want(t, codeOK, "")
		// The filter has the name as it is.
		shown := runOnFiles(t.Context(), "bench", "-R", "-f", file+"/good", path)
		shown.want(t, codeOK, "")
		if !strings.Contains(shown.stdout, "success") {
			t.Errorf("%q: a filter by its name shows\n%s", file, shown.stdout)
		}
	}
	lab := newFakeLab()
	lab.objects = map[string][]load.Subject{"a.o": {&fakeProgram{lab: lab, file: "a.o", name: strings.Repeat("x", 5000), states: 40}}}
	got := lab.bench(t.Context(), "-o", "csv", "a.o")
	got.want(t, codeError, "-o csv: a.o: the names of the file and the program take 5003 bytes")
	if lab.loads > 0 || got.stdout != "" {
		t.Errorf("%d loads, stdout %q: want it refused at once", lab.loads, got.stdout)
	}
	// Beside others it is left out, which is an error in the end.
	lab.objects["dir/a.bpf.o"] = newFakeLab().objects["dir/a.bpf.o"]
	for _, p := range lab.objects["dir/a.bpf.o"] {
		p.(*fakeProgram).lab = lab
	}
	got = lab.bench(t.Context(), "-q", "-o", "csv", "a.o", "dir/a.bpf.o")
	got.want(t, codeError, "ERR -o csv: a.o: the names of the file and the program take 5003 bytes")
	if !strings.Contains(got.stdout, "a.bpf.o,good,success") || strings.Contains(got.stdout, "a.o,x") {
		t.Errorf("stdout:\n%s", got.stdout)
	}
	// Nothing reads this back.
	lab.bench(t.Context(), "-o", "csv", "--extended", "--traced", "0", "a.o").want(t, codeOK, "")
}

// What was wrong with the files ahead of an error is said too.
func TestBenchRefusesLater(t *testing.T) {
	lab := newFakeLab()
	lab.objects["dir/text"] = nil
	got := lab.bench(t.Context(), "-G", "debug=1", "dir/missing.bpf.o", "dir/text", "dir/a.bpf.o")
	for _, text := range []string{"ERR open dir/missing.bpf.o: file does not exist", "WRN skipped: dir/text is not", "the object has no such variable"} {
		got.want(t, codeUsage, text)
	}
}
