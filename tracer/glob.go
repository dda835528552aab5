package tracer

import (
	"path"
	"strings"
	"unicode/utf8"
)

// Reach is which loads a glob of Select.Prog can match.
type Reach int

// ReachAll is a glob that programs can match; ReachRefused one that no program's name can,
// but the name that a loader has asked for in vain; ReachNone one that nothing can.
const (
	ReachNone Reach = iota
	ReachRefused
	ReachAll
)

// The longest names, in bytes: what bpf_attr has room for, and what the kernel permits a
// function's (KSYM_NAME_LEN).
const (
	maxAskedName = 16
	maxFullName  = 512
)

// nameBytes are those of which names of programs and functions are made: bpf_obj_name_cpy()
// and btf_name_valid_identifier().
const nameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_."

// ReachOf says what a glob can match. The error is that of path.Match.
func ReachOf(glob string) (Reach, error) {
	if _, err := path.Match(glob, ""); err != nil {
		return ReachNone, err
	}
	reach, least := ReachAll, 0
	for rest := glob; rest != ""; {
		var element string
		element, rest = cutElement(rest)
		if element == "*" {
			continue
		}
		least++
		if !matchesName(element) {
			reach = ReachRefused
		}
	}
	if least > maxFullName || reach == ReachRefused && least > maxAskedName {
		return ReachNone, nil
	}
	return reach, nil
}

// mayMatch reports whether a glob that some name matches can match one that begins so.
func mayMatch(glob, begin string) bool {
	for rest := glob; rest != ""; {
		_, rest = cutElement(rest)
		if ok, _ := path.Match(glob[:len(glob)-len(rest)], begin); ok {
			return true
		}
	}
	return false
}

// cutElement cuts off what matches one character, or a *.
func cutElement(glob string) (element, rest string) {
	size := 0
	switch glob[0] {
	case '\\':
		_, size = utf8.DecodeRuneInString(glob[1:])
		size++
	case '[':
		size = classEnd(glob)
	default:
		_, size = utf8.DecodeRuneInString(glob)
	}
	return glob[:size], glob[size:]
}

// classEnd returns where a class ends; path.Match has found that it does.
func classEnd(glob string) int {
	for i := 1; i < len(glob); i++ {
		switch glob[i] {
		case '\\':
			i++
		case ']':
			return i + 1
		}
	}
	return len(glob)
}

// matchesName reports whether an element matches a character of names. The kernel takes the
// bytes that are letters of Latin-1 for such, too.
func matchesName(element string) bool {
	for _, r := range nameBytes {
		if ok, _ := path.Match(element, string(r)); ok {
			return true
		}
	}
	return strings.ContainsFunc(element, func(r rune) bool { return r >= utf8.RuneSelf })
}
