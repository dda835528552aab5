package workload

import "errors"

// Global is a value for a global variable of an object.
type Global struct {
	text string
}

// ParseGlobal reads "name = value", veristat's -G. The name may go on with fields
// and indices, as in a.b[2].c. The value is an integer in C's notation or an
// enumerator's name.
func ParseGlobal(text string) (Global, error) {
	return Global{}, errors.ErrUnsupported
}

// String returns what was parsed.
func (g Global) String() string { return g.text }
