package verifierlog

import (
	"regexp"
	"strings"
)

// Reason returns the verifier's own words for why it rejected the program of this log, such
// as "R0 !read_ok". They are a line of the log, or lines joined by "; " where the later ones
// say only where the first was found, and the same at each log level. Reason returns an empty
// string where the log does not have them: they were cut off, or the verifier gave none, as
// when memory ran out or a signal came. The log of an accepted program has none either.
//
// cut says that the log did not fit its buffer. The kernel then keeps the end, and the first
// line may lack its beginning; with BPF_LOG_FIXED, and before Linux 6.4, it keeps the
// beginning, which Reason sees by itself.
//
// Reason is safe for concurrent use. It reads the end of the log alone: a long one takes no
// more time.
func Reason(log string, cut bool) string {
	l := tail{text: log, cut: cut}
	ended := l.dropStatistics()
	report := l.dropReport()
	if !ended && report == "" {
		// The verifier may have gone on after the last line.
		return ""
	}
	l.drop(isState)
	last := l.pop()
	switch {
	case loop.MatchString(last):
		return loop.FindString(last)
	case !isWords(last) || l.halved() || l.isWarning(last):
		return strings.TrimPrefix(report, reportHead)
	}
	words := last
	for isPlace(last) {
		l.dropReport()
		last = l.pop()
		if !isWords(last) || l.halved() || l.isWarning(last) {
			break
		}
		words = last + "; " + words
	}
	return words
}

// isPlace reports whether a line says only where the failure in the line before was found:
// in which argument, at which exit, by which register.
func isPlace(line string) bool {
	return strings.HasPrefix(line, "Caller passes invalid args into func#") ||
		strings.HasSuffix(line, " would lead to reference leak") ||
		strings.HasSuffix(line, " memory, len pair leads to invalid memory access") ||
		strings.HasSuffix(line, " offset is outside of the packet") ||
		strings.HasSuffix(line, " value is outside of the allowed memory range")
}

// loop matches the words for an infinite loop. A log with instructions has them at the end of
// an instruction's line.
var loop = regexp.MustCompile(`infinite loop detected at insn \d+$`)

// isState reports whether a line is one of the two states that follow the words for an
// infinite loop (6.7, "bpf: print full verifier states on infinite loop detection").
func isState(line string) bool {
	return strings.HasPrefix(line, "cur state:") || strings.HasPrefix(line, "old state:")
}

// isWarning reports whether the line just popped is about an argument of the main function
// whose type the verifier does not need. Of a global function, whose validation the log has
// announced, it is the reason.
func (l *tail) isWarning(line string) bool {
	if !strings.Contains(line, " size cannot be determined: ") && !strings.HasPrefix(line, "reg type unsupported for arg#") {
		return false
	}
	before := *l
	return !strings.HasPrefix(before.pop(), "Validating ")
}
