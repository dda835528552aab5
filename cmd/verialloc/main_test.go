package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
)

func TestUsage(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"bogus", `unknown command "bogus"`},
		{"trac", `unknown command "trac"`},
		{"doctor extra", `unknown command "extra"`},
		{"doctor -o yaml", "want table, json"},
		{"version extra", `unknown command "extra"`},
		{"trace extra", `put -- ahead of a command`},
		{"trace extra -- true", `put -- ahead of a command`},
		{"trace --", "no command after --"},
		{"trace -- /no/such/command", "no such file"},
		{"trace --bogus", "unknown flag"},
		{"trace -o csv", "want table, jsonl"},
		{"trace --by colour", "want a list of type, cache, site, path"},
		{"trace --by type,", "want a list of type, cache, site, path"},
		{"trace -o jsonl --by type", "for -o table"},
		{"trace -o jsonl --histogram", "for -o table"},
		{"trace --prog [a", "close each ["},
		{"trace --pid 0", "want a process id"},
		{"trace --pid 1 -- true", "--pid with a command"},
		{"trace --comm 0123456789abcdef", "want 1 to 15 bytes"},
		{"trace --comm=", "want 1 to 15 bytes"},
		{"trace --duration 0s", "want more than 0"},
		{"trace --duration soon", "invalid duration"},
		{"trace --pid abc", `invalid argument "abc" for "--pid" flag: want a process id`},
		{"trace --pid 4194305", "no such process"}, // beyond PID_MAX_LIMIT
		{"trace --count 0", "want a number from 1 up"},
		{"trace --count -1", "want a number from 1 up"},
		{"stress --branches 0", "want a number from 1 up"},
		{"trace --min-time -1s", "want 0 or more"},
		{"trace --latency fast", "want auto, fentry, kprobe, off"},
		{"trace --ring-size 3M", "power of two"},
		{"trace --ring-size 2G", "power of two"},
		{"trace --ring-size 17179869184G", "such as 32M"},
		{"trace --ring-size 1", "power of two"},
		{"trace --ring-size M", "such as 32M"},
	} {
		f := &fakeTracer{}
		got := runFake(t.Context(), f, strings.Fields(c.args)...)
		got.want(t, codeUsage, c.want)
		if f.opened || got.stdout != "" || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s: opened %t, stdout %q, stderr %q: want one line and nothing started", c.args, f.opened, got.stdout, got.stderr)
		}
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
	}{
		{errors.New("other"), codeError},
		{fmt.Errorf("%w: no such type", tracer.ErrConfig), codeUsage},
		{fmt.Errorf("attach: %w", tracer.ErrPermission), codePermission},
		{fmt.Errorf("attach: %w", tracer.ErrUnsupported), codeUnsupported},
	} {
		f := &fakeTracer{openErr: c.err}
		runFake(t.Context(), f, "trace").want(t, c.code, c.err.Error())
		runFake(t.Context(), f, "doctor").want(t, c.code, c.err.Error())
		f = &fakeTracer{runErr: c.err}
		runFake(t.Context(), f, "trace").want(t, c.code, c.err.Error())
		runFake(t.Context(), f, "trace", "--", "true").want(t, c.code, c.err.Error())
		if !f.closed {
			t.Errorf("%v: not closed", c.err)
		}
	}
}

// The help and the package's comment are both the word on exit codes.
func TestHelpTellsExitCodes(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	comment := strings.Join(strings.Fields(strings.ReplaceAll(string(doc), "//", "")), " ")
	got := runFake(t.Context(), &fakeTracer{}, "--help")
	got.want(t, codeOK, "")
	help := strings.Join(strings.Fields(got.stdout), " ")
	_, codes, _ := strings.Cut(comment, "# Exit codes ")
	codes = strings.TrimSuffix(codes, " package main")
	if codes == "" || !strings.Contains(help, codes) {
		t.Errorf("help:\n%s\nwant:\n%s", help, codes)
	}
}

func TestDoctor(t *testing.T) {
	f := &fakeTracer{diagnosis: record.Diagnosis{
		Head: record.NewHead(record.KindDiagnosis), OK: true,
		Hooks: []record.Hook{{Name: "kzalloc", State: record.HookAttached, Targets: []record.Target{{Means: record.MeansTracepoint, Name: "kmem:kmalloc"}}}},
	}}
	got := runFake(t.Context(), f, "doctor")
	got.want(t, codeOK, "")
	if !strings.Contains(got.stdout, "kmem:kmalloc") {
		t.Errorf("stdout: %s", got.stdout)
	}
	f.diagnosis.OK = false
	got = runFake(t.Context(), f, "doctor", "-o", "json")
	got.want(t, codeUnsupported, "see the advice")
	if !strings.HasPrefix(got.stdout, `{"schema":"verialloc/1","kind":"diagnosis"`) || strings.Count(got.stdout, "\n") != 1 {
		t.Errorf("stdout: %s", got.stdout)
	}
}

func TestVersion(t *testing.T) {
	for _, args := range []string{"version", "--version"} {
		got := runFake(t.Context(), &fakeTracer{}, args)
		got.want(t, codeOK, "")
		if !strings.HasPrefix(got.stdout, "verialloc ") || !strings.Contains(got.stdout, record.Schema) {
			t.Errorf("%s: stdout: %s", args, got.stdout)
		}
	}
}

// Messages hold names that anyone may choose, of files for one: they are one line that
// prints.
func TestHostileMessages(t *testing.T) {
	const evil = "evil\x1b[2J\r\n\u009b\u202e\u200b\xff"
	for _, args := range [][]string{
		{"bench", "-R", evil},
		{"bench", "-C", evil, evil},
		{"compare", evil, evil},
		{evil},
		{"trace", "--" + evil},
		{"trace", "--by", evil},
		{"compare", "--map", evil, "a", "b"},
		{"bench", "--filter", evil + "=", "a"},
		{"trace", "--", evil},
	} {
		var out, complaints strings.Builder
		newApp(&out, &complaints).run(context.Background(), args)
		text := complaints.String()
		if !strings.HasSuffix(text, "\n") || strings.Count(text, "\n") != 1 || strings.ContainsFunc(text[:len(text)-1], func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(text) {
			t.Errorf("%q: %q", args, text)
		}
	}
}

// So are the lines of a table ahead of its rows.
func TestHostileFiles(t *testing.T) {
	const evil = "evil\x1b[2J\r\u202e\xff.bpf.o"
	lab := newFakeLab()
	lab.objects = map[string][]load.Subject{evil: {&fakeProgram{lab: lab, file: evil, name: "good", states: 40}}}
	got := lab.bench(t.Context(), evil)
	got.want(t, codeOK, "")
	const shown = `evil\x1b[2J\r\u202e\xff.bpf.o`
	if !strings.HasPrefix(got.stdout, "Processing '"+shown+"'...\n") {
		t.Errorf("stdout: %q", got.stdout)
	}
	if strings.ContainsFunc(got.stdout, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) || !utf8.ValidString(got.stdout) {
		t.Errorf("stdout holds what does not print: %q", got.stdout)
	}
}
