package kernel

import (
	"strings"
	"testing"
)

func TestParseVersion(t *testing.T) {
	for release, want := range map[string]Version{
		"6.1.0-30-cloud-amd64": {6, 1, 0},
		"7.3-rc2":              {7, 3, 0},
		"6.18.44":              {6, 18, 44},
		"6.12-amd64":           {6, 12, 0},
		"10.1-rc3":             {10, 1, 0},
		"6.18.44+deb14-amd64":  {6, 18, 44},
		"4.19.300":             {4, 19, 255},
	} {
		if got, err := parseVersion(release); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", release, got, err, want)
		}
	}
	for _, release := range []string{"linux", "", "6", "6.", "-1.2", "unknown", "99999999999999999999.1"} {
		if got, err := parseVersion(release); err == nil || !strings.Contains(err.Error(), release) {
			t.Errorf("%q: %v, error %v", release, got, err)
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	f.Add("6.1.0-30-cloud-amd64")
	f.Add("4.19.300")
	f.Fuzz(func(t *testing.T, release string) {
		v, err := parseVersion(release)
		if err == nil && (v != versionOf(v.Code()) || !v.AtLeast(Version{}) || !v.AtLeast(v)) {
			t.Errorf("%q: %+v", release, v)
		}
	})
}

func TestVersionAtLeast(t *testing.T) {
	for _, tt := range []struct {
		running, since Version
		want           bool
	}{
		{Version{6, 1, 0}, Version{}, true},
		{Version{6, 4, 0}, Version{6, 4, 0}, true},
		{Version{6, 4, 1}, Version{6, 4, 0}, true},
		{Version{6, 1, 192}, Version{6, 4, 0}, false},
		{Version{7, 0, 0}, Version{6, 4, 0}, true},
		{Version{5, 17, 0}, Version{6, 4, 0}, false},
		{Version{6, 4, 300}, Version{6, 5, 0}, false},
	} {
		if got := tt.running.AtLeast(tt.since); got != tt.want {
			t.Errorf("%v at least %v: %v", tt.running, tt.since, got)
		}
	}
}

// What the kernel was built from and its release are of one series.
func TestRunningVersion(t *testing.T) {
	release, err := ReadRelease()
	if err != nil {
		t.Fatal(err)
	}
	v, err := RunningVersion()
	if err != nil || !strings.HasPrefix(release.Name, v.Series()) {
		t.Errorf("%v, error %v, of release %s", v, err, release.Name)
	}
	if release.Build == "" || release.Architecture == "" {
		t.Errorf("%+v", release)
	}
}
