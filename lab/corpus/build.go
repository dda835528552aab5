package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/verialloc/verialloc/internal/input"
)

// recipe changes with what is done to the sources, so that a corpus built otherwise is
// not taken for the one wanted.
const recipe = "1"

// builder builds a corpus.
type builder struct {
	vm     string // path of the built lab/vm
	series string // of the kernel
	all    bool   // every selftest, not the selected ones alone
	clang  string
	strip  string
	log    io.Writer
}

// sources are the directories that the objects come from.
type sources struct {
	xdpTools string // tree of Debian's xdp-tools
	kernel   string // tree of Debian's linux-source
	bpftool  string // tree of Debian's bpftool
	module   string // github.com/cilium/ebpf
}

// build returns the directory of the corpus: its objects are in "objects".
func (b builder) build(ctx context.Context) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache: %w: set XDG_CACHE_HOME", err)
	}
	src, err := b.sources(ctx)
	if err != nil {
		return "", err
	}
	version, err := output(ctx, "", b.clang, "--version")
	if err != nil {
		return "", err
	}
	place := func(all bool) string {
		// The trees are named by what is in them, the module's by its version.
		key := fmt.Append(nil, recipe, src, version)
		if !all {
			key = fmt.Append(key, selected)
		}
		sum := sha256.Sum256(key)
		return filepath.Join(base, "verialloc", "corpus", fmt.Sprintf("%x", sum[:8]))
	}
	for _, there := range []string{place(true), place(b.all)} { // the whole corpus has the selected objects too
		if _, err := os.Stat(there); err == nil {
			return there, nil
		}
	}
	return place(b.all), b.buildAt(ctx, src, place(b.all))
}

// sources brings what the objects are made of.
func (b builder) sources(ctx context.Context) (src sources, err error) {
	if src.xdpTools, err = b.debian(ctx, "xdp-tools"); err != nil {
		return src, err
	}
	if src.kernel, err = b.debian(ctx, "linux-source-"+b.series); err != nil {
		return src, err
	}
	if src.bpftool, err = b.debian(ctx, "bpftool"); err != nil {
		return src, err
	}
	const module = "github.com/cilium/ebpf"
	if _, err = output(ctx, "", "go", "mod", "download", module); err != nil {
		return src, err
	}
	src.module, err = output(ctx, "", "go", "list", "-m", "-f", "{{.Dir}}", module)
	return src, err
}

// debian returns the tree of a Debian package and all it depends on.
func (b builder) debian(ctx context.Context, pkg string) (string, error) {
	return output(ctx, "", b.vm, "tools", pkg)
}

// buildAt puts the whole corpus at place in one step.
func (b builder) buildAt(ctx context.Context, src sources, place string) (err error) {
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(place), ".new-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	corpus := filepath.Join(work, "corpus")
	objects := filepath.Join(corpus, "objects")
	if err := os.MkdirAll(objects, 0o755); err != nil {
		return err
	}
	fromTools, err := collect(filepath.Join(src.xdpTools, "usr/lib/x86_64-linux-gnu/bpf"), ".o", objects)
	if err != nil {
		return err
	}
	// The other half of these files is for machines of the other byte order.
	fromModule, err := collect(src.module, "-el.elf", objects)
	if err != nil {
		return err
	}
	s, err := b.prepareSelftests(ctx, src, filepath.Join(work, "linux"))
	if err != nil {
		return err
	}
	compiled, leftOut, err := s.compileAll(ctx, objects)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.log, "corpus: %d objects of xdp-tools, %d of cilium/ebpf, %d of the kernel's selftests; %d did not compile\n",
		fromTools, fromModule, compiled, len(leftOut))
	for _, line := range leftOut {
		fmt.Fprintln(b.log, "corpus: left out:", line)
	}
	text := strings.Join(append(leftOut, ""), "\n")
	if err := os.WriteFile(filepath.Join(corpus, "left-out.txt"), []byte(text), 0o644); err != nil {
		return err
	}
	err = os.Rename(corpus, place)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was as fast
	}
	return err
}

// collect copies the files below dir whose name has the ending into objects, and counts
// them. veristat knows a file by its base name alone, so that has to be unique.
func collect(dir, ending, objects string) (count int, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !strings.HasSuffix(path, ending) {
			return err
		}
		content, err := input.Object.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := os.OpenFile(filepath.Join(objects, filepath.Base(path)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		count++
		_, err = f.Write(content)
		return errors.Join(err, f.Close())
	})
	if err == nil && count == 0 {
		err = fmt.Errorf("%s has no files *%s", dir, ending)
	}
	return count, err
}

// output runs a program and returns what it prints, without the last line's end.
func output(ctx context.Context, dir, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(program), err, strings.TrimSpace(complaints.String()))
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}
