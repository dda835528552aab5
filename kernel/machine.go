package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

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
	describe(&m, os.DirFS("/"))
	return m, nil
}

// describe fills in what the file system root has of a machine whose kernel is known.
func describe(m *record.Machine, root fs.FS) {
	m.Head = record.NewHead(record.KindMachine)
	m.Absent = map[string]string{}
	absent := func(member string, err error) {
		if err != nil {
			m.Absent[member] = err.Error()
		}
	}
	cmdline, err := readLine(root, "proc/cmdline")
	absent("boot_options", err)
	m.BootOptions = relevantOptions(cmdline)

	config := readConfig(root, m.Kernel)
	absent("config", config.Why())
	m.Config = config.relevant()

	online, err := readOnline(root)
	absent("cpus", err)
	m.CPUs = len(online)
	m.CPUModel, err = readModel(root)
	absent("cpu_model", err)
	m.Governor, err = readGovernor(root)
	absent("cpu_governor", err)
	m.Mitigations, err = readMitigations(root)
	absent("mitigations", err)
	m.Preemption, err = preemption(root, m, config)
	absent("preemption", err)

	var slab *slab
	slab, err = readSlab(root)
	absent("slab_caches", err)
	m.SlabCaches = slab.caches()
	m.SlabMerging, err = slabMerging(slab, m.BootOptions, config)
	absent("slab_merging", err)
}

// readLine returns a file's text without the white space around it.
func readLine(root fs.FS, path string) (string, error) {
	text, err := fs.ReadFile(root, path)
	return strings.TrimSpace(string(text)), named(err)
}

// named gives the error of a path below the root the path that people know.
func named(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("/%s: %w", path.Path, path.Err)
	}
	return err
}

// readMitigations reads what the kernel does about each vulnerability of the CPU.
func readMitigations(root fs.FS) (map[string]string, error) {
	const dir = "sys/devices/system/cpu/vulnerabilities"
	mitigations := map[string]string{}
	entries, err := fs.ReadDir(root, dir)
	for _, entry := range entries {
		text, lineErr := readLine(root, dir+"/"+entry.Name())
		if lineErr != nil {
			return mitigations, lineErr
		}
		mitigations[entry.Name()] = text
	}
	return mitigations, named(err)
}

// readModel reads the name of the first CPU.
func readModel(root fs.FS) (string, error) {
	text, err := fs.ReadFile(root, "proc/cpuinfo")
	if err != nil {
		return "", named(err)
	}
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value), nil
		}
	}
	return "", errors.New("/proc/cpuinfo has no model name")
}

// readGovernor reads the governors of cpufreq, each once, with a comma between.
func readGovernor(root fs.FS) (string, error) {
	paths, err := fs.Glob(root, "sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")
	if err != nil {
		return "", err
	}
	var governors []string
	for _, path := range paths {
		governor, err := readLine(root, path)
		if err != nil {
			return "", err
		}
		if !slices.Contains(governors, governor) {
			governors = append(governors, governor)
		}
	}
	if len(governors) == 0 {
		return "", errors.New("the kernel has no cpufreq for these CPUs")
	}
	slices.Sort(governors)
	return strings.Join(governors, ","), nil
}

// readOnline reads which CPUs are online.
func readOnline(root fs.FS) ([]int, error) {
	text, err := readLine(root, "sys/devices/system/cpu/online")
	if err != nil {
		return nil, err
	}
	cpus, err := ParseCPUs(text)
	if err != nil {
		return nil, fmt.Errorf("/sys/devices/system/cpu/online: %w", err)
	}
	return cpus, nil
}

// maxCPU is beyond what Linux can be built for.
const maxCPU = 1 << 16

// ParseCPUs reads a list of CPUs as the kernel writes them, such as 0,2-4. The
// result is in ascending order, without duplicates.
func ParseCPUs(text string) ([]int, error) {
	var cpus []int
	for part := range strings.SplitSeq(text, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		first, err := strconv.ParseUint(low, 10, 32)
		last, lastErr := strconv.ParseUint(high, 10, 32)
		if errors.Join(err, lastErr) != nil || first > last || last >= maxCPU {
			return nil, fmt.Errorf("CPU list %q: want numbers and ranges such as 0,2-4", text)
		}
		for cpu := first; cpu <= last; cpu++ {
			cpus = append(cpus, int(cpu))
		}
	}
	slices.Sort(cpus)
	return slices.Compact(cpus), nil
}
