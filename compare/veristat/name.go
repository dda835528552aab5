package veristat

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// veristat's CSV has no quotes: a name ends at a comma, and a row at a newline. A name that
// holds either, or what [View.Names] escapes, is written with Go's escapes, each backslash
// of its own doubled, and read back by them. Any other name is written as veristat writes
// it, byte for byte, except one that would be read back as another: it holds a backslash,
// and all after its backslashes are escapes.

// unwritable are what would end a field, a line or a text.
var unwritable = strings.NewReplacer(",", `\x2c`, "\n", `\n`, "\r", `\r`, "\x00", `\x00`)

// csvName returns a name as a field of CSV.
func (v View) csvName(name string) string {
	doubled := strings.ReplaceAll(name, `\`, `\\`)
	escaped := unwritable.Replace(v.name(doubled))
	if escaped == doubled && parseName(name) == name {
		return name
	}
	return escaped
}

// parseName returns the name that a field of CSV stands for: the field itself where its
// backslashes are no escapes.
func parseName(field string) string {
	if !strings.Contains(field, `\`) {
		return field
	}
	name := make([]byte, 0, len(field))
	for rest := field; rest != ""; {
		if rest[0] != '\\' {
			name, rest = append(name, rest[0]), rest[1:]
			continue
		}
		if len(rest) < 2 || !strings.Contains(`abfnrtvxuU\`, rest[1:2]) { // octal ones are not written
			return field
		}
		value, multibyte, tail, err := strconv.UnquoteChar(rest, 0)
		if err != nil {
			return field
		}
		if rest = tail; multibyte {
			name = utf8.AppendRune(name, value)
		} else {
			name = append(name, byte(value))
		}
	}
	return string(name)
}

// restOfLine is more than what stands beside the names in a line of CSV.
const restOfLine = 512

// CheckNames refuses names that a line of CSV has no room for.
func (v View) CheckNames(file, prog string) error {
	if n := len(v.csvName(file)) + len(v.csvName(prog)); n > lineLimit-restOfLine {
		return fmt.Errorf("the names of the file and the program take %d bytes, and veristat reads lines of up to %d", n, lineLimit)
	}
	return nil
}
