package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/verialloc/verialloc/cmd/verialloc/internal/fence"
	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
)

// fakeFence notes what is kept, and fails if it is to.
type fakeFence struct {
	kept   []string
	err    error
	raised func()
}

func (f *fakeFence) raise(l fence.Limits) (record.Fence, error) {
	f.kept = append(f.kept, strings.Join(l.Capabilities.Names(), " "))
	if f.raised != nil {
		f.raised()
	}
	return record.Fence{Capabilities: l.Capabilities.Names(), LandlockAbsent: "fake"}, f.err
}

// Each command that reads what others wrote gives up what it does not need.
func TestFence(t *testing.T) {
	rows := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(rows, []byte("file_name,prog_name,verdict\na,b,success\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const (
		reads = "CAP_DAC_READ_SEARCH"
		loads = "CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_NET_ADMIN CAP_IPC_LOCK CAP_SYS_ADMIN CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SYSLOG CAP_PERFMON CAP_BPF"
	)
	for _, c := range []struct {
		args string
		kept []string
	}{
		{"trace --ring-size 8M --duration 1ms", []string{reads}},
		{"trace --duration 1ms", []string{"CAP_DAC_READ_SEARCH CAP_BPF"}},
		{"trace -- true", []string{"CAP_DAC_READ_SEARCH CAP_KILL CAP_BPF"}},
		{"trace --ring-size 8M --loader-cmdline --duration 1ms", []string{"CAP_DAC_READ_SEARCH CAP_SYS_PTRACE"}},
		{"doctor", []string{"CAP_DAC_READ_SEARCH CAP_BPF"}},
		{"compare no-such no-such", []string{reads}},
		{"bench -R " + rows, []string{reads}},
		{"bench -C " + rows + " " + rows, []string{reads}},
		{"bench dir/a.bpf.o", []string{loads}},
		{"version", nil},
		{"trace --bogus", nil},
	} {
		lab, f := newFakeLab(), &fakeTracer{finite: true, diagnosis: record.Diagnosis{OK: true}}
		var stdout, stderr lockedBuffer
		raised := &fakeFence{err: errors.New("it leaks")}
		a := &app{stdout: &stdout, stderr: &stderr, open: f.open, diagnose: f.diagnose, lab: lab, fence: raised.raise}
		a.run(t.Context(), strings.Fields(c.args))
		if !slices.Equal(raised.kept, c.kept) {
			t.Errorf("%s: kept %q, want %q\n%s", c.args, raised.kept, c.kept, stderr.String())
		}
		const warning = "privileges that are not needed any more could not be given up: it leaks"
		if warned := strings.Contains(stderr.String(), warning); warned != (c.kept != nil) {
			t.Errorf("%s: warned %v: %s", c.args, warned, stderr.String())
		}
	}
}

// The fence of a trace comes after all that it would hinder: the output is emptied, the
// ready file is written and the command has started.
func TestFenceComesLast(t *testing.T) {
	dir := t.TempDir()
	ready, output, started := filepath.Join(dir, "ready"), filepath.Join(dir, "output"), filepath.Join(dir, "started")
	if err := os.WriteFile(output, []byte("an earlier feed"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := &fakeTracer{finite: true}
	var stdout, stderr lockedBuffer
	a := &app{stdout: &stdout, stderr: &stderr, open: f.open}
	a.fence = (&fakeFence{raised: func() {
		if _, err := os.Stat(ready); err != nil {
			t.Error(err)
		}
		if text, err := os.ReadFile(output); err != nil || strings.Contains(string(text), "earlier") {
			t.Errorf("the output holds %q, error %v", text, err)
		}
		// Its process is there: it does this without help.
		for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			if _, err := os.Stat(started); err == nil {
				return
			}
			if time.Now().After(end) {
				t.Error("the fence is raised before the command has started")
				return
			}
		}
	}}).raise
	code := a.run(t.Context(), []string{"trace", "--ready-file", ready, "--output", output, "--", "sh", "-c", `: >"$0"`, started})
	if code != codeOK {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}

// Doctor says what came of its own fence.
func TestDoctorFence(t *testing.T) {
	f := &fakeTracer{diagnosis: record.Diagnosis{OK: true}}
	var stdout, stderr lockedBuffer
	a := &app{stdout: &stdout, stderr: &stderr, diagnose: f.diagnose, fence: (&fakeFence{}).raise}
	a.run(t.Context(), []string{"doctor", "-o", "json"})
	if want := `"fence":{"capabilities":["CAP_DAC_READ_SEARCH","CAP_BPF"],"no_new_privileges":false,"landlock_abi":0,"landlock_absent":"fake"}`; !strings.Contains(stdout.String(), want) {
		t.Errorf("%s%s", stdout.String(), stderr.String())
	}
}

// docs/security.md names all that is kept.
func TestFenceDocs(t *testing.T) {
	docs, err := os.ReadFile(filepath.Join("..", "..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, given, _ := strings.Cut(string(docs), "\n## What it gives up\n")
	given, _, _ = strings.Cut(given, "\n## ")
	kept := traceLimits(&traceOptions{config: tracer.Config{LoaderCommand: true}}, true).Capabilities | readLimits().Capabilities | benchLimits().Capabilities
	for _, name := range kept.Names() {
		if !strings.Contains(given, name) {
			t.Errorf("%s is kept, and not named", name)
		}
	}
	for _, name := range (^kernel.Capabilities(0) &^ kept).Names() {
		if strings.Contains(given, name) {
			t.Errorf("%s is named, and not kept", name)
		}
	}
}
