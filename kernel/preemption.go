package kernel

import (
	"errors"
	"io/fs"
	"strings"
)

// The preemption modes, by the names that preempt= takes.
var modes = map[string]string{ // mode by the option that chooses it
	"PREEMPT_NONE":      "none",
	"PREEMPT_VOLUNTARY": "voluntary",
	"PREEMPT_LAZY":      "lazy", // Linux 6.13
	"PREEMPT":           "full",
}

// preemption returns the mode in which the kernel preempts: as debugfs has it where that is
// mounted, else as the command line and the configuration chose it.
func preemption(root fs.FS, build string, bootOptions []string, c Config) Fact[string] {
	if text, err := readLine(root, "sys/kernel/debug/sched/preempt"); err == nil {
		if _, rest, ok := strings.Cut(text, "("); ok {
			mode, _, _ := strings.Cut(rest, ")")
			return Known(mode)
		}
	}
	dynamic := strings.Contains(build, "PREEMPT_DYNAMIC") || c.value("PREEMPT_DYNAMIC") == "y"
	if _, mode, ok := lastOption(bootOptions, "preempt"); ok && dynamic {
		for _, known := range modes {
			if mode == known {
				return Known(mode)
			}
		}
	}
	if c.Why() != nil {
		return Unknown[string](errors.New("debugfs is not mounted and the kernel's configuration is not known"))
	}
	for option, mode := range modes {
		if c.value(option) == "y" {
			return Known(mode)
		}
	}
	return Unknown[string](errors.New("the kernel's configuration has none of CONFIG_PREEMPT_NONE, _VOLUNTARY, _LAZY and CONFIG_PREEMPT"))
}
