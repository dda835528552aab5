package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/verialloc/verialloc/internal/input"
	"github.com/verialloc/verialloc/tracer/record"
)

// ReadMachine describes the running machine, as far as it matters to what a program load
// costs. What it cannot read is empty, and Absent says why. What is not of the machine
// (times, version, command line, counts of loads) is left to the caller.
func ReadMachine() (record.Machine, error) {
	release, err := ReadRelease()
	if err != nil {
		return record.Machine{}, err
	}
	m := record.Machine{
		Kernel:       release.Name,
		Build:        release.Build,
		Architecture: release.Architecture,
		PageBytes:    os.Getpagesize(),
	}
	describe(&m, os.DirFS("/"), thisProcessor())
	return m, nil
}

// describe fills in what the file system root has of a machine whose kernel is known.
func describe(m *record.Machine, root fs.FS, p processor) {
	m.Head = record.NewHead(record.KindMachine)
	config := readConfig(root, m.Kernel)
	system := readSystem(root, config, p)
	n := &notes{}
	m.System, n.why, n.nonexistent = system.Record()
	m.BootOptions = take(n, "boot_options", bootOptionsOf(system.CommandLine))
	if why := config.Why(); why != nil {
		n.why["config"] = why.Error()
	}
	m.Config = config.relevant()
	m.CPUs = len(take(n, "cpus", readOnline(root)))
	m.CPUModel = take(n, "cpu_model", readModel(root))
	m.Governor = take(n, "cpu_governor", readGovernor(root))
	m.Mitigations = take(n, "mitigations", readMitigations(root))
	m.Preemption = take(n, "preemption", preemption(root, m.Build, m.BootOptions, config))
	slab := readSlab(root)
	m.SlabCaches = take(n, "slab_caches", slab.caches)
	if merging := slab.merging(m.BootOptions, config); merging.IsKnown() {
		on, _ := merging.Get()
		m.SlabMerging = &on
	} else {
		take(n, "slab_merging", merging)
	}
	m.Absent, m.Nonexistent = n.why, n.nonexistent
	if m.BootOptions == nil {
		m.BootOptions = []string{}
	}
	if m.Mitigations == nil {
		m.Mitigations = map[string]string{}
	}
	if m.SlabCaches == nil {
		m.SlabCaches = []record.SlabCache{}
	}
}

// notes are why members have no value.
type notes struct {
	why         map[string]string // by member
	nonexistent []string          // members that the kernel is known not to have
}

// take returns a fact's value, and notes why there is none.
func take[T any](n *notes, member string, f Fact[T]) T {
	if why := f.Why(); why != nil {
		n.why[member] = why.Error()
	}
	if f.IsAbsent() {
		n.nonexistent = append(n.nonexistent, member)
	}
	value, _ := f.Get()
	return value
}

// readLine returns a file's text without the white space around it.
func readLine(root fs.FS, path string) (string, error) {
	text, err := input.Kernel.ReadFileIn(root, path)
	return strings.TrimSpace(string(text)), named(err)
}

// named gives the error of a path below the root the path that people know.
func named(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("/%s: %w", path.Path, path.Err)
	}
	return err
}
