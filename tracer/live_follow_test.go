package tracer

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/tracer/record"
)

// adoptOrphans has this process take the place of parents that end, until the test does.
func adoptOrphans(t *testing.T) {
	t.Helper()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); err != nil {
			t.Error(err)
		}
		for { // those that have ended
			if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); pid <= 0 || err != nil {
				return
			}
		}
	})
}

// shell runs a script, whose $0 makes a load where loadEnv names one, and returns its
// output once none of its descendants has it open any more.
func shell(t *testing.T, program, script string) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script, self)
	cmd.Env = append(os.Environ(), loadEnv+"="+program)
	cmd.Stdout, cmd.Stderr = write, write
	err = cmd.Run()
	write.Close()
	if err != nil {
		t.Fatalf("the script: %v", err)
	}
	text, err := io.ReadAll(read)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each descendant is followed, whatever other tasks do meanwhile: children, grandchildren,
// and those whose parents have ended.
func TestLiveConcurrentFollow(t *testing.T) {
	requireLive(t)
	const loaders = 24
	adoptOrphans(t)
	s := trace(t, Config{Follow: true, Select: Select{Prog: "loop"}})
	busyMaps(t, 1)
	if said := shell(t, "loop", `i=0
while [ $i -lt 6 ]; do
	i=$((i+1))
	{
		"$0" &
		("$0" &)
		sh -c '"$0" & exit' "$0"
		(sh -c '("$0" &) & exit' "$0" &)
		wait
	} 2>&1 | cat # until all four have ended: a small guest has no memory for more
done`); said != "" {
		t.Errorf("the loaders said %q", said)
	}
	records := s.finish()
	pids := map[uint32]int{}
	for _, v := range records {
		pids[v.PID]++
		if v.ProgName == "" {
			t.Errorf("a load is not described: %+v", v)
		}
	}
	if len(pids) != loaders || len(records) != loaders {
		t.Errorf("%d records of %d processes, of %d loaders", len(records), len(pids), loaders)
	}
	if losses := s.Summary().Losses; record.Unrecorded(losses) {
		t.Errorf("lost: %v", losses)
	}
}

// A process is followed by whom it descends from as it loads: also one that began before
// the tracer. Others are not.
func TestLiveFollowEarlierChild(t *testing.T) {
	requireLive(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `read line; exec "$0"`, self)
	cmd.Env = append(os.Environ(), loadEnv+"=loop")
	begin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := trace(t, Config{Follow: true})
	if _, err := io.WriteString(begin, "go\n"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if v := one(t, s.finish(), "loop"); int(v.PID) != cmd.Process.Pid {
		t.Errorf("the load is of process %d, want %d", v.PID, cmd.Process.Pid)
	}
}

// A follower that gives its orphans away is told what that costs.
func TestLiveFollowWithoutReaper(t *testing.T) {
	requireLive(t)
	orphans := func() (why string) {
		s := trace(t, Config{Follow: true})
		s.finish()
		for _, l := range s.Environment().Lacks {
			if l.Name == record.LackOrphans {
				why = l.Why
			}
		}
		return why
	}
	if why := orphans(); !strings.Contains(why, "subreaper") {
		t.Errorf("without: the environment lacks %q", why)
	}
	adoptOrphans(t)
	if why := orphans(); why != "" {
		t.Errorf("as a subreaper: the environment lacks %q", why)
	}
}
