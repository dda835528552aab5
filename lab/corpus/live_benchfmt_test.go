package main

import (
	"path/filepath"
	"slices"
	"testing"
)

// TestLiveBenchfmt measures two objects for benchstat, which reads it on the host.
func TestLiveBenchfmt(t *testing.T) {
	var paths []string
	for _, path := range objects(t) {
		if slices.Contains([]string{"bpf_flow.bpf.o", "xdpfilt_alw_all.o"}, filepath.Base(path)) {
			paths = append(paths, path)
		}
	}
	out, complaints, err := runLine(t, append([]string{"verialloc", "bench", "-o", "benchfmt", "--repeat", "6"}, paths...)...)
	if err != nil {
		t.Fatalf("verialloc bench: %v: %s", err, complaints)
	}
	keep(t, "bench.txt", out)
}
