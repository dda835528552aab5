package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/object"
)

// filesLab is a fakeLab whose objects are files.
type filesLab struct{ *fakeLab }

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
