package kernel

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/sys/mountinfo"

	"github.com/verialloc/verialloc/internal/input"
)

// Cgroup says where the control groups of version 2 are, as this process sees them.
type Cgroup struct {
	Mount string // directory of the file system's root, in this process's mount namespace
	Own   string // directory of the group that the process is in
}

// FindCgroup looks for this process's group of cgroup2. It is absent if no such file system
// is mounted, or if the process is in a group that none of the mounted ones shows.
func FindCgroup() Fact[Cgroup] {
	mounts, err := input.Kernel.Open("/proc/self/mountinfo")
	if err != nil {
		return Unknown[Cgroup](err)
	}
	defer mounts.Close()
	groups, err := input.Kernel.ReadFile("/proc/self/cgroup")
	if err != nil {
		return Unknown[Cgroup](err)
	}
	return findCgroup(mounts, string(groups))
}

// cgroup2Mounts lists what is mounted of cgroup2.
func cgroup2Mounts(mounts io.Reader) ([]*mountinfo.Info, error) {
	mounted, err := mountinfo.GetMountsFromReader(mounts, mountinfo.FSTypeFilter("cgroup2"))
	if err != nil {
		return nil, fmt.Errorf("/proc/self/mountinfo: %w", err)
	}
	return mounted, nil
}

var errNoCgroup2 = errors.New("no cgroup2 file system is mounted")

func findCgroup(mounts io.Reader, groups string) Fact[Cgroup] {
	mounted, err := cgroup2Mounts(mounts)
	if err != nil {
		return Unknown[Cgroup](err)
	}
	if len(mounted) == 0 {
		return Absent[Cgroup](errNoCgroup2)
	}
	own, ok := ownCgroup(groups)
	if !ok {
		return Absent[Cgroup](errors.New("the process is in no group of cgroup2"))
	}
	for _, m := range mounted {
		within, err := filepath.Rel(m.Root, own)
		if err == nil && within != ".." && !strings.HasPrefix(within, "../") {
			return Known(Cgroup{Mount: m.Mountpoint, Own: filepath.Join(m.Mountpoint, within)})
		}
	}
	return Absent[Cgroup](fmt.Errorf("the process's control group %s is not below %s", own, mounted[0].Mountpoint))
}

// ownCgroup finds a process's group of cgroup2 in its /proc/PID/cgroup.
func ownCgroup(groups string) (string, bool) {
	for line := range strings.Lines(groups) {
		if group, ok := strings.CutPrefix(line, "0::"); ok {
			return strings.TrimSuffix(group, "\n"), true
		}
	}
	return "", false
}

// Delegates reports whether groups below the file system's root have a controller, such as
// memory.
func (c Cgroup) Delegates(controller string) (bool, error) {
	controllers, err := input.Kernel.ReadFile(filepath.Join(c.Mount, "cgroup.subtree_control"))
	if err != nil {
		return false, err
	}
	return slices.Contains(strings.Fields(string(controllers)), controller), nil
}
