package record

import "testing"

func TestGeneratedAs(t *testing.T) {
	for _, tt := range []struct {
		name    string
		program Program
		want    Generated
		ok      bool
	}{
		{"fields", Program{Name: "x", Generated: &Generated{"branches", 100}}, Generated{"branches", 100}, true},
		{"older recording", Program{File: "stress", Name: "loops_5"}, Generated{"loops", 5}, true},
		{"of an object", Program{File: "a.bpf.o", Path: "a.bpf.o", Name: "loops_5"}, Generated{}, false},
		{"no size", Program{File: "stress", Name: "loops_x"}, Generated{}, false},
		{"no kind and size", Program{File: "stress", Name: "loops"}, Generated{}, false},
	} {
		if got, ok := tt.program.GeneratedAs(); got != tt.want || ok != tt.ok {
			t.Errorf("%s: %+v, %v", tt.name, got, ok)
		}
	}
}
