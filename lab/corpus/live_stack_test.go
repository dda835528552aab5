package main

import (
	"bufio"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// What veristat -v prints ahead of a program's log, and the two forms of the stack's
// depth in the log: a line for all subprograms, or from 7.3 one for each.
var (
	logHead      = regexp.MustCompile(`^PROCESSING (\S+)/(\S+), DURATION US: `)
	stackLine    = regexp.MustCompile(`^stack depth ([0-9]+(?:\+[0-9]+)*)`)
	subprogStack = regexp.MustCompile(`^subprog [0-9]+ .* stack ([0-9]+)`)
)

// TestLiveStackDepth compares bench's stack_depth with the kernel's log.
func TestLiveStackDepth(t *testing.T) {
	paths := objectsNamed(t, []string{
		"bpf_dctcp.bpf.o", "bpf_flow.bpf.o", "dynptr_success.bpf.o", "test_l4lb_noinline.bpf.o", "test_xdp_noinline.bpf.o",
	})
	text, complaints, err := runLine(t, tool(t, "veristat", "-v", list(t, paths))...)
	if err != nil {
		t.Logf("veristat -v: %v: %.1000s", err, complaints)
	}
	out, complaints, err := runLine(t, "verialloc", "bench", "-q", "-o", "csv", list(t, paths))
	if err != nil {
		t.Fatalf("verialloc bench: %v: %s", err, complaints)
	}
	want := stackDepths(text)
	_, rows := readCSV(t, out)
	deep := 0
	for _, r := range rows {
		w, logged := want[r.program()]
		if !logged {
			w = 0 // never verified
		}
		if got := number(r["stack_depth"]); got != w {
			t.Errorf("%s: stack_depth is %d, the kernel's log has %d", r.program(), got, w)
		}
		if w > 0 {
			deep++
		}
	}
	if deep < 20 {
		t.Errorf("%d programs use the stack, fewer than 20", deep)
	}
	t.Logf("kernel %s: the stack depth of %d programs exact as the kernel's log, %d of them use the stack", release(t), len(rows), deep)
}

// stackDepths returns the sum over the subprograms of each program whose log has it.
func stackDepths(text string) map[string]int {
	depths := map[string]int{}
	program := ""
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if m := logHead.FindStringSubmatch(lines.Text()); m != nil {
			program = filepath.Base(m[1]) + "/" + m[2]
		} else if m := stackLine.FindStringSubmatch(lines.Text()); m != nil {
			for part := range strings.SplitSeq(m[1], "+") {
				n, _ := strconv.Atoi(part) // digits by the expression
				depths[program] += n
			}
		} else if m := subprogStack.FindStringSubmatch(lines.Text()); m != nil {
			n, _ := strconv.Atoi(m[1])
			depths[program] += n
		}
	}
	return depths
}
