package kernel

import (
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"
)

func TestDescendants(t *testing.T) {
	all := []Process{{PID: 1}, {PID: 2, Parent: 9}, {PID: 3, Parent: 2}, {PID: 4, Parent: 1}, {PID: 9, Parent: 1}, {PID: 12, Parent: 13}, {PID: 13, Parent: 12}}
	var got []int
	for _, p := range descendants(all, 9) {
		got = append(got, p.PID)
	}
	if want := []int{2, 3}; !slices.Equal(got, want) {
		t.Errorf("below 9: %v, want %v", got, want)
	}
	if got := descendants(all, 1); len(got) != 4 {
		t.Errorf("below 1: %v", got)
	}
}

// A child is below this process until it has ended.
func TestDescendantsOfTest(t *testing.T) {
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// Until it says something it may have the name of this test.
	if _, err := io.WriteString(in, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	isChild := func(p Process) bool { return p == Process{cmd.Process.Pid, os.Getpid(), "cat"} }
	found, err := Descendants(os.Getpid())
	if err != nil || !slices.ContainsFunc(found, isChild) {
		t.Errorf("while it runs: %v, %v", found, err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if found, err := Descendants(os.Getpid()); err != nil || slices.ContainsFunc(found, isChild) {
		t.Errorf("once it has ended: %v, %v", found, err)
	}
}
