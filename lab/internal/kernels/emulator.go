package kernels

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// emulator is the package that has QEMU for amd64 guests.
const emulator = "qemu-system-x86"

// retryAfter is how long a failure to bring QEMU holds: every run would otherwise
// wait for an archive that is not there.
const retryAfter = time.Hour

// Emulator returns the tree with Debian's newest QEMU, brought when the cache has
// none. Only then, or with refresh, is the archive asked.
//
// After a failure it fails at once for an hour, except with refresh.
func (c *Cache) Emulator(ctx context.Context, refresh bool) (string, error) {
	if runtime.GOARCH != "amd64" {
		return "", fmt.Errorf("the archive's %s for amd64 does not run on %s", emulator, runtime.GOARCH)
	}
	if tree, err := c.emulatorTree(); err == nil && !refresh {
		return tree, nil
	}
	unlock, err := c.Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if tree, err := c.emulatorTree(); err == nil && !refresh {
		return tree, nil // brought by another process meanwhile
	}
	failure := filepath.Join(c.dir, "emulator.failed")
	if info, err := os.Stat(failure); err == nil && !refresh && time.Since(info.ModTime()) < retryAfter {
		why, _ := os.ReadFile(failure)
		return "", fmt.Errorf("%s, and it is not tried again before %s", why, info.ModTime().Add(retryAfter).Format(time.TimeOnly))
	}
	tree, err := c.bringTools(ctx, []string{emulator}, refresh, "QEMU, once")
	if err == nil {
		return tree, errors.Join(c.pinEmulator(tree), os.RemoveAll(failure))
	}
	if ctx.Err() == nil {
		err = errors.Join(err, os.WriteFile(failure, []byte(oneLine(err.Error())), 0o644))
	}
	return "", err
}

// emulatorLink points to the tree in use: the tree's own name changes with the
// versions that are served.
func (c *Cache) emulatorLink() string { return filepath.Join(c.dir, "emulator") }

func (c *Cache) emulatorTree() (string, error) {
	tree, err := filepath.EvalSymlinks(c.emulatorLink())
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("no %s in the cache: %w", emulator, fs.ErrNotExist)
	}
	return tree, err
}

// pinEmulator makes the link point to tree, in one step.
func (c *Cache) pinEmulator(tree string) error {
	fresh := c.emulatorLink() + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	target, err := filepath.Rel(c.dir, tree)
	if err != nil {
		return err
	}
	if err := os.Symlink(target, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, c.emulatorLink())
}
