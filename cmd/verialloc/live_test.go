package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// mainEnv makes the test binary behave as verialloc.
const mainEnv = "VERIALLOC_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(timeEnv) != "" {
		fmt.Fprintln(os.Stderr, execInTimeNamespace())
		os.Exit(codeError)
	}
	if os.Getenv(otherEnv) != "" {
		becomeNobody()
	}
	if os.Getenv(familyEnv) != "" {
		os.Exit(runWithFamily())
	}
	if os.Getenv(mainEnv) == "" {
		os.Exit(m.Run())
	}
	os.Exit(run(untilSignal(), os.Args[1:], os.Stdout, os.Stderr))
}

// verialloc runs the command on the running kernel and returns its output and
// exit code.
func verialloc(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	requireLive(t)
	return runCommand(t, exec.CommandContext(t.Context(), self(t), args...))
}

func requireLive(t *testing.T) {
	t.Helper()
	if os.Getenv("VERIALLOC_LIVE") == "" {
		t.Skip("set VERIALLOC_LIVE=1 to test on the running kernel")
	}
	if os.Geteuid() != 0 {
		t.Fatal("VERIALLOC_LIVE is set, but this is not root")
	}
}

func runCommand(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	cmd.Env = append(cmd.Environ(), mainEnv+"=1")
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

// self is a path by which other processes can run this binary.
func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func readFeed(t *testing.T, text string) (*record.Environment, []*record.Verification, *record.Summary) {
	t.Helper()
	var environment *record.Environment
	var verifications []*record.Verification
	var summary *record.Summary
	for line, err := range recording.ReadJSONL(strings.NewReader(text)) {
		if err != nil {
			t.Fatal(err)
		}
		switch r := line.(type) {
		case *record.Environment:
			environment = r
		case *record.Verification:
			verifications = append(verifications, r)
		case *record.Summary:
			summary = r
		}
	}
	if environment == nil || summary == nil {
		t.Fatalf("the feed lacks its environment or summary:\n%.2000s", text)
	}
	return environment, verifications, summary
}

// The loads of a command's grandchildren are traced, others' are not, and the
// command's exit code comes through.
func TestLiveCommand(t *testing.T) {
	stdout, stderr, code := verialloc(t, "trace", "-o", "jsonl", "--",
		"sh", "-c", `sh -c '"$0" stress --branches 100 --repeat 2' "$0"; exit 7`, self(t))
	if code != 7 {
		t.Errorf("exit code %d, want the command's 7; stderr:\n%s", code, stderr)
	}
	_, verifications, summary := readFeed(t, stdout)
	if len(verifications) != 2 {
		t.Fatalf("%d records, want 2 of two loads:\n%s", len(verifications), stderr)
	}
	for _, v := range verifications {
		if v.ProgName != "stress" || !v.Exact || v.TotalStates == 0 {
			t.Errorf("%s: exact %v, %d states, lossy %v", v.ProgName, v.Exact, v.TotalStates, v.Lossy)
		}
	}
	if summary.Verifications != 2 || summary.Exact != 2 {
		t.Errorf("summary of %d loads, %d exact", summary.Verifications, summary.Exact)
	}
}

func TestLiveTable(t *testing.T) {
	stdout, stderr, code := verialloc(t, "trace", "--by", "type", "--histogram", "--",
		self(t), "stress", "--branches", "100")
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, stderr)
	}
	for _, want := range []string{"stress", "state_list", "func_state", "accepted", "yes"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the table lacks %q:\n%s", want, stdout)
		}
	}
	if !strings.Contains(stderr, "1 of 1 verified exact") {
		t.Errorf("the summary is:\n%s", stderr)
	}
}

// --strict ends well where each class of loads is seen, and else does not begin.
func TestLiveStrict(t *testing.T) {
	stdout, stderr, _ := verialloc(t, "doctor", "-o", "json")
	var d record.Diagnosis
	if err := json.Unmarshal([]byte(stdout), &d); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	if d.UnseenLoads == nil {
		t.Error("doctor does not say which loads are not seen")
	}
	want, says := codeOK, "nothing lost"
	if len(d.UnseenLoads) > 0 {
		want, says = codeUnsupported, "not seen here"
	}
	_, stderr, code := verialloc(t, "trace", "--strict", "--", self(t), "stress", "--branches", "100")
	outcome{code: code, stderr: stderr}.want(t, want, says)
}

func TestLiveReadyFileAndOutput(t *testing.T) {
	ready, feed := filepath.Join(t.TempDir(), "ready"), filepath.Join(t.TempDir(), "feed")
	stdout, stderr, code := verialloc(t, "trace", "-o", "jsonl", "--ready-file", ready, "--output", feed, "--",
		"sh", "-c", `test -s "$1" && "$0" stress --branches 10`, self(t), ready)
	if code != 0 {
		t.Fatalf("exit code %d: the ready file was not there when the command ran:\n%s", code, stderr)
	}
	text, err := os.ReadFile(feed)
	if err != nil {
		t.Fatal(err)
	}
	if _, verifications, _ := readFeed(t, string(text)); len(verifications) != 1 {
		t.Errorf("%d records in the file", len(verifications))
	}
	if strings.Contains(stdout, record.Schema) {
		t.Errorf("the feed went to stdout as well:\n%s", stdout)
	}
}

// The error names the capabilities to whoever lacks them, and to nobody else.
func TestLivePrivileges(t *testing.T) {
	requireLive(t)
	const advice = "run verialloc as root, or with CAP_BPF and CAP_PERFMON"
	for _, c := range []struct {
		name         string
		capabilities []uintptr
		lacking      string
		named        bool
	}{
		{"none", nil, "lacks CAP_PERFMON and CAP_BPF: ", true},
		{"one", []uintptr{unix.CAP_BPF}, "lacks CAP_PERFMON: ", true},
		{"other", []uintptr{unix.CAP_PERFMON, unix.CAP_SYSLOG}, "lacks CAP_BPF: ", true},
		{"both", []uintptr{unix.CAP_BPF, unix.CAP_PERFMON}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			// Nobody may not look up the path of the binary.
			cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "trace", "--duration", "1ms")
			cmd.SysProcAttr = &syscall.SysProcAttr{
				Credential:  &syscall.Credential{Uid: 65534, Gid: 65534},
				AmbientCaps: c.capabilities,
			}
			_, stderr, code := runCommand(t, cmd)
			if named := strings.Contains(stderr, advice); named != c.named || !strings.Contains(stderr, c.lacking) {
				t.Errorf("capabilities named: %v, want %v and %q: %s", named, c.named, c.lacking, stderr)
			}
			if c.named && (code != codePermission || strings.Count(stderr, "\n") != 1) {
				t.Errorf("exit code %d, want %d and one line: %s", code, codePermission, stderr)
			}
		})
	}
}

func TestLiveDoctor(t *testing.T) {
	stdout, stderr, code := verialloc(t, "doctor")
	if code != 0 {
		t.Fatalf("exit code %d:\n%s%s", code, stdout, stderr)
	}
	kzalloc, visited := strings.Index(stdout, "kzalloc"), strings.Index(stdout, "is_state_visited")
	if first := strings.Index(stdout, "kmem_cache_zalloc"); first < 0 || first > kzalloc || kzalloc > visited {
		t.Errorf("the three names do not come first:\n%s", stdout)
	}
}
