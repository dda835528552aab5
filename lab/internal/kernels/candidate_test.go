package kernels

import (
	"slices"
	"strings"
	"testing"
)

// madison is output of apt-cache madison, with an invented archive.
const madison = `
linux-binary-7.3-cloud-amd64 | 7.3~rc7-1~exp1 | URI experimental/main amd64 Packages
linux-binary-7.3.4+deb13-cloud-amd64 | 7.3.4-1~bpo13+1 | URI trixie-backports/main amd64 Packages
linux-image-7.3.4+deb13-cloud-amd64 | 7.3.4-1~bpo13+1 | URI trixie-backports/main amd64 Packages
linux-binary-7.4-cloud-amd64 | 7.4~rc1-1~exp1 | URI experimental/main amd64 Packages
linux-image-6.12-cloud-amd64 | 6.12.999-1 | URI bookworm-security/main amd64 Packages
linux-image-6.12.117+deb12-cloud-amd64 | 6.12.117-1~deb12u1 | URI bookworm-security/main amd64 Packages
linux-image-6.12.117+deb13-cloud-amd64-unsigned | 6.12.117-1 | URI trixie-security/main amd64 Packages
linux-image-6.12.117+deb13-cloud-amd64 | 6.12.117-1 | URI trixie-security/main amd64 Packages
linux-image-6.12.9+deb13-cloud-amd64 | 6.12.9-1 | URI trixie/main amd64 Packages
linux-image-6.1.0-56-cloud-amd64 |  6.1.192-2 | URI bookworm-security/main amd64 Packages
linux-image-6.1.0-56-cloud-amd64-dbg |  6.1.192-2 | URI bookworm-security/main amd64 Packages
linux | 6.1.192-2 | URI bookworm-security/main Sources
`

func TestNewestOfEachSeries(t *testing.T) {
	best := newest(parseMadison([]byte(madison)))
	want := map[string]Candidate{
		"6.1":  {"linux-image-6.1.0-56-cloud-amd64", "6.1.192-2", "6.1.0-56-cloud-amd64"},
		"6.12": {"linux-image-6.12.117+deb13-cloud-amd64", "6.12.117-1", "6.12.117+deb13-cloud-amd64"},
		"7.3":  {"linux-binary-7.3.4+deb13-cloud-amd64", "7.3.4-1~bpo13+1", "7.3.4+deb13-cloud-amd64"},
		"7.4":  {"linux-binary-7.4-cloud-amd64", "7.4~rc1-1~exp1", "7.4-cloud-amd64"},
	}
	for series, candidate := range want {
		if best[series] != candidate {
			t.Errorf("%s: got %+v, want %+v", series, best[series], candidate)
		}
	}
	if got := seriesNames(best); !slices.Equal(got, []string{"6.1", "6.12", "7.3", "7.4"}) {
		t.Errorf("got series %v", got)
	}
}

func TestChoose(t *testing.T) {
	all := parseMadison([]byte(madison))
	for name, want := range map[string]string{
		"6.12":                       "linux-image-6.12.117+deb13-cloud-amd64",
		"6.12.9+deb13-cloud-amd64":   "linux-image-6.12.9+deb13-cloud-amd64",
		"6.12.117+deb12-cloud-amd64": "linux-image-6.12.117+deb12-cloud-amd64",
		"7.3.4+deb13-cloud-amd64":    "linux-binary-7.3.4+deb13-cloud-amd64",
		"7.3-cloud-amd64":            "linux-binary-7.3-cloud-amd64",
	} {
		if got, err := choose(all, name); err != nil || got.Package != want {
			t.Errorf("%s: got %s, %v, want %s", name, got.Package, err, want)
		}
	}
	_, err := choose(all, "5.10")
	if err == nil || !strings.Contains(err.Error(), "6.1, 6.12, 7.3, 7.4") {
		t.Errorf("5.10: got error %v, want one with the series that are served", err)
	}
}
