package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/moby/sys/capability"

	"github.com/verialloc/verialloc/tracer/record"
)

// Without root, CAP_BPF and CAP_PERFMON are enough to trace, whether the process was given
// them or the program has them. A record is exact, or what keeps it from that is said ahead
// of it: addresses that /proc/kallsyms hides, which CAP_SYSLOG shows, or, without tracefs,
// programs that the kernel may skip.
func TestLiveCapabilitiesAlone(t *testing.T) {
	requireLive(t)
	alone := []capability.Cap{capability.CAP_BPF, capability.CAP_PERFMON}
	syslog := append(slices.Clone(alone), capability.CAP_SYSLOG)
	t.Run("ambient", func(t *testing.T) { traceAsNobody(t, "/proc/self/exe", alone) })
	t.Run("ambient with CAP_SYSLOG", func(t *testing.T) { traceAsNobody(t, "/proc/self/exe", syslog) })
	t.Run("of the file", func(t *testing.T) { traceAsNobody(t, capableFile(t, alone), nil) })
	t.Run("of the file with CAP_SYSLOG", func(t *testing.T) { traceAsNobody(t, capableFile(t, syslog), nil) })
}

// capableFile returns a copy of this binary that has capabilities, as setcap gives them.
func capableFile(t *testing.T, capabilities []capability.Cap) string {
	t.Helper()
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "verialloc")
	if err := os.WriteFile(path, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(path); dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file, err := capability.NewFile2(path)
	if err := errors.Join(err, file.Load()); err != nil {
		t.Fatal(err)
	}
	file.Set(capability.EFFECTIVE|capability.PERMITTED, capabilities...)
	if err := file.Apply(capability.CAPS); err != nil {
		t.Fatal(err)
	}
	return path
}

// traceAsNobody traces a load, both made by the program of that path, and checks that what
// is lacking is said.
func traceAsNobody(t *testing.T, path string, ambient []capability.Cap) {
	cmd := exec.CommandContext(t.Context(), path, "trace", "-o", "jsonl", "--", path, "stress", "--branches", "100")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	for _, c := range ambient {
		cmd.SysProcAttr.AmbientCaps = append(cmd.SysProcAttr.AmbientCaps, uintptr(c))
	}
	stdout, stderr, code := runCommand(t, cmd)
	if code != codeOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	environment, verifications, _ := readFeed(t, stdout)
	if len(verifications) != 1 || verifications[0].Verdict != record.VerdictAccepted || !verifications[0].ResultRead() {
		t.Fatalf("%d records:\n%s%s", len(verifications), stdout, stderr)
	}
	v := verifications[0]
	hidden := slices.ContainsFunc(environment.Lacks, func(l record.Lack) bool { return l.Name == record.LackCallSites })
	skipped := slices.ContainsFunc(environment.Lacks, func(l record.Lack) bool { return l.Kind == record.HookLedger })
	t.Logf("exact %v, call sites hidden %v, ledger may be skipped %v, latency %s", v.Exact, hidden, skipped, environment.Latency)
	if v.Exact && hidden || !v.Exact && !hidden && !skipped {
		t.Errorf("exact %v, lossy %v; lacking %v", v.Exact, v.Lossy, environment.Lacks)
	}
}
