package compare

import (
	"fmt"
	"slices"
	"strings"
)

// NameMap has what a program of BASE is called in NEW.
type NameMap struct {
	progs map[string]string
	files map[string]string
	whole map[key]key
	names []rename // all of them, as they were added
}

// rename is a change of names. Parts that stay as they are are empty.
type rename struct {
	text         string
	old, renamed key
}

// Add adds OLD=NEW, where either is PROG, FILE/PROG or FILE/: names of one program, of
// one program of one file, or of a file with all its programs. Both must be of the same
// kind, and OLD can be mapped once.
func (m *NameMap) Add(text string) error {
	old, renamed, ok := strings.Cut(text, "=")
	if !ok || old == "" || renamed == "" || strings.Contains(renamed, "=") {
		return fmt.Errorf("%q: want OLD=NEW", text)
	}
	oldFile, oldProg, oldHasFile := cutName(old)
	newFile, newProg, newHasFile := cutName(renamed)
	if oldHasFile != newHasFile || (oldProg == "") != (newProg == "") {
		return fmt.Errorf("%q: want PROG=PROG, FILE/PROG=FILE/PROG or FILE/=FILE/", text)
	}
	if oldHasFile && (oldFile == "" || newFile == "" || strings.Contains(oldProg+newProg, "/")) {
		return fmt.Errorf("%q: a name has one / at most, and a file ahead of it", text)
	}
	var again bool
	switch {
	case !oldHasFile:
		m.progs, again = put(m.progs, oldProg, newProg)
	case oldProg == "":
		m.files, again = put(m.files, oldFile, newFile)
	default:
		m.whole, again = put(m.whole, key{oldFile, oldProg}, key{newFile, newProg})
	}
	if again {
		return fmt.Errorf("%q: %s is mapped already", text, old)
	}
	m.names = append(m.names, rename{text, key{oldFile, oldProg}, key{newFile, newProg}})
	return nil
}

// has reports whether a side has a program of that name, or of that file.
func (in *Input) has(name key) bool {
	return slices.ContainsFunc(in.subjects, func(s *subject) bool {
		return (name.file == "" || name.file == s.file) && (name.prog == "" || name.prog == s.prog)
	})
}

// warnOfNames names what was mapped and is not there.
func (c *comparing) warnOfNames() {
	if c.options.Names == nil {
		return
	}
	for _, n := range c.options.Names.names {
		old, renamed, _ := strings.Cut(n.text, "=")
		var missing []string
		if !c.base.has(n.old) {
			missing = append(missing, "BASE has no "+old)
		}
		if !c.comp.has(n.renamed) {
			missing = append(missing, "NEW has no "+renamed)
		}
		if len(missing) > 0 {
			c.warn("not_mapped", key{}, "", "--map %s matches nothing: %s", n.text, strings.Join(missing, ", "))
		}
	}
}

func cutName(text string) (file, prog string, hasFile bool) {
	file, prog, hasFile = strings.Cut(text, "/")
	if !hasFile {
		return "", text, false
	}
	return file, prog, true
}

// put adds to a map that may be nil, and reports whether the key was there.
func put[K comparable, V any](m map[K]V, k K, v V) (map[K]V, bool) {
	if m == nil {
		m = map[K]V{}
	}
	_, again := m[k]
	m[k] = v
	return m, again
}

// of returns what a program of BASE is called in NEW. A name of a program in a file
// counts ahead of one in all files.
func (m *NameMap) of(k key) key {
	if m == nil {
		return k
	}
	if mapped, ok := m.whole[k]; ok {
		return mapped
	}
	if prog, ok := m.progs[k.prog]; ok {
		k.prog = prog
	}
	if file, ok := m.files[k.file]; ok {
		k.file = file
	}
	return k
}

// pair is a program on both sides.
type pair struct{ base, comp *subject }

// match returns the programs that both sides have with samples, in the order of BASE,
// and says why of each of the others.
func match(base, comp *Input, names *NameMap) (pairs []pair, unmatched []Unmatched) {
	there := map[key]*subject{}
	for _, s := range comp.subjects {
		there[s.key] = s
	}
	taken := map[key]bool{}
	for _, s := range base.subjects {
		k := names.of(s.key)
		other := there[k]
		switch {
		case other == nil && k != s.key:
			unmatched = append(unmatched, Unmatched{s.file, s.prog, "base", "NEW has no " + k.String()})
			continue
		case other == nil:
			unmatched = append(unmatched, Unmatched{s.file, s.prog, "base", "NEW has no such program"})
			continue
		case taken[k]:
			unmatched = append(unmatched, Unmatched{s.file, s.prog, "base", "NEW's " + k.String() + " is matched with another"})
			continue
		}
		taken[k] = true
		if why := unusable(s, "BASE"); why != "" {
			unmatched = append(unmatched, Unmatched{s.file, s.prog, "base", why})
		} else if why := unusable(other, "NEW"); why != "" {
			unmatched = append(unmatched, Unmatched{s.file, s.prog, "base", why})
		} else {
			pairs = append(pairs, pair{s, other})
		}
	}
	for _, s := range comp.subjects {
		if !taken[s.key] {
			unmatched = append(unmatched, Unmatched{s.file, s.prog, "new", "BASE has no such program"})
		}
	}
	return pairs, unmatched
}

// unusable says why a program has nothing to compare, empty if it has.
func unusable(s *subject, side string) string {
	switch {
	case s.failure != "":
		return "not loaded for " + side + ": " + s.failure
	case !s.loaded:
		return side + " has no sample of it"
	default:
		return ""
	}
}
