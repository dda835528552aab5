package kernel

import (
	"testing"
	"testing/fstest"
)

func TestKprobes(t *testing.T) {
	const sources = "sys/bus/event_source/devices/"
	for name, c := range map[string]struct {
		root   fstest.MapFS
		number uint32
		known  bool
		absent bool
	}{
		"there":        {fstest.MapFS{sources + "kprobe/type": file("6\n")}, 6, true, false},
		"others alone": {fstest.MapFS{sources + "uprobe/type": file("7\n")}, 0, false, true},
		"no sysfs":     {fstest.MapFS{}, 0, false, false},
		"not a number": {fstest.MapFS{sources + "kprobe/type": file("x")}, 0, false, false},
	} {
		fact := kprobes(c.root)
		if number, ok := fact.Get(); number != c.number || ok != c.known || fact.IsAbsent() != c.absent {
			t.Errorf("%s: %+v", name, fact)
		}
	}
}
