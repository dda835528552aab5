package compare

import (
	"slices"
	"strings"
)

// differentWords returns what two command lines of a kernel differ in: of each side the
// words that the other has not, or not so often. Where it is their order alone, in which the
// last of two counts, it is what lies between the words that stand alike at both ends. Of two
// kernels the words that a boot loader adds to name the kernel's files say nothing more.
func differentWords(what, base, comp string, otherKernel bool) Difference {
	a, b := words(base), words(comp)
	if otherKernel {
		a, b = slices.DeleteFunc(a, namesFiles), slices.DeleteFunc(b, namesFiles)
	}
	onBase, onNew := without(a, b), without(b, a)
	if len(onBase)+len(onNew) == 0 {
		for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
			a, b = a[1:], b[1:]
		}
		for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
			a, b = a[:len(a)-1], b[:len(b)-1]
		}
		onBase, onNew = a, b
	}
	return Difference{what, strings.Join(onBase, " "), strings.Join(onNew, " ")}
}

// namesFiles reports whether a word names the kernel's image or its initial RAM disk.
func namesFiles(word string) bool {
	return strings.HasPrefix(word, "BOOT_IMAGE=") || strings.HasPrefix(word, "initrd=")
}

// words cuts a kernel's command line as the kernel does (next_arg() in lib/cmdline.c): at
// white space, except between double quotes.
func words(commandLine string) []string {
	var words []string
	quoted := false
	begin := -1 // of a word; -1: not in one
	for i, r := range commandLine {
		switch {
		case !quoted && strings.ContainsRune(" \t\n\v\f\r", r):
			if begin >= 0 {
				words = append(words, commandLine[begin:i])
			}
			begin = -1
			continue
		case begin < 0:
			begin = i
		}
		if r == '"' {
			quoted = !quoted
		}
	}
	if begin >= 0 {
		words = append(words, commandLine[begin:])
	}
	return words
}

// without returns the words of a that b has not, or not so often.
func without(a, b []string) []string {
	rest := slices.Clone(b)
	var out []string
	for _, word := range a {
		if i := slices.Index(rest, word); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
		} else {
			out = append(out, word)
		}
	}
	return out
}
