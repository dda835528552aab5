package kernels

import "testing"

// TestCompare uses pairs in ascending order, as dpkg --compare-versions has
// them.
func TestCompare(t *testing.T) {
	for _, pair := range [][2]string{
		{"6.9", "6.10"},
		{"6.1", "6.12"},
		{"7.3~rc7-1~exp1", "7.3.4-1~bpo13+1"},
		{"7.3~rc7-1~exp1", "7.3-1"},
		{"7.3.4-1~bpo13+1", "7.3.4-1"},
		{"6.12.117-1~deb12u1", "6.12.117-1"},
		{"6.12.90+deb13", "6.12.90+deb13.1"},
		{"6.1.0-9-cloud-amd64", "6.1.0-56-cloud-amd64"},
		{"6.12.90+deb12-cloud-amd64", "6.12.90+deb13-cloud-amd64"},
		{"9.9", "1:0.1"},
		{"1.0a", "1.0+"},
		{"1.0~~", "1.0~"},
		{"1.0-1", "1.0-1+b1"},
		{"18446744073709551616", "18446744073709551617"},
	} {
		if Compare(pair[0], pair[1]) >= 0 || Compare(pair[1], pair[0]) <= 0 {
			t.Errorf("%s is not before %s", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"1.0", "1.00"}, {"0:1.0", "1.0"}, {"1.0", "1.0-0"}, {"", ""}} {
		if Compare(pair[0], pair[1]) != 0 {
			t.Errorf("%q and %q are not equal", pair[0], pair[1])
		}
	}
}

func TestSeries(t *testing.T) {
	for release, want := range map[string]string{
		"6.12.117+deb13-cloud-amd64": "6.12",
		"6.1.0-56-cloud-amd64":       "6.1",
		"7.3-cloud-amd64":            "7.3",
		"sid":                        "",
	} {
		if got := Series(release); got != want {
			t.Errorf("Series(%q) = %q, want %q", release, got, want)
		}
	}
	if !IsSeries("6.12") || IsSeries("6.12.1") || IsSeries("6") {
		t.Error("only two numbers are a series")
	}
}
