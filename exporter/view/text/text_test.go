package text

import "testing"

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
		{Coverage(1), "100.0%"},
		{Coverage(0.99999), "99.9%"},
		{Coverage(1 - 1e-15), "99.9%"},
		{Coverage(0.998), "99.8%"},
		{Coverage(0), "0.0%"},
		{Waste(3, 4), "25.0%"},
		{Waste(5, 4), "0.0%"},
		{Count(1, "load"), "1 load"},
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
