package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
)

// Kprobes returns the type that perf_event_open(2) takes for kprobes (4.17,
// e12f03d7031a). It is absent on a kernel without CONFIG_KPROBE_EVENTS, and unknown
// without sysfs.
func Kprobes() Fact[uint32] { return kprobes(os.DirFS("/")) }

func kprobes(root fs.FS) Fact[uint32] {
	const sources = "sys/bus/event_source"
	text, err := readLine(root, sources+"/devices/kprobe/type")
	if err != nil {
		if _, statErr := fs.Stat(root, sources); statErr == nil && errors.Is(err, fs.ErrNotExist) {
			return Absent[uint32](errors.New("the kernel has no kprobes (CONFIG_KPROBE_EVENTS)"))
		}
		return Unknown[uint32](err)
	}
	number, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return Unknown[uint32](fmt.Errorf("/%s/devices/kprobe/type: %w", sources, err))
	}
	return Known(uint32(number))
}
