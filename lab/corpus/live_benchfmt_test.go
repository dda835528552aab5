package main

import "testing"

// TestLiveBenchfmt measures two objects for benchstat, which reads it on the host.
func TestLiveBenchfmt(t *testing.T) {
	paths := objectsNamed(t, []string{"bpf_flow.bpf.o", "xdpfilt_alw_eth.o"})
	out, complaints, err := runLine(t, append([]string{"verialloc", "bench", "-o", "benchfmt", "--repeat", "6", "--traced", "1"}, paths...)...)
	if err != nil {
		t.Fatalf("verialloc bench: %v: %s", err, complaints)
	}
	keep(t, "bench.txt", out)
}
