package initramfs

import (
	"bufio"
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// copyLibraries adds the ELF interpreter and the libraries of a program, under
// the names by which it asks for them. A file that is not ELF, or statically
// linked, needs none.
func (m *Image) copyLibraries(program string) error {
	dynamic, err := isDynamic(program)
	if err != nil || !dynamic {
		return err
	}
	out, err := exec.Command("ldd", program).Output()
	if err != nil {
		return fmt.Errorf("libraries of %s: ldd: %w", program, err)
	}
	libs, err := parseLdd(out)
	if err != nil {
		return fmt.Errorf("libraries of %s: %w", program, err)
	}
	for _, lib := range libs {
		info, err := os.Stat(lib)
		if err != nil {
			return fmt.Errorf("libraries of %s: %w", program, err)
		}
		m.copyFile(lib, lib, info)
	}
	return nil
}

// isDynamic reports whether a file is an ELF program with an interpreter.
func isDynamic(name string) (bool, error) {
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	prog, err := elf.NewFile(f)
	if err != nil {
		return false, nil // a script
	}
	for _, p := range prog.Progs {
		if p.Type == elf.PT_INTERP {
			return true, nil
		}
	}
	return false, nil
}

// parseLdd returns the paths in the output of ldd, whose lines are
//
//	linux-vdso.so.1 (0x…)
//	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)
//	/lib64/ld-linux-x86-64.so.2 (0x…)
func parseLdd(out []byte) ([]string, error) {
	var paths []string
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		name, path, found := strings.Cut(line, " => ")
		if !found {
			path = name
		}
		if strings.HasPrefix(path, "not found") {
			return nil, fmt.Errorf("ldd does not find %s", name)
		}
		path, _, _ = strings.Cut(path, " (")
		if strings.HasPrefix(path, "/") {
			paths = append(paths, path)
		}
	}
	return paths, nil
}
