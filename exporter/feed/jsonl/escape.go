package jsonl

import (
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/verialloc/verialloc/exporter/view/text"
)

// escaper writes JSON with what does not print in its strings as JSON's own escapes. A
// program reads the same from it, and where a feed is shown at a terminal, names that
// anyone may choose cannot steer that: JSON itself only escapes what is below a blank.
type escaper struct{ w io.Writer }

// Write writes whole values of JSON, which is valid UTF-8 and ASCII outside of strings. In
// strings package json has escaped what is below a blank.
func (e escaper) Write(values []byte) (int, error) {
	if plain(values) {
		return e.w.Write(values)
	}
	escaped := make([]byte, 0, len(values)+64)
	for rest := values; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r < utf8.RuneSelf && r != 0x7f || text.Prints(r):
			escaped = append(escaped, rest[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			escaped = appendEscape(appendEscape(escaped, high), low)
		default:
			escaped = appendEscape(escaped, r)
		}
		rest = rest[size:]
	}
	if _, err := e.w.Write(escaped); err != nil {
		return 0, err
	}
	return len(values), nil
}

// plain reports whether a text is ASCII without DEL, as nearly all are.
func plain(text []byte) bool {
	for _, b := range text {
		if b >= 0x7f {
			return false
		}
	}
	return true
}

func appendEscape(text []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(text, '\\', 'u', hex[r>>12&0xf], hex[r>>8&0xf], hex[r>>4&0xf], hex[r&0xf])
}
