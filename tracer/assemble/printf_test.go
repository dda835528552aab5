package assemble

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// callOf makes up a call: a number, a text, or nil for NULL, for each argument.
func callOf(format string, args ...any) *Call {
	c := &Call{Format: format}
	for _, arg := range args {
		switch arg := arg.(type) {
		case nil:
			c.Args = append(c.Args, Arg{})
		case string:
			c.Args = append(c.Args, Arg{Word: 0xffffffff82000000, Text: arg, Read: true})
		case rune:
			c.Args = append(c.Args, Arg{Word: uint64(arg)})
		case int:
			c.Args = append(c.Args, Arg{Word: uint64(arg)})
		case uint64:
			c.Args = append(c.Args, Arg{Word: arg})
		}
	}
	return c
}

// The formats are the verifier's, or of its kind; what they give is the kernel's vsnprintf's.
func TestPrintf(t *testing.T) {
	const junk = uint64(0xdeadbeef) << 32 // a 32-bit argument leaves these bits as they were
	for _, tt := range []struct {
		call *Call
		want string
	}{
		{callOf("R%d !read_ok\n", 3), "R3 !read_ok\n"},
		{callOf("R%d !read_ok\n", junk|3), "R3 !read_ok\n"},
		{callOf("%d", 0xffffffff), "-1"},
		{callOf("%u", 0xffffffff), "4294967295"},
		{callOf("%lld %llu", -5, ^uint64(0)), "-5 18446744073709551615"},
		{callOf("%llx %#x %X", 0x1234567890, 255, 255), "1234567890 0xff FF"},
		{callOf("%hhd %hd", 0x1ff, 0x18000), "-1 -32768"},
		{callOf("%ld %zd %ju", 1, 2, 3), "1 2 3"},
		{callOf("(%02x) %5d|%-5d|%05d", 7, -1, 2, -3), "(07)    -1|2    |-0003"},
		{callOf("%+d % d %.3d", 1, 2, 3), "+1  2 003"},
		{callOf("%o %#o %#o", 8, 8, 0), "10 010 0"},
		{callOf("%*s%-*d|", 4, "ab", 3, 7), "  ab7  |"},
		{callOf("%.*s %.2s %s", 1, "xyz", "abc", nil), "x ab (null)"},
		{callOf("%c%c%%", 'a', 'b'), "ab%"},
		{callOf("%s access %s", "invalid", 8), "invalid access (efault)"},
		{callOf("%pK at %d", 1, 2), unknown + " at 2"},
		{callOf("%n|%", 1), unknown + "|" + unknown},
		{callOf("%5"), unknown},
		{callOf("100%"), "100" + unknown},
		{callOf("%d %s"), unknown + " " + unknown},
		{&Call{Format: "insn ", Cut: true}, "insn " + unknown},
		{&Call{Format: "%s!", Args: []Arg{{Word: 1 << 63, Text: "abc", Read: true, Cut: true}}}, "abc" + unknown + "!"},
		{&Call{Format: "%.2s!", Args: []Arg{{Word: 1 << 63, Text: "abc", Read: true, Cut: true}}}, "ab!"},
		{callOf("%s", uint64(0xffff888000000000)), unknown},
	} {
		var b strings.Builder
		tt.call.printf(&b)
		if got := b.String(); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.call.Format, got, tt.want)
		}
	}
}

// FuzzPrintf checks that any format gives a text, of bounded length, and that what is no
// conversion stays as it is.
func FuzzPrintf(f *testing.F) {
	f.Add("R%d type=%s expected=%*.*s\n", uint64(1), "ctx", uint64(0))
	f.Add("%-#0+ 99999999.8888llx%pISpfsc%", ^uint64(0), "%s", uint64(1<<31))
	f.Add("", uint64(0), "", uint64(0))
	f.Fuzz(func(t *testing.T, format string, word uint64, text string, other uint64) {
		call := callOf(format, word, text, other, word, text, other, word, text)
		var b strings.Builder
		call.printf(&b)
		got := b.String()
		if most := len(format) + strings.Count(format, "%")*(2*maxWidth+len(text)+len(unknown)); len(got) > most {
			t.Errorf("%q: %d bytes, want %d at most", format, len(got), most)
		}
		if !strings.Contains(format, "%") && got != format {
			t.Errorf("%q: %q", format, got)
		}
		if utf8.ValidString(format) && strings.HasPrefix(format, "insn %d") && !strings.HasPrefix(got, "insn ") {
			t.Errorf("%q: %q", format, got)
		}
	})
}
