package bench

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/verialloc/verialloc/exporter/view/internal/errno"
	"github.com/verialloc/verialloc/exporter/view/text"
	"github.com/verialloc/verialloc/tracer/record"
)

// WriteLog writes the verifier's log of a bare load below a line that says whose it is,
// as veristat does. In the log newlines and tabs stay, and whatever else does not print
// is escaped.
func WriteLog(w io.Writer, p *record.Program, s *record.Sample, log string) error {
	verdict := "failure"
	if s.Verdict == record.VerdictAccepted {
		verdict = "success"
	}
	path := p.Path
	if path == "" {
		path = p.File
	}
	_, err := fmt.Fprintf(w, "PROCESSING %s/%s, DURATION US: %d, VERDICT: %s, VERIFIER LOG:\n%s\n",
		text.Escape(path), text.Escape(p.Name), s.VerifierTimeNS/1000, verdict, text.EscapeLines(log))
	return err
}

// Rejection says in one line why a load was not accepted: the error, and the verifier's
// words for it, if they are known.
func Rejection(p *record.Program, s *record.Sample) string {
	line := fmt.Sprintf("%s/%s %s: %s", p.File, p.Name, s.Verdict, cmp.Or(errno.Name(s.Errno), fmt.Sprintf("error %d", s.Errno)))
	if s.Reason != "" {
		line += ": " + s.Reason
	}
	return text.Escape(line)
}

// WriteTopSource writes the lines of source that are most often in a log, as veristat
// does: the number, the place in the file and the text.
func WriteTopSource(w io.Writer, p *record.Program, log string, top int) error {
	counts := map[string]int{}
	for line := range strings.Lines(log) {
		if source, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "; "); ok {
			counts[source]++
		}
	}
	if len(counts) == 0 {
		return nil
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
	var b strings.Builder
	fmt.Fprintf(&b, "Top source lines (%s):\n", text.Escape(p.Name))
	for _, line := range lines[:min(top, len(lines))] {
		at := strings.LastIndex(line, "@")
		if at < 0 {
			fmt.Fprintf(&b, "%5d: %s\n", counts[line], line)
			continue
		}
		fmt.Fprintf(&b, "%5d: (%s)\t%s\n", counts[line], strings.TrimLeft(line[at+1:], " \t"), line[:at])
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, text.EscapeLines(b.String()))
	return err
}
