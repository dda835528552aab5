package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/tracer/record"
)

// logged takes the log of a bare sample: for -v and -S, and for why it was rejected.
func (r *benchRun) logged(p *record.Program, s *record.Sample, log string) {
	if s.Verdict != record.VerdictAccepted && !r.rejected[p.ID] {
		r.rejected[p.ID] = true
		r.rejections = append(r.rejections, fmt.Sprintf("%s/%s %s: %s", p.File, p.Name, s.Verdict, rejection(unix.Errno(s.Errno), log)))
	}
	var b strings.Builder
	if r.options.verbose {
		verdict := "failure"
		if s.Verdict == record.VerdictAccepted {
			verdict = "success"
		}
		path := p.Path
		if path == "" {
			path = p.File
		}
		fmt.Fprintf(&b, "PROCESSING %s/%s, DURATION US: %d, VERDICT: %s, VERIFIER LOG:\n%s\n",
			path, p.Name, s.VerifierTimeNS/1000, verdict, log)
	}
	if r.options.topSource > 0 {
		writeTopSource(&b, p.Name, log, int(r.options.topSource))
	}
	if b.Len() > 0 && r.writeFailed == nil {
		_, r.writeFailed = io.WriteString(r.out, b.String())
	}
}

// rejection says why a load failed: the error, and the last that the verifier says of it.
func rejection(errno unix.Errno, log string) string {
	text := unix.ErrnoName(errno)
	if text == "" {
		text = fmt.Sprintf("error %d", int(errno))
	}
	reason := ""
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		if line != "" && !isStatistics(line) {
			reason = line
		}
	}
	if reason != "" {
		text += ": " + reason
	}
	return text
}

func isStatistics(line string) bool {
	return slices.ContainsFunc([]string{"verification time ", "stack depth ", "processed ", "insns processed", "subprog "}, func(prefix string) bool {
		return strings.HasPrefix(line, prefix)
	})
}

// writeTopSource writes the lines of source that are most often in a log, as veristat
// does: the number, the place in the file and the text.
func writeTopSource(b *strings.Builder, program, log string, top int) {
	counts := map[string]int{}
	for line := range strings.Lines(log) {
		if source, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "; "); ok {
			counts[source]++
		}
	}
	if len(counts) == 0 {
		return
	}
	lines := make([]string, 0, len(counts))
	for line := range counts {
		lines = append(lines, line)
	}
	slices.SortFunc(lines, func(x, y string) int {
		if counts[x] != counts[y] {
			return counts[y] - counts[x]
		}
		return strings.Compare(x, y)
	})
	fmt.Fprintf(b, "Top source lines (%s):\n", program)
	for _, line := range lines[:min(top, len(lines))] {
		at := strings.LastIndex(line, "@")
		if at < 0 {
			fmt.Fprintf(b, "%5d: %s\n", counts[line], line)
			continue
		}
		fmt.Fprintf(b, "%5d: (%s)\t%s\n", counts[line], strings.TrimLeft(line[at+1:], " \t"), line[:at])
	}
	b.WriteByte('\n')
}
