package workload

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
)

func TestCgroupMount(t *testing.T) {
	for _, tt := range []struct {
		mountinfo, mount, root string
		ok                     bool
	}{
		{"25 1 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n", "/sys/fs/cgroup", "/", true},
		{"1 1 0:1 / / rw - ext4 /dev/vda rw\n25 1 0:22 /a/b /my\\040cgroup rw - cgroup2 none rw\n", "/my cgroup", "/a/b", true},
		{"25 1 0:22 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", "", "", false},
		{"25 1 0:22 / /x rw", "", "", false},
		{"", "", "", false},
	} {
		mount, root, ok := cgroupMount(tt.mountinfo)
		if mount != tt.mount || root != tt.root || ok != tt.ok {
			t.Errorf("%q: %q, %q, %v", tt.mountinfo, mount, root, ok)
		}
	}
}

func TestOwnCgroup(t *testing.T) {
	if group, ok := ownCgroup("4:memory:/x\n0::/user.slice/a b\n"); !ok || group != "/user.slice/a b" {
		t.Errorf("%q, %v", group, ok)
	}
	if group, ok := ownCgroup("4:memory:/x\n"); ok {
		t.Errorf("%q", group)
	}
}

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

// TestLiveCgroup measures loads where there is a control group to do it in, and goes
// back to where it came from.
func TestLiveCgroup(t *testing.T) {
	requireLive(t)
	before, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	memory := EnterCgroup()
	inside, _ := os.ReadFile("/proc/self/cgroup")
	counters := OpenCounters(memory)
	small, large := peakOf(t, Stress(10), counters), peakOf(t, Stress(4000), counters)
	long := peakOf(t, Large(8000), counters)
	if err := counters.Close(); err != nil {
		t.Error(err)
	}
	if err := memory.Leave(); err != nil {
		t.Error(err)
	}
	after, _ := os.ReadFile("/proc/self/cgroup")
	if string(after) != string(before) {
		t.Errorf("in %q before and %q after", before, after)
	}
	if small.Absent != "" {
		if string(inside) != string(before) {
			t.Errorf("in %q, but %s", inside, small.Absent)
		}
		t.Logf("not measured: %s", small.Absent)
		return
	}
	if !strings.Contains(string(inside), "verialloc") {
		t.Errorf("in %q", inside)
	}
	left, err := filepath.Glob(filepath.Join(memory.mount, fmt.Sprintf("verialloc-%d-*", os.Getpid())))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
	t.Logf("10 branches: %d bytes, 4000: %d; 80,000 instructions: %d", small.Value, large.Value, long.Value)
	// The kernel's copy of the instructions, of eight bytes each, is charged by all
	// kernels, but for what a batch of 64 pages has covered before.
	if long.Value < 80_000*8-64*4096 || long.Value > 1<<30 {
		t.Errorf("80,000 instructions: %d bytes", long.Value)
	}
	running, err := RunningKernel()
	if err != nil {
		t.Fatal(err)
	}
	// Before 6.18 the verifier's states are not charged, and what is charged fits into
	// what the group has been charged for already.
	if running.Has(Kernel{6, 18}) && (large.Value <= small.Value || large.Value < 1<<20) || large.Value > 1<<30 {
		t.Errorf("10 branches: %d bytes, 4000: %d", small.Value, large.Value)
	}
}

// TestLiveCgroupGone leaves when the control group that the process came from was removed.
func TestLiveCgroupGone(t *testing.T) {
	requireLive(t)
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
	requireLive(t)
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
