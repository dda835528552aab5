package load

import "testing"

func TestParseKernel(t *testing.T) {
	for release, want := range map[string]Kernel{
		"6.1.0-30-cloud-amd64": {6, 1},
		"7.3-rc2":              {7, 3},
		"6.18.44":              {6, 18},
	} {
		if got, err := parseKernel(release); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", release, got, err, want)
		}
	}
	if got, err := parseKernel("linux"); err == nil {
		t.Errorf("linux: %v", got)
	}
}

func TestKernelHas(t *testing.T) {
	for _, tt := range []struct {
		running, since Kernel
		want           bool
	}{
		{Kernel{6, 1}, Kernel{}, true},
		{Kernel{6, 4}, Kernel{6, 4}, true},
		{Kernel{6, 1}, Kernel{6, 4}, false},
		{Kernel{7, 0}, Kernel{6, 4}, true},
		{Kernel{5, 17}, Kernel{6, 4}, false},
	} {
		if got := tt.running.Has(tt.since); got != tt.want {
			t.Errorf("%v has %v: %v", tt.running, tt.since, got)
		}
	}
}
