package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/verialloc/verialloc/lab/internal/initramfs"
)

// buildImage writes the initramfs of a plan to a file that has no name any
// more: nothing of it stays behind, however the runner ends.
func buildImage(ctx context.Context, p plan) (*os.File, error) {
	temp, err := os.MkdirTemp("", "verialloc-vm-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	programs, err := buildPrograms(ctx, temp, p.verialloc)
	if err != nil {
		return nil, err
	}
	image := initramfs.New()
	if err := image.AddBase(); err != nil {
		return nil, err
	}
	for _, f := range slices.Concat(programs, p.files) {
		if err := image.Copy(f.host, f.guest); err != nil {
			return nil, err
		}
	}
	if err := image.AddSpec(p.spec); err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(temp, "initramfs"))
	if err != nil {
		return nil, err
	}
	buffered := bufio.NewWriterSize(f, 1<<20)
	if err := cmp.Or(image.Write(buffered), buffered.Flush()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// module is this module: the guest's own programs are built from it.
const module = "github.com/verialloc/verialloc"

// buildPrograms builds the programs of the guest into dir: the init, and with
// verialloc that too, where the module has it.
func buildPrograms(ctx context.Context, dir string, verialloc bool) ([]hostFile, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	type program struct{ pkg, guest string }
	programs := []program{{"lab/vm/init", "/init"}}
	const cmd = "cmd/verialloc"
	if sources, _ := filepath.Glob(filepath.Join(root, cmd, "*.go")); verialloc && len(sources) > 0 {
		programs = append(programs, program{cmd, "/usr/local/bin/verialloc"})
	}
	var built []hostFile
	for _, p := range programs {
		out := filepath.Join(dir, filepath.Base(p.pkg))
		// Without symbols the initramfs unpacks faster.
		if err := goBuild(ctx, root, "-buildvcs=false", "-ldflags=-s -w", "-o", out, "./"+p.pkg); err != nil {
			return nil, err
		}
		built = append(built, hostFile{out, p.guest})
	}
	return built, nil
}

// moduleRoot returns the root of this module, which the current directory has
// to be in.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}}\n{{.Dir}}").Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New("go is missing: install Go, the guest's init is built with it")
	}
	path, dir, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if err != nil || path != module {
		return "", fmt.Errorf("the current directory is not in module %s: run vm in a checkout of it", module)
	}
	return dir, nil
}

// goBuild runs go build at root, for static programs of the guest.
func goBuild(ctx context.Context, root string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build"}, args...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s for the guest: %w\n%s", args[len(args)-1], err, bytes.TrimSpace(out))
	}
	return nil
}
