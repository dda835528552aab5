package generate

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/internal/loadtest"
	"github.com/verialloc/verialloc/tracer/record/verifierlog"
)

var logsPath = flag.String("logs", "", "file to write the logs of rejected programs to, as package verifierlog has them in testdata")

// The levels of a log: statistics alone, with instructions, and with all that the verifier
// does.
var logLevels = []uint32{0, 1, 2}

// TestLiveReason compares the reason that is read from real logs with what the verifier must
// have said, at each level and in buffers that are too small.
func TestLiveReason(t *testing.T) {
	loadtest.RequireLive(t)
	running, err := kernel.RunningVersion()
	if err != nil {
		t.Fatal(err)
	}
	var logs strings.Builder
	programs, release, err := Rejections()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for _, p := range programs {
		if !running.AtLeast(p.Since) {
			continue
		}
		words := regexp.MustCompile(p.Words)
		whole := reject(t, p, load.Options{})
		want := verifierlog.Reason(whole.Log, whole.LogCut)
		if whole.LogCut || !words.MatchString(want) {
			t.Errorf("%s: %q, want %s; log:\n%s", p.Spec.Name, want, p.Words, whole.Log)
			continue
		}
		section(&logs, p.Spec.Name, 4, want, whole.Log)
		if p.Spec.Name == "too_complex" {
			continue // a trace of a million instructions takes minutes
		}
		for _, level := range logLevels {
			stats := reject(t, p, load.Options{LogLevel: level, LogSize: 16 << 20})
			if got := verifierlog.Reason(stats.Log, stats.LogCut); got != want {
				t.Errorf("%s: %q at level %d, want %q; log:\n%s", p.Spec.Name, got, level, want, end(stats.Log))
			}
			if level > 0 && len(stats.Log) < 3000 {
				section(&logs, p.Spec.Name, 4|level, want, stats.Log)
			}
			testSmallLogs(t, p, level, want, stats.Log, running.AtLeast(kernel.Version{Major: 6, Minor: 4}))
		}
	}
	if *logsPath != "" {
		if err := os.WriteFile(*logsPath, []byte(logs.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// testSmallLogs loads the program with buffers that do not hold its log.
func testSmallLogs(t *testing.T, p Rejected, level uint32, want, log string, keepsEnd bool) {
	t.Helper()
	const fixed = 8 // BPF_LOG_FIXED

	for _, size := range []int{128, 200, 256, 300, 400, 600, 1000} {
		if size+100 > len(log) {
			break // the times that it holds have other lengths each time
		}
		for _, flag := range []uint32{0, fixed} {
			if flag == fixed && !keepsEnd {
				continue // not known before 6.4
			}
			stats := reject(t, p, load.Options{LogLevel: level | flag, LogSize: size})
			if !stats.LogCut || stats.Errno != unix.ENOSPC {
				t.Errorf("%s: a log of %d bytes at level %d in %d: cut %v, errno %d", p.Spec.Name, len(log), level, size, stats.LogCut, stats.Errno)
			}
			got := verifierlog.Reason(stats.Log, stats.LogCut)
			if got != "" && !strings.Contains(want, got) && !strings.Contains(log, "\nVerification failed: "+got+"\n") {
				t.Errorf("%s: %q at level %d in %d bytes, want %q or nothing; log:\n%s", p.Spec.Name, got, level|flag, size, want, stats.Log)
			}
			if got == "" && strings.Contains(stats.Log, "\n"+strings.ReplaceAll(want, "; ", "\n")+"\nprocessed ") {
				t.Errorf("%s: nothing at level %d in %d bytes, which have it; log:\n%s", p.Spec.Name, level|flag, size, stats.Log)
			}
		}
	}
}

// reject loads a program that the verifier must reject.
func reject(t *testing.T, p Rejected, o load.Options) load.Stats {
	t.Helper()
	stats, err := load.Load(p.Spec, o)
	if err != nil {
		t.Fatal(err)
	}
	if stats.Errno == 0 {
		t.Fatalf("%s was accepted at log level %d", p.Spec.Name, o.LogLevel)
	}
	return stats
}

// section adds a log to those of testdata, without what differs from boot to boot.
func section(b *strings.Builder, name string, level uint32, reason, log string) {
	log = regexp.MustCompile(`0x[0-9a-f]{16}`).ReplaceAllString(log, "0xff110001000a0000")
	fmt.Fprintf(b, "== %s, level %d: %s\n%s", name, level, reason, log)
}

func end(log string) string { return log[max(0, len(log)-2000):] }
