package sample

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Hostile is a name of everything that must reach no terminal and no mail as it is: an
// escape sequence, ends of lines, a zero byte, C1 controls in both encodings, what turns
// the direction of writing, what has no width, and invalid UTF-8.
const Hostile = "evil\x1b[2J\x1b]0;x\a\r\n\t\x00\x7f\u0085\u009b\x9b\u202e\u2066\u200b\ufeff\u00ad\u2028\u00a0\xff\xc3"

// Shown fails a test if a text that an outlet wrote holds what does not print, beside
// newlines.
func Shown(t *testing.T, outlet, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s: invalid UTF-8 in %q", outlet, text)
	}
	for _, r := range text {
		if r != '\n' && (r < ' ' || r >= 0x7f && r <= 0xa0 || strings.ContainsRune("\u00ad\u200b\u200d\u2028\u202e\u2066\ufeff", r)) {
			t.Errorf("%s: %U in %q", outlet, r, text)
			return
		}
	}
}
