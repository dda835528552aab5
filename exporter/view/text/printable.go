package text

import (
	"strconv"
	"strings"
)

// None stands where there is no value: not known, not measured, not applicable.
const None = "-"

// Printable returns s fit for a terminal. Names of tasks, programs and caches
// are bytes that anyone may choose, escape sequences included: whatever does not
// print is shown as a Go escape.
func Printable(s string) string {
	if s == "" {
		return None
	}
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
