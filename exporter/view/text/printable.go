package text

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// None stands where there is no value: not known, not measured, not applicable.
const None = "-"

// Printable returns a name fit for a cell or a line. Names of tasks, programs, files and
// caches are bytes that anyone may choose, escape sequences included: whatever does not
// print is shown as a Go escape. A backslash is doubled, so that no name looks like
// another one that was escaped. An empty name is [None].
func Printable(name string) string {
	if name == "" {
		return None
	}
	return escape(strings.ReplaceAll(name, `\`, `\\`), "")
}

// Escape returns one line of text fit for a terminal: as it is, except that whatever does
// not print is shown as a Go escape. It is for text that another program may have to find
// again byte for byte, and for messages.
func Escape(line string) string { return escape(line, "") }

// EscapeLines is [Escape] for text of many lines: newlines and tabs stay what they are.
func EscapeLines(lines string) string { return escape(lines, "\n\t") }

// escape returns text with Go's escapes for what does not print, except what to keep:
// control characters, invalid UTF-8, and what is invisible or turns the direction of
// writing.
func escape(text, keep string) string {
	if prints(text, keep) {
		return text
	}
	var b strings.Builder
	for rest := text; rest != ""; {
		_, size := utf8.DecodeRuneInString(rest)
		if prints(rest[:size], keep) {
			b.WriteString(rest[:size])
		} else {
			quoted := strconv.QuoteToASCII(rest[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		rest = rest[size:]
	}
	return b.String()
}

// blank are letters and marks by Unicode's classes that show nothing.
const blank = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"

// Prints reports whether a character shows as it is. It is for forms that have escapes of
// their own.
func Prints(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= ' ' && r < 0x7f
	}
	return strconv.IsPrint(r) && !strings.ContainsRune(blank, r)
}

// prints reports whether all of a text shows as it is, or is to be kept.
func prints(text, keep string) bool {
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return false
			}
		}
		if !Prints(r) && !strings.ContainsRune(keep, r) {
			return false
		}
	}
	return true
}
