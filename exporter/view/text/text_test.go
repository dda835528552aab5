package text

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestFormat(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Duration(0), "0ns"},
		{Duration(999), "999ns"},
		{Duration(1000), "1.0us"},
		{Duration(99_949), "99.9us"},
		{Duration(99_950), "100us"},
		{Duration(999_499), "999us"},
		{Duration(999_500), "1.0ms"},
		{Duration(12_345_678), "12.3ms"},
		{Duration(999_999_999), "1.0s"},
		{Duration(1<<64 - 1), "18446744074s"},
		{Bytes(1023), "1023B"},
		{Bytes(1024), "1.0KiB"},
		{Bytes(1<<20 - 1), "1.0MiB"},
		{Bytes(1_258_291), "1.2MiB"},
		{Bytes(1<<64 - 1), "16.0EiB"},
		{Share(1, 0), "-"},
		{Share(1, 8), "12.5%"},
		{Coverage(100), "100.0%"},
		{Coverage(99.999), "99.9%"},
		{Coverage(100 * (1 - 1e-15)), "99.9%"},
		{Coverage(100 * 0.998), "99.8%"},
		{Coverage(0), "0.0%"},
		{Waste(3, 4), "25.0%"},
		{Waste(5, 4), "0.0%"},
		{Count(1, "load"), "1 load"},
		{FineDuration(0), "0ns"},
		{FineDuration(999.4), "999ns"},
		{FineDuration(999.5), "1.00us"},
		{FineDuration(5120), "5.12us"},
		{FineDuration(9994), "9.99us"},
		{FineDuration(9995), "10.0us"},
		{FineDuration(99_949), "99.9us"},
		{FineDuration(99_950), "100us"},
		{FineDuration(-1_500_000), "-1.50ms"},
		{FineDuration(123_456_789_012), "123s"},
		{Number(12), "12"},
		{Number(1.5), "1.5"},
		{Number(0.123456), "0.1235"},
		{Number(1000.5), "1000.5"},
		{Change(0), "+0.00%"},
		{Change(-0.001), "+0.00%"},
		{Change(-1.234), "-1.23%"},
		{Change(math.Inf(1)), "from 0"},
		{Printable(""), "-"},
		{Printable(`a "b" c\`), `a "b" c\\`},
		{Printable("kworker/é"), "kworker/é"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// A cell that is too wide must not shift what comes after it for good.
func TestLayoutRecovers(t *testing.T) {
	l := Layout{Left("A", 3), Right("B", 6), Right("C", 3)}
	for _, c := range []struct{ got, want string }{
		{l.Line("x", "1", "2"), "x         1    2\n"},
		{l.Line("xxxxx", "1", "2"), "xxxxx     1    2\n"},
		{l.Line("xxxxxxxxxxxx", "1", "2"), "xxxxxxxxxxxx 1 2\n"},
		{l.Line("x", "", "2"), "x              2\n"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// hostile are names that must reach no terminal as they are, and what is shown instead.
var hostile = map[string]string{
	"\x1b[2J":              `\x1b[2J`,
	"a\nb\r\tc":            `a\nb\r\tc`,
	"\x00\a\b\x7f":         `\x00\a\b\x7f`,
	"\u0085\u009b31m":      `\u0085\u009b31m`, // C1
	"\x9b31m":              `\x9b31m`,         // C1 to a terminal of 8 bits
	"\xff\xc3(":            `\xff\xc3(`,
	"\u202egpj.o":          `\u202egpj.o`, // writes from right to left
	"\u2066x\u2069":        `\u2066x\u2069`,
	"a\u200b\u200d\ufeffb": `a\u200b\u200d\ufeffb`, // zero width
	"\u00a0\u2028\u3164":   `\u00a0\u2028\u3164`,   // blank
	"\U000e0041":           `\U000e0041`,           // a tag
}

func TestHostileNames(t *testing.T) {
	for name, want := range hostile {
		if got := Printable(name); got != want {
			t.Errorf("Printable(%q) = %s, want %s", name, got, want)
		}
		if got := Escape(name); got != want {
			t.Errorf("Escape(%q) = %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"main", `a "b" c\`, "très_long", "\ufffd", "名前"} {
		if got := Escape(name); got != name {
			t.Errorf("Escape(%q) = %s", name, got)
		}
	}
	const log = "0: (b7) r0 = 0\n; x = \"\\n\";\t// é\n"
	if got := EscapeLines(log + "\x1b\r"); got != log+`\x1b\r` {
		t.Errorf("EscapeLines: %q", got)
	}
}

// Whatever a name is, what is shown of it prints, and no other name is shown alike.
func FuzzPrintable(f *testing.F) {
	for name := range hostile {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, shown := range []string{Printable(name), Escape(name), strings.NewReplacer("\n", "", "\t", "").Replace(EscapeLines(name))} {
			if !utf8.ValidString(shown) || strings.ContainsFunc(shown, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Fatalf("%q is shown as %q", name, shown)
			}
		}
		if name == "" || name == None {
			return
		}
		back, err := strconv.Unquote(`"` + strings.ReplaceAll(Printable(name), `"`, `\"`) + `"`)
		if err != nil || back != name {
			t.Fatalf("%q is shown as %s, which is %q, %v", name, Printable(name), back, err)
		}
	})
}

func TestGrid(t *testing.T) {
	g := NewGrid(Left("NAME", 0), Right("N", 0), Left("", 0))
	if !g.Empty() {
		t.Error("no row yet, and not empty")
	}
	g.Add("é", "1", "")
	g.Add("longer", "200", "note")
	g.Add("a remark wider than its column")
	const want = "NAME      N\né         1\nlonger  200  note\na remark wider than its column\n"
	if got := g.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
