package verifierlog

import (
	"regexp"
	"strings"
)

// tail is a log that is read from its end.
type tail struct {
	text string
	cut  bool // the first line may lack its beginning
}

// pop removes the last line and returns it without its newline. It returns an empty string
// if there is none.
func (l *tail) pop() string {
	text := strings.TrimSuffix(l.text, "\n")
	start := strings.LastIndexByte(text, '\n') + 1
	l.text = text[:start]
	return text[start:]
}

// halved reports whether the line that was popped last may lack its beginning.
func (l *tail) halved() bool { return l.cut && l.text == "" }

// drop removes the last lines as long as they are of a kind, and returns how many.
func (l *tail) drop(isKind func(string) bool) int {
	for n := 0; ; n++ {
		before := *l
		if l.text == "" || !isKind(l.pop()) {
			*l = before
			return n
		}
	}
}

// dropStatistics removes the statistics that end each log, and reports whether there were
// any. Of a log without its end it removes the half of a line that is last.
func (l *tail) dropStatistics() bool {
	found := false
	if !strings.HasSuffix(l.text, "\n") {
		before := *l
		half := l.pop()
		found = isStatistic(half) || beginsWith(half, statisticsHeads...)
		if beginsWith(half, reportHead) {
			*l = before
		}
	}
	l.drop(isBlank)
	found = l.drop(isStatistic) > 0 || found
	before := *l
	if line := l.pop(); glued.MatchString(line) {
		l.text = before.text[:len(l.text)+glued.FindStringIndex(line)[0]]
		return true
	}
	*l = before
	l.drop(isBlank)
	return found
}

// glued matches the first line of the statistics at the end of words that lack a newline:
// "insn 3 cannot call exception cb directly" does, at least up to 6.18.
var glued = regexp.MustCompile(`(verification time \d+ usec|processed \d+ insns \(limit \d+\) .*)$`)

// dropReport removes a report, if it is the last thing in the log, and returns its first
// line, or what is known of that; an empty string if there is none. Since Linux 7.3 ("bpf:
// Redesign Verification Log") the log has one behind the words for many a rejection, at the
// levels that trace: it explains and advises.
func (l *tail) dropReport() string {
	before := *l
	behind := l.drop(isReport)
	head := l.pop()
	if !beginsWith(head, reportHead) {
		*l = before
		return ""
	}
	l.drop(isBlank)
	if behind == 0 && !strings.HasSuffix(before.text, "\n") {
		return reportHead // it was cut off in this line
	}
	return head
}
