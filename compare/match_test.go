package compare

import "testing"

func TestNameMap(t *testing.T) {
	var m NameMap
	for _, text := range []string{"old=new", "a.bpf.o/=b.bpf.o/", "a.bpf.o/x=c.bpf.o/y"} {
		if err := m.Add(text); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[key]key{
		{"f.bpf.o", "old"}: {"f.bpf.o", "new"},
		{"a.bpf.o", "old"}: {"b.bpf.o", "new"},
		{"a.bpf.o", "z"}:   {"b.bpf.o", "z"},
		{"a.bpf.o", "x"}:   {"c.bpf.o", "y"},
		{"f.bpf.o", "x"}:   {"f.bpf.o", "x"},
	} {
		if got := m.of(from); got != to {
			t.Errorf("%v: %v, want %v", from, got, to)
		}
	}
	for _, text := range []string{"", "old", "=new", "old=", "a=b=c", "old=x", "a/b=c", "a/=b", "a/=b/c", "/a=/b", "a/b/c=a/b/d", "a.bpf.o/=z/", "a.bpf.o/x=q/r"} {
		if err := m.Add(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	if got := (*NameMap)(nil).of(key{"a", "b"}); got != (key{"a", "b"}) {
		t.Errorf("no map: %v", got)
	}
}

func FuzzNameMap(f *testing.F) {
	for _, text := range []string{"old=new", "a/=b/", "a/x=b/y", "=", "/=/"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var m NameMap
		if m.Add(text) != nil {
			if m.of(key{"f", "p"}) != (key{"f", "p"}) {
				t.Fatalf("%q was refused and has an effect", text)
			}
			return
		}
		if m.Add(text) == nil {
			t.Fatalf("%q was taken twice", text)
		}
	})
}
