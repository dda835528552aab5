package qemu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// program is QEMU itself.
const program = "qemu-system-x86_64"

// Emulator is a QEMU that can be started.
type Emulator struct {
	Version string   // such as 11.1.3
	Origin  string   // where it comes from
	program string   // QEMU's own file
	command []string // what starts it, before the arguments of a machine
	env     []string
}

func (e Emulator) String() string { return fmt.Sprintf("QEMU %s (%s)", e.Version, e.Origin) }

// Program returns the path of QEMU's own file.
func (e Emulator) Program() string { return e.program }

// TwoCPUs reports whether guests with more than one CPU are known to boot. Under 7.2
// they die while the kernel patches its own code, with an int3 in the console;
// under 11.1.3 6.12, 6.19 and 7.3 boot.
func (e Emulator) TwoCPUs() bool { return e.atLeast(11) }

// atLeast reports whether the version is that of a major one or a later.
func (e Emulator) atLeast(major int) bool {
	first, _, _ := strings.Cut(e.Version, ".")
	n, err := strconv.Atoi(first)
	return err == nil && n >= major
}

// Installed returns the QEMU of this machine.
func Installed(ctx context.Context) (Emulator, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return Emulator{}, errors.New(program + " is missing: install the Debian package qemu-system-x86")
	}
	e := Emulator{Origin: "this machine's", program: path, command: []string{path}, env: os.Environ()}
	return e, e.findVersion(ctx)
}

// loaders are where an unpacked C library has the dynamic loader, below the tree.
var loaders = []string{
	"usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "usr/lib64/ld-linux-x86-64.so.2",
	"lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "lib64/ld-linux-x86-64.so.2",
}

// InTree returns the QEMU in a tree of unpacked packages, which needs no library of
// this machine: the tree's own dynamic loader starts it.
func InTree(ctx context.Context, tree string) (Emulator, error) {
	below := func(name string) string { return filepath.Join(tree, name) }
	for _, loader := range loaders {
		if _, err := os.Stat(below(loader)); err != nil {
			continue
		}
		const libraries = "lib/x86_64-linux-gnu"
		usr := below("usr/" + libraries)
		e := Emulator{
			Origin:  "Debian's archive",
			program: below("usr/bin/" + program),
			command: []string{
				below(loader), "--inhibit-cache", "--library-path", usr + ":" + below(libraries), below("usr/bin/" + program),
				"-L", below("usr/share/qemu"), "-L", below("usr/share/seabios"),
			},
			env: []string{"QEMU_MODULE_DIR=" + filepath.Join(usr, "qemu")},
		}
		for _, kv := range os.Environ() {
			if !strings.HasPrefix(kv, "LD_") { // meant for this machine's libraries
				e.env = append(e.env, kv)
			}
		}
		return e, e.findVersion(ctx)
	}
	return Emulator{}, fmt.Errorf("%s has no dynamic loader", tree)
}

var versionForm = regexp.MustCompile(`(?m)^QEMU emulator version (\d+(?:\.\d+)+)`)

func (e *Emulator) findVersion(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, e.command[0], append(e.command[1:len(e.command):len(e.command)], "--version")...)
	cmd.Env = e.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s --version: %w: %s", program, err, strings.TrimSpace(string(out)))
	}
	m := versionForm.FindSubmatch(out)
	if m == nil {
		return fmt.Errorf("%s --version: no version in %q", program, out)
	}
	e.Version = string(m[1])
	return nil
}
