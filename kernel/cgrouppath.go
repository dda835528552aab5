package kernel

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/internal/input"
)

// Cgroups finds groups of cgroup2 by their ids, as this process's mount namespace shows
// them.
type Cgroups struct {
	mount *os.File
	point string // where it is mounted
	root  string // what is mounted there
}

// OpenCgroups opens the file system. It is absent if none is mounted.
func OpenCgroups() Fact[*Cgroups] {
	mounts, err := input.Kernel.Open("/proc/self/mountinfo")
	if err != nil {
		return Unknown[*Cgroups](err)
	}
	defer mounts.Close()
	return openCgroups(mounts)
}

func openCgroups(mounts io.Reader) Fact[*Cgroups] {
	mounted, err := cgroup2Mounts(mounts)
	if err != nil {
		return Unknown[*Cgroups](err)
	}
	if len(mounted) == 0 {
		return Absent[*Cgroups](errNoCgroup2)
	}
	// Best all of it: a part may be mounted as well, as into a container's directory.
	whole := slices.IndexFunc(mounted, func(m *mountinfo.Info) bool { return m.Root == "/" })
	shown := mounted[max(whole, 0)]
	c := &Cgroups{point: shown.Mountpoint, root: shown.Root}
	// A path alone (O_PATH) is not enough for open_by_handle_at.
	if c.mount, err = os.OpenFile(c.point, os.O_RDONLY|syscall.O_DIRECTORY, 0); err != nil {
		return Unknown[*Cgroups](err)
	}
	return Known(c)
}

// Close releases the file system.
func (c *Cgroups) Close() error { return c.mount.Close() }

// handleKernfs is FILEID_KERNFS: such a handle is a group's id, from 5.5 on.
const handleKernfs = 0xfe

// Path returns the path of the group with an id, which the process pid is or was in. It
// fails if the group was removed, or cannot be seen.
func (c *Cgroups) Path(id uint64, pid uint32) (string, error) {
	handle := unix.NewFileHandle(handleKernfs, binary.NativeEndian.AppendUint64(nil, id))
	fd, err := unix.OpenByHandleAt(int(c.mount.Fd()), handle, unix.O_PATH|unix.O_CLOEXEC)
	if err != nil {
		// It takes CAP_DAC_READ_SEARCH.
		return c.pathOf(id, pid)
	}
	defer unix.Close(fd)
	name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return "", err
	}
	within, ok := strings.CutPrefix(name, strings.TrimSuffix(c.point, "/"))
	if !ok || within != "" && within[0] != '/' || strings.HasSuffix(name, " (deleted)") {
		return "", fmt.Errorf("control group %d is not below %s", id, c.point)
	}
	return filepath.Join(c.root, within), nil
}

// pathOf returns the path of the group that a process is in, if that is the one meant.
func (c *Cgroups) pathOf(id uint64, pid uint32) (string, error) {
	groups, err := input.Kernel.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return "", err
	}
	name, ok := ownCgroup(string(groups))
	if !ok {
		return "", fmt.Errorf("process %d is in no group of cgroup2", pid)
	}
	within, err := filepath.Rel(c.root, name)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(filepath.Join(c.point, within))
	if err != nil {
		return "", err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || stat.Ino != id {
		return "", fmt.Errorf("process %d is in another control group than %d", pid, id)
	}
	return name, nil
}

// containerPrefixes are what runtimes put ahead of a container's id. Their monitors
// (libpod-conmon-, crio-conmon-) are not in the container.
var containerPrefixes = []string{"docker-", "cri-containerd-", "containerd-", "nerdctl-", "libpod-payload-", "libpod-", "crio-"}

// containerIDLength is the number of hexadecimal digits that all of them use.
const containerIDLength = 64

// ContainerID returns the id of the innermost container whose group a path is in; empty if
// it is in none that shows.
func ContainerID(path string) string {
	elements := strings.Split(path, "/")
	for i := len(elements) - 1; i >= 0; i-- {
		name := strings.TrimSuffix(elements[i], ".scope")
		// SLICE:cri-containerd:ID, where the runtime and systemd do not go together.
		name = name[strings.LastIndexByte(name, ':')+1:]
		for _, prefix := range containerPrefixes {
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				name = rest
				break
			}
		}
		if len(name) == containerIDLength && strings.Trim(name, "0123456789abcdef") == "" {
			return name
		}
	}
	return ""
}
