package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/lab/internal/qemu"
)

func TestPreferredEmulator(t *testing.T) {
	have := func(version string) func() (qemu.Emulator, error) {
		return func() (qemu.Emulator, error) {
			if version == "" {
				return qemu.Emulator{}, errors.New("missing")
			}
			return qemu.Emulator{Version: version}, nil
		}
	}
	for name, test := range map[string]struct {
		installed, archive, want string
		warns                    bool
	}{
		"old, and a newer is served":      {"7.2.22", "11.1.3", "11.1.3", false},
		"old, and none is served":         {"7.2.22", "", "7.2.22", true},
		"new enough":                      {"11.0.1", "11.1.3", "11.0.1", false},
		"none installed, one is served":   {"", "11.1.3", "11.1.3", false},
		"none installed, and none served": {"", "", "", false},
	} {
		var stderr strings.Builder
		got, err := preferred(have(test.installed), have(test.archive), &stderr)
		if got.Version != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, test.want)
		}
		if warned := strings.Contains(stderr.String(), test.installed+": missing"); warned != test.warns {
			t.Errorf("%s: got stderr %q, want a warning: %v", name, &stderr, test.warns)
		}
	}
}
