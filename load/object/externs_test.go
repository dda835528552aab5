package object

import "testing"

func TestEssentialName(t *testing.T) {
	for name, want := range map[string]string{
		"task_struct": "task_struct", "bpf_kfunc___v2": "bpf_kfunc", "___x": "___x", "a___b___c": "a___b",
	} {
		if got := essentialName(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
