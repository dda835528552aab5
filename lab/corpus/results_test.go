package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// results returns where the live tests of each kernel left their results; the tests of
// them run on the host.
func results(t *testing.T) []string {
	t.Helper()
	dirs := strings.Fields(os.Getenv(resultsVariable))
	if os.Getenv("VERIALLOC_LIVE") != "" || len(dirs) < 2 {
		t.Skip(resultsVariable + " names no results of two kernels: run make test-corpus")
	}
	return dirs
}

// TestResultsCompare compares two kernels as veristat -C does.
func TestResultsCompare(t *testing.T) {
	dirs := results(t)
	base, comp := filepath.Join(dirs[0], "veristat.csv"), filepath.Join(dirs[len(dirs)-1], "veristat.csv")
	both := [][]string{{"compare"}, {"bench", "-C"}}
	for _, test := range []struct {
		flags    []string
		commands [][]string
	}{
		{nil, both},
		{[]string{"-e", "file,prog,verdict,states"}, both}, // as BPF CI
		{[]string{"-e", "file,prog,insns,states", "-s", "|insns_diff|", "-f", "*xdp*"}, both},
		{[]string{"-f", "verdict=mismatch"}, both},
		// veristat filters by absolute values, also of what is N/A.
		{[]string{"-e", "file,prog,insns", "-s", "insns_pct", "-f", "insns_pct>5"}, [][]string{{"bench", "--veristat-compat", "-C"}}},
		{[]string{"-e", "file,prog,insns,states", "-s", "|insns_diff|", "-f", "insns_a>100"}, [][]string{{"bench", "--veristat-compat", "-C"}}},
	} {
		args := append(slices.Clip(test.flags), "-o", "csv", base, comp)
		want, complaints, err := runLine(t, tool(t, "veristat", append([]string{"-C"}, args...)...)...)
		if err != nil {
			t.Fatalf("veristat -C: %v: %s", err, complaints)
		}
		rows := strings.Count(want, "\n") - 1
		if rows < 5 {
			t.Errorf("veristat -C %q prints %d rows, fewer than 5", test.flags, rows)
		}
		for _, command := range test.commands {
			got, complaints, err := runLine(t, slices.Concat([]string{verialloc}, command, args)...)
			if err != nil {
				t.Errorf("verialloc %s: %v: %s", command[0], err, complaints)
			} else if got != want {
				t.Errorf("verialloc %s %q is not as veristat -C: %s", command[0], test.flags, firstDifference(want, got))
			}
		}
		t.Logf("veristat -C %q: %d rows the same", test.flags, rows)
	}
}

// verialloc is the built command.
const verialloc = "../../verialloc"

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return "want " + w[i] + ", got " + g[i]
		}
	}
	return "one is longer"
}

// TestResultsBenchstat has benchstat compare what bench measured on two kernels.
func TestResultsBenchstat(t *testing.T) {
	dirs := results(t)
	args := []string{"go", "tool", "benchstat", "-format", "csv"}
	for _, dir := range dirs {
		args = append(args, filepath.Base(dir)+"="+filepath.Join(dir, "bench.txt"))
	}
	out, complaints, err := runLine(t, args...)
	if err != nil {
		t.Fatalf("benchstat: %v: %s", err, complaints)
	}
	r := csv.NewReader(strings.NewReader(out))
	r.FieldsPerRecord = -1
	records, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	// A row of a benchmark that both kernels have holds a value and an interval of
	// each, the change and its p-value.
	both := 0
	for _, record := range records {
		if len(record) > 4 && strings.Contains(record[0], "xdpfilt_alw_eth.o") && record[1] != "" && record[3] != "" {
			both++
		}
	}
	if both == 0 {
		t.Errorf("benchstat has no row of xdpfilt_alw_eth.o on both kernels:\n%.3000s", out)
	}
}
