package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/lab/internal/guest"
)

// mountBase mounts what every run has.
func mountBase() error {
	for _, m := range []struct{ kind, dir string }{
		{"proc", "/proc"},
		{"sysfs", "/sys"},
		{"devtmpfs", "/dev"},
		{"tmpfs", "/dev/shm"},
		{"devpts", "/dev/pts"},
		{"cgroup2", "/sys/fs/cgroup"},
	} {
		if err := mount(m.kind, m.dir); err != nil {
			return err
		}
	}
	// Where /dev is not udev's the links that it makes are missing.
	if err := os.Symlink("/proc/self/fd", "/dev/fd"); err != nil {
		return err
	}
	for _, dir := range []string{"/tmp", "/run"} {
		if err := mountOver(dir); err != nil {
			return err
		}
	}
	const control = "/sys/fs/cgroup/cgroup.subtree_control"
	if err := os.WriteFile(control, []byte("+memory +cpu +pids"), 0); err != nil {
		return err
	}
	return nil
}

func mount(kind, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(kind, dir, kind, 0, ""); err != nil {
		return fmt.Errorf("mount %s on %s: %w", kind, dir, err)
	}
	return nil
}

// mountOver mounts a tmpfs on dir and keeps what the image brought there: `go
// test` builds its binaries below /tmp.
func mountOver(dir string) error {
	const stage = "/mnt"
	if err := mount("tmpfs", stage); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.CopyFS(stage, os.DirFS(dir)); err != nil {
		return fmt.Errorf("move %s to a tmpfs: %w", dir, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(stage, dir, "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("mount tmpfs on %s: %w", dir, err)
	}
	return os.Chmod(dir, 0o777|fs.ModeSticky)
}

// setUp does what the spec asks for before the command.
func setUp(spec guest.Spec) error {
	for _, kind := range spec.Mounts {
		name := kind
		if kind == "bpffs" {
			name = "bpf" // the kernel's name of it
		}
		if err := mount(name, guest.Mounts[kind]); err != nil {
			return err
		}
	}
	for _, dir := range append(spec.Dirs, spec.Dir) {
		if err := os.MkdirAll(filepath.Clean(dir), 0o755); err != nil {
			return err
		}
	}
	if err := unix.Sethostname([]byte(spec.Hostname)); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	return loopbackUp()
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	return nil
}
