package kernels

import (
	"cmp"
	"regexp"
	"strings"
)

var (
	seriesForm  = regexp.MustCompile(`^\d+\.\d+$`)
	seriesStart = regexp.MustCompile(`^\d+\.\d+`)
)

// IsSeries reports whether name has the form of a series.
func IsSeries(name string) bool { return seriesForm.MatchString(name) }

// Series returns the series of a release, empty when it has not the form of one.
func Series(release string) string { return seriesStart.FindString(release) }

// Compare orders versions as Debian does (deb-version(7)): numbers by value,
// letters before other characters, and a tilde before everything, even the end.
func Compare(a, b string) int {
	ea, ua, ra := splitVersion(a)
	eb, ub, rb := splitVersion(b)
	return cmp.Or(compareNumbers(ea, eb), compareParts(ua, ub), compareParts(ra, rb))
}

// splitVersion returns the epoch, the upstream version and the revision.
func splitVersion(v string) (epoch, upstream, revision string) {
	if head, rest, found := strings.Cut(v, ":"); found {
		epoch, v = head, rest
	}
	if at := strings.LastIndexByte(v, '-'); at >= 0 {
		v, revision = v[:at], v[at+1:]
	}
	return epoch, v, revision
}

func compareParts(a, b string) int {
	for a != "" || b != "" {
		var textA, textB, numA, numB string
		textA, a = cutWhere(a, isDigit)
		textB, b = cutWhere(b, isDigit)
		if c := compareText(textA, textB); c != 0 {
			return c
		}
		numA, a = cutWhere(a, isNoDigit)
		numB, b = cutWhere(b, isNoDigit)
		if c := compareNumbers(numA, numB); c != 0 {
			return c
		}
	}
	return 0
}

func compareText(a, b string) int {
	for i := range max(len(a), len(b)) {
		if c := cmp.Compare(weight(a, i), weight(b, i)); c != 0 {
			return c
		}
	}
	return 0
}

// weight returns the rank of a character, or of the end when i is there.
func weight(s string, i int) int {
	if i >= len(s) {
		return 0
	}
	switch c := s[i]; {
	case c == '~':
		return -1
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return int(c)
	default:
		return int(c) + 256
	}
}

// compareNumbers compares strings of digits of any length.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// cutWhere cuts s before the first character that stop holds of.
func cutWhere(s string, stop func(rune) bool) (head, rest string) {
	if at := strings.IndexFunc(s, stop); at >= 0 {
		return s[:at], s[at:]
	}
	return s, ""
}

func isDigit(c rune) bool   { return '0' <= c && c <= '9' }
func isNoDigit(c rune) bool { return !isDigit(c) }
