package record

import (
	"fmt"
	"strconv"
	"strings"
)

// Pointer is a kernel address. Its JSON form is a string such as
// "0xffff8881002a3c00"; zero means not known.
type Pointer uint64

// AppendText appends the pointer as 0x and hexadecimal digits.
func (p Pointer) AppendText(b []byte) ([]byte, error) {
	return strconv.AppendUint(append(b, "0x"...), uint64(p), 16), nil
}

// MarshalText implements encoding.TextMarshaler.
func (p Pointer) MarshalText() ([]byte, error) {
	return p.AppendText(nil)
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Pointer) UnmarshalText(text []byte) error {
	digits, ok := strings.CutPrefix(string(text), "0x")
	if !ok {
		return fmt.Errorf("pointer %q: want 0x and hexadecimal digits", text)
	}
	v, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		return fmt.Errorf("pointer %q: want 0x and hexadecimal digits", text)
	}
	*p = Pointer(v)
	return nil
}
