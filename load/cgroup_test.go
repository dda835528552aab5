package load

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/verialloc/verialloc/load/internal/loadtest"
)

func TestNoCgroup(t *testing.T) {
	g := NoCgroup("why not")
	if err := g.start(); err != nil {
		t.Fatal(err)
	}
	if c := g.stop(); c.Value != 0 || c.Absent != "why not" {
		t.Errorf("%+v", c)
	}
	if err := g.Leave(); err != nil {
		t.Error(err)
	}
}

// TestLiveCgroupGone leaves when the control group that the process came from was removed.
func TestLiveCgroupGone(t *testing.T) {
	loadtest.RequireLive(t)
	memory := EnterCgroup()
	mount, original := memory.mount, memory.original
	if memory.absent != "" {
		t.Logf("not measured: %s", memory.absent)
		return
	}
	if _, err := os.Stat(filepath.Join(mount, "cgroup.type")); err == nil {
		t.Logf("%s is not the root of its hierarchy, to which a process may always go", mount)
		return
	}
	gone := filepath.Join(mount, fmt.Sprintf("verialloc-test-%d", os.Getpid()))
	if err := errors.Join(memory.Leave(), os.Mkdir(gone, 0o755), enterGroup(gone)); err != nil {
		t.Fatal(err)
	}
	memory = EnterCgroup()
	if err := errors.Join(removeOnceEmpty(gone, time.Now().Add(time.Minute)), memory.Leave()); err != nil {
		t.Error(err)
	}
	if now, err := os.ReadFile("/proc/self/cgroup"); err != nil || !strings.HasSuffix(string(now), "0::/\n") {
		t.Errorf("in %q, %v", now, err)
	}
	if err := enterGroup(original); err != nil {
		t.Error(err)
	}
}

// TestLiveCgroupLeave leaves a control group while a thread ends in it, as a loader does.
// A thread that is ending stays in the group, which the kernel does not remove before
// that is gone.
func TestLiveCgroupLeave(t *testing.T) {
	loadtest.RequireLive(t)
	for range 200 {
		memory := EnterCgroup()
		if memory.absent != "" {
			t.Logf("not measured: %s", memory.absent)
			return
		}
		var loader sync.WaitGroup
		loader.Go(runtime.LockOSThread) // the thread ends with the goroutine
		loader.Wait()
		if err := memory.Leave(); err != nil {
			t.Fatal(err)
		}
	}
}
