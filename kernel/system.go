package kernel

import (
	"errors"
	"io/fs"
	"os"

	"github.com/verialloc/verialloc/tracer/record"
)

// System is which kernel runs, how it was booted, and what it runs on.
type System struct {
	CommandLine  Fact[string] // the whole, with what is for init
	BuildID      Fact[string] // in hexadecimal
	ConfigSHA256 Fact[string] // of the configuration's text
	ClockSource  Fact[string]
	Hypervisor   Fact[string] // TCG, KVM or another one's name, or none
	ICount       Fact[string] // off, or shift=N: see icount
	BootID       Fact[string]
}

// ReadSystem reads what the running machine shows. It takes no privilege.
func ReadSystem() System {
	root := os.DirFS("/")
	release, err := ReadRelease()
	config := Config{why: err}
	if err == nil {
		config = readConfig(root, release.Name)
	}
	return readSystem(root, config, thisProcessor())
}

func readSystem(root fs.FS, config Config, p processor) System {
	hypervisor := p.hypervisor()
	return System{
		CommandLine:  readCommandLine(root),
		BuildID:      readBuildID(root),
		ConfigSHA256: config.SHA256(),
		ClockSource:  readClockSource(root),
		Hypervisor:   hypervisor,
		ICount:       p.icount(hypervisor),
		BootID:       readBootID(root),
	}
}

// Record returns the members of a record, the reason of each that has no value, and which
// of these are known not to exist.
func (s System) Record() (members record.System, why map[string]string, nonexistent []string) {
	n := notes{why: map[string]string{}}
	members = record.System{
		KernelCommandLine: take(&n, "kernel_command_line", s.CommandLine),
		KernelBuildID:     take(&n, "kernel_build_id", s.BuildID),
		ConfigSHA256:      take(&n, "config_sha256", s.ConfigSHA256),
		ClockSource:       take(&n, "clock_source", s.ClockSource),
		Hypervisor:        take(&n, "hypervisor", s.Hypervisor),
		ICount:            take(&n, "icount", s.ICount),
		BootID:            take(&n, "boot_id", s.BootID),
	}
	return members, n.why, n.nonexistent
}

// readClockSource reads what the kernel keeps time by, such as tsc or kvm-clock.
func readClockSource(root fs.FS) Fact[string] {
	return readKnown(root, "sys/devices/system/clocksource/clocksource0/current_clocksource")
}

// readBootID reads a name that the kernel makes up at each boot.
func readBootID(root fs.FS) Fact[string] {
	return readKnown(root, "proc/sys/kernel/random/boot_id")
}

// readKnown reads a file of one line that every kernel has.
func readKnown(root fs.FS, path string) Fact[string] {
	text, err := readLine(root, path)
	switch {
	case err != nil:
		return Unknown[string](err)
	case text == "":
		return Unknown[string](errors.New("/" + path + " is empty"))
	default:
		return Known(text)
	}
}
