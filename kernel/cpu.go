package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/internal/input"
)

const cpuDir = "sys/devices/system/cpu"

// readMitigations reads what the kernel does about each vulnerability of the CPU. It is
// absent on a kernel that does not say (before 4.15, 87590ce6e373, and on architectures
// without CONFIG_GENERIC_CPU_VULNERABILITIES).
func readMitigations(root fs.FS) Fact[map[string]string] {
	const dir = cpuDir + "/vulnerabilities"
	entries, err := fs.ReadDir(root, dir)
	if err != nil {
		if _, cpuErr := fs.Stat(root, cpuDir); cpuErr == nil && errors.Is(err, fs.ErrNotExist) {
			return Absent[map[string]string](named(err))
		}
		return Unknown[map[string]string](named(err))
	}
	mitigations := map[string]string{}
	for _, entry := range entries {
		text, err := readLine(root, dir+"/"+entry.Name())
		if err != nil {
			return Unknown[map[string]string](err)
		}
		mitigations[entry.Name()] = text
	}
	return Known(mitigations)
}

// readModel reads the name of the first CPU. Not every architecture gives it one.
func readModel(root fs.FS) Fact[string] {
	text, err := input.Kernel.ReadFileIn(root, "proc/cpuinfo")
	if err != nil {
		return Unknown[string](named(err))
	}
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == "model name" {
			return Known(strings.TrimSpace(value))
		}
	}
	return Unknown[string](errors.New("/proc/cpuinfo has no model name"))
}

// readGovernor reads the governors of cpufreq without duplicates, with a comma between
// them.
func readGovernor(root fs.FS) Fact[string] {
	paths, err := fs.Glob(root, cpuDir+"/cpu[0-9]*/cpufreq/scaling_governor")
	if err != nil {
		return Unknown[string](err)
	}
	var governors []string
	for _, path := range paths {
		governor, err := readLine(root, path)
		if err != nil {
			return Unknown[string](err)
		}
		if !slices.Contains(governors, governor) {
			governors = append(governors, governor)
		}
	}
	if len(governors) == 0 {
		if _, err := fs.Stat(root, cpuDir); err != nil {
			return Unknown[string](named(err))
		}
		return Absent[string](errors.New("the kernel has no cpufreq for these CPUs"))
	}
	slices.Sort(governors)
	return Known(strings.Join(governors, ","))
}

// readOnline reads which CPUs are online.
func readOnline(root fs.FS) Fact[[]int] {
	const path = cpuDir + "/online"
	text, err := readLine(root, path)
	if err != nil {
		return Unknown[[]int](err)
	}
	cpus, err := ParseCPUs(text)
	if err != nil {
		return Unknown[[]int](fmt.Errorf("/%s: %w", path, err))
	}
	return Known(cpus)
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
