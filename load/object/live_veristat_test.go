package object

import (
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/load"
)

// TestLiveVeristat compares every program of the objects with what veristat reports
// of it, where VERIALLOC_VERISTAT is the path of one.
func TestLiveVeristat(t *testing.T) {
	veristat := os.Getenv("VERIALLOC_VERISTAT")
	if os.Getenv("VERIALLOC_LIVE") == "" || veristat == "" {
		t.Skip("VERIALLOC_LIVE or VERIALLOC_VERISTAT is not set")
	}
	running, err := kernel.RunningVersion()
	if err != nil {
		t.Fatal(err)
	}
	// veristat 0.5.1 does not read how 7.3 writes the stack.
	oldLog := !running.AtLeast(kernel.Version{Major: 7, Minor: 3})
	equal, failures, rows := 0, 0, 0
	for _, path := range objects(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			want := runVeristat(t, veristat, path)
			rows += len(want)
			subjects, err := Open(path, Options{})
			if err != nil && len(want) > 0 {
				t.Errorf("%d programs for veristat, but %v", len(want), err)
			}
			if err == nil && len(subjects) != len(want) && len(want) > 0 {
				t.Errorf("%d programs, %d for veristat", len(subjects), len(want))
			}
			for _, s := range subjects {
				name := s.Describe().Name
				row, ok := want[name]
				if !ok {
					continue // veristat does not open the object
				}
				got, why := ownRow(t, s)
				if !oldLog {
					delete(got, "stack_depth")
				}
				same := true
				for column, value := range got {
					if row[column] != value {
						same = false
						t.Errorf("%s: %s is %s, veristat's %s (%s)", name, column, value, row[column], why)
					}
				}
				if same {
					equal++
				}
				if same && why != "" {
					failures++
				}
			}
		})
	}
	t.Logf("%d of veristat's %d programs are equal, %d of them are rejected or cannot be loaded", equal, rows, failures)
	if rows == 0 {
		t.Error("veristat reported no program")
	}
}

// ownRow is what veristat should report of the program, and why it cannot be loaded.
func ownRow(t *testing.T, subject load.Subject) (row map[string]string, why string) {
	t.Helper()
	p, err := subject.Prepare()
	s := subject.Describe()
	if err != nil {
		return map[string]string{
			"verdict": "failure", "total_insns": "0", "total_states": "0", "prog_size": strconv.Itoa(s.InsnCount),
			"prog_size_jited": "0", "prog_type": s.Type, "attach_type": s.Attach,
		}, err.Error()
	}
	defer p.Close()
	stats, err := p.Load(load.Options{})
	if err != nil {
		t.Fatalf("%s %s: %v", s.File, s.Name, err)
	}
	verdict := "success"
	if stats.Errno != 0 {
		verdict = "failure"
		why = "rejected: " + stats.Log[:min(len(stats.Log), 300)]
	}
	return map[string]string{
		"verdict":             verdict,
		"total_insns":         strconv.Itoa(stats.InsnsProcessed),
		"total_states":        strconv.Itoa(stats.TotalStates),
		"peak_states":         strconv.Itoa(stats.PeakStates),
		"max_states_per_insn": strconv.Itoa(stats.MaxStatesPerInsn),
		"max_mark_read_len":   strconv.Itoa(stats.MarkRead),
		"prog_size":           strconv.Itoa(stats.ProgSize),
		"prog_size_jited":     strconv.Itoa(stats.ProgSizeJited),
		"stack_depth":         strconv.Itoa(stats.Stack()),
		"prog_type":           s.Type,
		"attach_type":         s.Attach,
	}, why
}

// runVeristat returns veristat's rows by program and column.
func runVeristat(t *testing.T, veristat, path string) map[string]map[string]string {
	t.Helper()
	cmd := exec.Command(veristat, "-q", "-o", "csv", path)
	out, err := cmd.Output()
	if err != nil {
		t.Logf("veristat %s: %v", path, err)
	}
	records, err := csv.NewReader(strings.NewReader(string(out))).ReadAll()
	if err != nil {
		t.Fatalf("veristat %s: %v", path, err)
	}
	rows := make(map[string]map[string]string)
	for n, record := range records {
		if n == 0 {
			continue
		}
		row := make(map[string]string)
		for i, value := range record {
			row[records[0][i]] = value
		}
		rows[row["prog_name"]] = row
	}
	return rows
}
