package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// selftests compiles the programs of the kernel's BPF selftests.
type selftests struct {
	builder
	dir   string   // tools/testing/selftests/bpf in the unpacked source
	flags []string // of the compiler
}

// unpacked is what of the kernel's source the programs need.
var unpacked = []string{
	"tools/testing/selftests/bpf",
	"tools/lib/bpf",
	"tools/include",
	"scripts/bpf_doc.py",
}

// prepareSelftests unpacks the kernel's source into dir, and makes the headers that its
// build would make there: the helpers' declarations from their documentation, and the
// kernel's types from a running kernel.
func (b builder) prepareSelftests(ctx context.Context, src sources, dir string) (selftests, error) {
	s := selftests{builder: b, dir: filepath.Join(dir, "tools/testing/selftests/bpf")}
	headers := filepath.Join(dir, "include")
	if err := os.MkdirAll(filepath.Join(headers, "bpf"), 0o755); err != nil {
		return s, err
	}
	if err := b.unpackSource(ctx, src.kernel, dir); err != nil {
		return s, err
	}
	helpers, err := output(ctx, dir, "python3", "scripts/bpf_doc.py", "--header", "--file", "tools/include/uapi/linux/bpf.h")
	if err != nil {
		return s, err
	}
	if err := os.WriteFile(filepath.Join(headers, "bpf/bpf_helper_defs.h"), []byte(helpers), 0o644); err != nil {
		return s, err
	}
	library, err := filepath.Glob(filepath.Join(dir, "tools/lib/bpf/*.h"))
	if err != nil {
		return s, err
	}
	for _, header := range library {
		if err := os.Symlink(header, filepath.Join(headers, "bpf", filepath.Base(header))); err != nil {
			return s, err
		}
	}
	if err := b.dumpTypes(ctx, src.bpftool, filepath.Join(headers, "vmlinux.h")); err != nil {
		return s, err
	}
	resources, err := output(ctx, "", b.clang, "-print-resource-dir")
	if err != nil {
		return s, err
	}
	// As the selftests' Makefile has it, with the paths of a 64-bit PC.
	s.flags = []string{
		"-g", "-O2", "--target=bpfel", "-mcpu=v3", "-w", "-D__TARGET_ARCH_x86",
		"-I" + headers, "-I" + s.dir, "-I" + filepath.Join(dir, "tools/include/uapi"),
		"-I" + filepath.Join(dir, "tools/include"), "-I" + filepath.Join(s.dir, "libarena/include"),
		"-std=gnu11", "-fno-strict-aliasing", "-fms-extensions",
	}
	for _, system := range []string{filepath.Join(resources, "include"), "/usr/local/include", "/usr/include/x86_64-linux-gnu", "/usr/include"} {
		s.flags = append(s.flags, "-idirafter", system)
	}
	return s, nil
}

// unpackSource unpacks what is needed of the source in the tree of a linux-source
// package.
func (b builder) unpackSource(ctx context.Context, tree, dir string) error {
	archive := filepath.Join(tree, "usr/src/linux-source-"+b.series+".tar.xz")
	args := []string{"--extract", "--xz", "--file", archive, "--directory", dir, "--strip-components=1", "--wildcards"}
	for _, path := range unpacked {
		args = append(args, "*/"+path)
	}
	_, err := output(ctx, "", "tar", args...)
	return err
}

// dumpTypes writes the types of the kernel as a header. They are those of a guest: the
// image on disk has them compressed, in one of several ways.
func (b builder) dumpTypes(ctx context.Context, tree, header string) error {
	types := filepath.Join(filepath.Dir(header), "vmlinux.btf")
	_, err := output(ctx, "", b.vm, "run", "--kernel", b.series, "--no-verialloc",
		"--fetch-file", "/sys/kernel/btf/vmlinux:"+types, "--", "true")
	if err != nil {
		return err
	}
	text, err := output(ctx, "", filepath.Join(tree, "usr/lib64/ld-linux-x86-64.so.2"),
		"--library-path", filepath.Join(tree, "usr/lib/x86_64-linux-gnu"),
		filepath.Join(tree, "usr/sbin/bpftool"), "btf", "dump", "file", types, "format", "c")
	if err != nil {
		return err
	}
	return os.WriteFile(header, []byte(text), 0o644)
}

// compileAll compiles the programs into a directory of objects, on all CPUs, and returns
// how many it compiled and a line for each that it did not.
func (s selftests) compileAll(ctx context.Context, objects string) (compiled int, leftOut []string, err error) {
	programs, err := filepath.Glob(filepath.Join(s.dir, "progs/*.c"))
	if err != nil || len(programs) == 0 {
		return 0, nil, errors.Join(err, fmt.Errorf("%s has no programs", s.dir))
	}
	if !s.all {
		programs = slices.DeleteFunc(programs, func(program string) bool { return !isSelected(objectName(program)) })
	}
	todo := make(chan string)
	var mu sync.Mutex
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for program := range todo {
				why := s.compile(ctx, program, objects)
				mu.Lock()
				if why == "" {
					compiled++
				} else {
					leftOut = append(leftOut, why)
				}
				mu.Unlock()
			}
		})
	}
	for _, program := range programs {
		todo <- program
	}
	close(todo)
	workers.Wait()
	slices.Sort(leftOut)
	return compiled, leftOut, ctx.Err()
}

// objectName returns the file name of the object that a program is compiled into.
func objectName(program string) string {
	return strings.TrimSuffix(filepath.Base(program), ".c") + ".bpf.o"
}

// compile compiles one program, and removes the debug information, which is 90% of the
// object and not what a loader reads. It returns why it could not.
func (s selftests) compile(ctx context.Context, program, objects string) string {
	object := filepath.Join(objects, objectName(program))
	args := s.flags
	switch filepath.Base(program) {
	case "test_l4lb_noinline.c", "test_xdp_noinline.c":
		args = append(slices.Clip(args), "-fno-inline")
	}
	cmd := exec.CommandContext(ctx, s.clang, append(slices.Clip(args), "-c", program, "-o", object)...)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		out, err = exec.CommandContext(ctx, s.strip, "--strip-debug", object).CombinedOutput()
	}
	if err == nil {
		return ""
	}
	os.Remove(object)
	return filepath.Base(program) + ": " + firstError(string(out), err)
}

// firstError returns the first line of a compiler's output that has an error.
func firstError(out string, err error) string {
	for lines := bufio.NewScanner(strings.NewReader(out)); lines.Scan(); {
		if _, text, found := strings.Cut(lines.Text(), "error: "); found {
			return text
		}
	}
	return err.Error()
}
