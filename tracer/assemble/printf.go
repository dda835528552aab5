package assemble

import (
	"strconv"
	"strings"
)

// Call is a call by which the verifier writes its log.
type Call struct {
	Format string
	Args   []Arg
	Cut    bool // the format may go on, or was not read
}

// Arg is an argument of a call.
type Arg struct {
	Word uint64
	Text string // what it points to, if it was read
	Read bool
	Cut  bool // the text may go on
}

// unknown stands in a text for what is not known of it. The kernel's texts end at it.
const unknown = "\x00"

// printf appends what the kernel's vsnprintf makes of a call. Of its conversions it knows
// those that the verifier uses; what any other gives is unknown, of one argument.
func (c *Call) printf(b *strings.Builder) {
	args := c.Args
	next := func() Arg {
		if len(args) == 0 {
			return Arg{Cut: true}
		}
		arg := args[0]
		args = args[1:]
		return arg
	}
	for rest := c.Format; rest != ""; {
		text, directive, found := strings.Cut(rest, "%")
		b.WriteString(text)
		if !found {
			break
		}
		d, size := parseConversion(directive)
		d.print(b, next)
		rest = directive[size:]
	}
	if c.Cut {
		b.WriteString(unknown)
	}
}

// conversion is what follows a % in a format.
type conversion struct {
	left, zero, plus, space, alternate bool
	width, precision                   int // star: an argument; none: not there
	bits                               uint
	verb                               byte // 0: there is none
}

const (
	none = -1
	star = -2
)

// maxWidth is more than a line of the log has.
const maxWidth = 1024

// parseConversion reads a conversion from the beginning of a format, and returns its size.
func parseConversion(format string) (c conversion, size int) {
	c = conversion{width: none, precision: none, bits: 32}
	i := 0
	for ; i < len(format); i++ {
		if !c.flag(format[i]) {
			break
		}
	}
	c.width, i = parseSize(format, i)
	if i < len(format) && format[i] == '.' {
		if c.precision, i = parseSize(format, i+1); c.precision == none {
			c.precision = 0
		}
	}
	for i < len(format) && c.length(format[i]) {
		i++
	}
	if i == len(format) {
		return c, i
	}
	c.verb = format[i]
	i++
	if c.verb == 'p' { // letters and digits behind it say how
		for i < len(format) && isAlphanumeric(format[i]) {
			i++
		}
	}
	return c, i
}

func isAlphanumeric(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// flag takes a flag, and reports whether it is one.
func (c *conversion) flag(b byte) bool {
	switch b {
	case '-':
		c.left = true
	case '0':
		c.zero = true
	case '+':
		c.plus = true
	case ' ':
		c.space = true
	case '#':
		c.alternate = true
	default:
		return false
	}
	return true
}

// length takes a letter for an argument's length, and reports whether it is one.
func (c *conversion) length(b byte) bool {
	switch b {
	case 'l', 'L', 'q', 'z', 't', 'j', 'Z':
		c.bits = 64
	case 'h':
		c.bits /= 2
	default:
		return false
	}
	return true
}

// parseSize reads a width or a precision.
func parseSize(format string, i int) (size, end int) {
	if i < len(format) && format[i] == '*' {
		return star, i + 1
	}
	size = none
	for ; i < len(format) && format[i] >= '0' && format[i] <= '9'; i++ {
		size = min(max(size, 0)*10+int(format[i]-'0'), maxWidth)
	}
	return size, i
}

// print appends one conversion.
func (c conversion) print(b *strings.Builder, next func() Arg) {
	if c.verb == '%' {
		b.WriteByte('%')
		return
	}
	if c.width == star {
		c.width = int(int32(next().Word))
		if c.width < 0 {
			c.left, c.width = true, -c.width
		}
		c.width = min(c.width, maxWidth)
	}
	if c.precision == star {
		c.precision = max(int(int32(next().Word)), none)
	}
	switch c.verb {
	case 's':
		c.string(b, next())
	case 'c':
		c.pad(b, string([]byte{byte(next().Word)}))
	case 'd', 'i', 'u', 'x', 'X', 'o':
		c.number(b, next())
	default:
		next()
		b.WriteString(unknown)
	}
}

// string appends a text; what the kernel writes for an address without one, if there is none.
func (c conversion) string(b *strings.Builder, arg Arg) {
	const page = uint64(4096) // what is nearer to 0 from either side is no address
	text := arg.Text
	switch {
	case arg.Read:
	case arg.Cut:
		text = unknown
	case arg.Word == 0:
		text = "(null)"
	case arg.Word < page || -arg.Word <= page:
		text = "(efault)"
	default:
		text = unknown
	}
	switch {
	case c.precision >= 0 && c.precision < len(text):
		text = text[:c.precision]
	case arg.Read && arg.Cut:
		text += unknown
	}
	c.pad(b, text)
}

// number appends a number.
func (c conversion) number(b *strings.Builder, arg Arg) {
	if arg.Cut && arg.Word == 0 && !arg.Read { // there is no such argument
		b.WriteString(unknown)
		return
	}
	bits := max(c.bits, 8)
	word := arg.Word << (64 - bits) >> (64 - bits)
	sign, digits := "", ""
	switch c.verb {
	case 'd', 'i':
		n := int64(arg.Word<<(64-bits)) >> (64 - bits)
		digits = strconv.FormatInt(n, 10)
		if n < 0 {
			sign, digits = "-", digits[1:]
		} else if c.plus {
			sign = "+"
		} else if c.space {
			sign = " "
		}
	case 'u':
		digits = strconv.FormatUint(word, 10)
	case 'o':
		digits = strconv.FormatUint(word, 8)
		if c.alternate && word != 0 {
			sign = "0"
		}
	default:
		digits = strconv.FormatUint(word, 16)
		prefix := "0x"
		if c.verb == 'X' {
			digits, prefix = strings.ToUpper(digits), "0X"
		}
		if c.alternate {
			sign = prefix
		}
	}
	least := c.precision
	if c.zero && !c.left && c.precision < 0 {
		least = c.width - len(sign)
	}
	if missing := min(least, maxWidth) - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	c.pad(b, sign+digits)
}

// pad appends a text with the spaces that it lacks of the width.
func (c conversion) pad(b *strings.Builder, text string) {
	spaces := strings.Repeat(" ", max(c.width-len(text), 0))
	if c.left {
		b.WriteString(text + spaces)
	} else {
		b.WriteString(spaces + text)
	}
}
