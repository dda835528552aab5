package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// With --duration the loads of a daemon are traced, which has left its parents, its session
// and COMMAND, and loads once that has ended.
func TestLiveDaemon(t *testing.T) {
	requireLive(t)
	name, open := fifo(t)
	feed := filepath.Join(t.TempDir(), "feed")
	const script = `(sh -c ': <"$0"; exec "$1" stress --branches 10' "$0" "$1" >/dev/null 2>&1 &)`
	cmd := exec.CommandContext(t.Context(), self(t), "trace", "-o", "jsonl", "--output", feed, "--duration", "10h",
		"--", "sh", "-c", script, name, self(t))
	cmd.Env = append(cmd.Environ(), mainEnv+"=1")
	var stderr lockedBuffer
	cmd.Stderr = &stderr
	once(func() bool { return strings.Contains(stderr.String(), "the tracing goes on") }, open)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v:\n%s", err, stderr.String())
	}
	text, err := os.ReadFile(feed)
	if err != nil {
		t.Fatal(err)
	}
	if _, verifications, _ := readFeed(t, string(text)); len(verifications) != 1 || verifications[0].ProgName != "stress" {
		t.Errorf("%d records of one load:\n%s", len(verifications), stderr.String())
	}
}
