// Package record is the schema of what verialloc measures: plain data with a
// documented JSON form, and nothing that touches a kernel.
//
// Every line of a feed is one JSON object with the members schema and kind. A
// feed starts with one environment; verification, event and loss follow in the
// order in which they were seen; summary is last. Within one schema version
// members are only added; a reader ignores those it does not know.
//
// Units stand in the names: _ns is nanoseconds, bytes are bytes, everything else
// counts. Times named time_unix_ns are of the wall clock. A feed's are all measured by
// the machine's CLOCK_MONOTONIC and shifted by its offset at the start, so that a wall
// clock that is set meanwhile moves none. Kernel pointers are strings
// of hexadecimal digits with a leading 0x, because they do not fit a JSON
// number; all other integers are below 2^53 except time_unix_ns, which a reader
// should take as 64-bit.
package record

// Schema names the version of the JSON form.
const Schema = "verialloc/1"

// The kinds of line.
const (
	KindEnvironment  = "environment"
	KindVerification = "verification"
	KindEvent        = "event"
	KindLoss         = "loss"
	KindSummary      = "summary"
	KindDiagnosis    = "diagnosis"
)

// Head is what every line begins with.
type Head struct {
	Schema string `json:"schema"`
	Kind   string `json:"kind"`
}

// NewHead returns the head of a line of the given kind.
func NewHead(kind string) Head {
	return Head{Schema: Schema, Kind: kind}
}
