package kernel

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCPUs(t *testing.T) {
	for text, want := range map[string][]int{
		"0":         {0},
		"0,2-4":     {0, 2, 3, 4},
		"4,1-2,2,1": {1, 2, 4},
	} {
		got, err := ParseCPUs(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"", "a", "-1", "2-1", "1,", "0-65536", "1-2-3", " 1"} {
		if got, err := ParseCPUs(text); err == nil {
			t.Errorf("%q: %v, want an error", text, got)
		}
	}
}

func FuzzParseCPUs(f *testing.F) {
	f.Add("0,2-4")
	f.Fuzz(func(t *testing.T, text string) {
		cpus, err := ParseCPUs(text)
		if (err == nil) != (len(cpus) > 0) {
			t.Errorf("%v, %v", cpus, err)
		}
	})
}
