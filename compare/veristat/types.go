package veristat

import (
	"slices"

	"github.com/verialloc/verialloc/tracer/record"
)

// The names of types that veristat knows are those of libbpf 1.7, by their numbers.
var (
	progTypes   = upTo(record.ProgramTypes[:], "netfilter")
	attachTypes = upTo(record.AttachTypes[:], "trace_fsession")
)

// upTo returns the names up to the last one that libbpf 1.7 has.
func upTo(names []string, last string) []string {
	return names[:slices.Index(names, last)+1]
}

// notAvailable is what veristat prints where it has no word: of a type that its
// libbpf does not know, and of a side of a comparison that lacks the row.
const notAvailable = "N/A"

// typeName returns the name of a type in one of the lists above.
func typeName(names []string, number int64) string {
	if number < 0 || number >= int64(len(names)) {
		return notAvailable
	}
	return names[number]
}

// typeNumber returns the number of a type, and false if it is not known; the number
// then comes after all that are.
func typeNumber(names []string, name string) (int64, bool) {
	if i := slices.Index(names, name); i >= 0 {
		return int64(i), true
	}
	return int64(len(names)), false
}
