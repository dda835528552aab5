package compare

import "testing"

func TestDifferentWords(t *testing.T) {
	for _, c := range []struct{ name, base, comp, onBase, onNew string }{
		{"one more", "quiet", "quiet arm=C", "", "arm=C"},
		{"another value", "a=1 arm=A quiet", "a=1 arm=C quiet", "arm=A", "arm=C"},
		{"in another place", "arm=A a=1", "a=1 arm=C", "arm=A", "arm=C"},
		{"once more", "console=ttyS0 quiet", "console=ttyS0 quiet quiet", "", "quiet"},
		{"another order", "a b=1 b=2 c", "a b=2 b=1 c", "b=1 b=2", "b=2 b=1"},
		{"other white space", "a b", "a  b", "", ""},
		{"for init", "quiet -- x", "quiet -- y", "x", "y"},
		{"quotes", `dyndbg="file a.c +p" a`, `dyndbg="file b.c +p" a`, `dyndbg="file a.c +p"`, `dyndbg="file b.c +p"`},
		{"a quote that does not end", `a "b c`, `a "b d`, `"b c`, `"b d`},
		{"none", "", "quiet", "", "quiet"},
	} {
		if got := differentWords("x", c.base, c.comp, false); got.Base != c.onBase || got.New != c.onNew {
			t.Errorf("%s: %q -> %q, want %q -> %q", c.name, got.Base, got.New, c.onBase, c.onNew)
		}
	}
	const base, comp = "BOOT_IMAGE=/boot/vmlinuz-6.12 quiet", "BOOT_IMAGE=/boot/vmlinuz-7.3 quiet"
	if got := differentWords("x", base, comp, true); got.Base != "" || got.New != "" {
		t.Errorf("two kernels: %q -> %q", got.Base, got.New)
	}
	if got := differentWords("x", base, comp, false); got.Base == "" || got.New == "" {
		t.Errorf("one kernel: %q -> %q", got.Base, got.New)
	}
}
