package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPlanOfATestBinary(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "x.test")
	if err := os.WriteFile(binary, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	args := []string{
		binary, "-test.v", "-test.outputdir=" + dir,
		"-test.coverprofile=/work/cover.out", "-test.cpuprofile=cpu.out", "-test.gocoverdir=/work/covdir",
	}
	p, err := options{files: []string{"/a:/b"}, fetchFiles: []string{"rel:/host"}}.plan(args)
	if err != nil {
		t.Fatal(err)
	}
	if p.spec.Dir != dir || !slices.Equal(p.spec.Args, args) {
		t.Errorf("got %q in %s", p.spec.Args, p.spec.Dir)
	}
	wantFiles := []hostFile{{"/a", "/b"}, {binary, binary}, {"testdata", filepath.Join(dir, "testdata")}}
	if !slices.Equal(p.files, wantFiles) {
		t.Errorf("got files %v, want %v", p.files, wantFiles)
	}
	cpu := filepath.Join(dir, "cpu.out")
	wantFetch := []string{filepath.Join(dir, "rel"), "/work/cover.out", cpu, "/work/covdir"}
	if !slices.Equal(p.spec.Fetch, wantFetch) {
		t.Errorf("got %v to fetch, want %v", p.spec.Fetch, wantFetch)
	}
	if want := []string{"/host", "/work/cover.out", cpu, "/work/covdir"}; !slices.Equal(p.fetch, want) {
		t.Errorf("got fetched files at %v, want %v", p.fetch, want)
	}
	if !slices.Contains(p.spec.Dirs, "/work/covdir") || !slices.Contains(p.spec.Dirs, "/work") {
		t.Errorf("got directories %v", p.spec.Dirs)
	}
}

func TestPlanLimitsATest(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "x.test")
	if err := os.WriteFile(binary, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		timeout time.Duration
		args    []string
		want    []string
		limit   time.Duration
	}{
		"later than the guest's": {10 * time.Minute, []string{"-test.v", "-test.timeout=30m0s"}, []string{"-test.v", "-test.timeout=39m30s"}, 10 * time.Minute},
		"before the guest's":     {10 * time.Minute, []string{"-test.timeout=1m"}, []string{"-test.timeout=3m36s"}, time.Minute},
		"none":                   {time.Minute, []string{"-test.timeout=0s"}, []string{"-test.timeout=3m36s"}, time.Minute},
		"not given":              {time.Minute, []string{"-test.v"}, []string{"-test.timeout=3m36s", "-test.v"}, time.Minute},
		"only the test's":        {0, []string{"-test.timeout=1m"}, []string{"-test.timeout=3m36s"}, time.Minute},
		"neither":                {0, []string{"-test.timeout=0s"}, []string{"-test.timeout=0s"}, 0},
		"no test":                {time.Minute, []string{"-v"}, []string{"-v"}, time.Minute},
		"what the test refuses":  {time.Minute, []string{"-test.timeout=x"}, []string{"-test.timeout=x"}, time.Minute},
	} {
		p, err := options{timeout: test.timeout}.plan(append([]string{binary}, test.args...))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.spec.Args[1:], test.want) || p.limits.Timeout != test.limit {
			t.Errorf("%s: got %q in %s, want %q in %s", name, p.spec.Args[1:], p.limits.Timeout, test.want, test.limit)
		}
	}
}

func TestPlanOfAGuestCommand(t *testing.T) {
	t.Setenv("VM_TEST_SET", "here")
	p, err := options{env: []string{"A=b=c", "VM_TEST_SET", "VM_TEST_UNSET"}}.plan([]string{"sh", "-c", "exit"})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.files) != 0 || len(p.spec.Fetch) != 0 {
		t.Errorf("got files %v, %v to fetch, want none", p.files, p.spec.Fetch)
	}
	if want := []string{"A=b=c", "VM_TEST_SET=here"}; !slices.Equal(p.spec.Env, want) {
		t.Errorf("got environment %q, want %q", p.spec.Env, want)
	}
}

func TestUsageErrors(t *testing.T) {
	for name, args := range map[string][]string{
		"no kernel":    {"run", "--", "true"},
		"no command":   {"run", "--kernel", "6.12", "--"},
		"bad mount":    {"run", "--kernel", "6.12", "--mount", "ext4", "--", "true"},
		"bad file":     {"run", "--kernel", "6.12", "--file", "/a", "--", "true"},
		"bad fetch":    {"run", "--kernel", "6.12", "--fetch-file", ":/a", "--", "true"},
		"a directory":  {"run", "--kernel", "6.12", "--", "./"},
		"bad QEMU":     {"qemu", "--qemu", "7.2"},
		"unknown flag": {"run", "--kvm"},
		"no series":    {"fetch"},
		"unknown verb": {"boot"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(context.Background(), args, &stdout, &stderr); code != codeSetup {
				t.Errorf("got exit code %d, want %d", code, codeSetup)
			}
			if !strings.HasPrefix(stderr.String(), "vm: ") || strings.Count(stderr.String(), "\n") != 1 {
				t.Errorf("got stderr %q, want one line", stderr.String())
			}
		})
	}
}

// TestCommandFlagsAreItsOwn checks that run takes no flag after the command.
func TestCommandFlagsAreItsOwn(t *testing.T) {
	cmd := runCommand()
	if err := cmd.ParseFlags([]string{"--kernel", "6.12", "sh", "--kernel", "7.3"}); err != nil {
		t.Fatal(err)
	}
	if got := cmd.Flags().Args(); !slices.Equal(got, []string{"sh", "--kernel", "7.3"}) {
		t.Errorf("got command %q", got)
	}
}
