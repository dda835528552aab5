package recording

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/verialloc/verialloc/internal/input"
)

func TestReadJSONLErrors(t *testing.T) {
	const head = `{"schema":"verialloc/1","kind":"`
	for name, c := range map[string]struct{ feed, want string }{
		"unknown kind":    {head + "later\"}\n\n" + head + "loss\"}\n", ""},
		"minor version":   {`{"schema":"verialloc/1.7","kind":"loss","new":1}`, ""},
		"major version":   {head + "loss\"}\n" + `{"schema":"verialloc/2","kind":"loss"}`, `line 2: schema "verialloc/2"`},
		"major of digits": {`{"schema":"verialloc/10","kind":"loss"}`, `line 1: schema`},
		"no schema":       {`{"kind":"loss"}`, `line 1: schema ""`},
		"cut off":         {head + "loss\"}\n\n" + head, "line 3: its last line is cut off"},
		"no line end":     {head + "loss\"}\n" + head + "loss\"}", ""},
		"not cut off":     {head + "\n" + head + "loss\"}\n", "line 1: invalid character"},
		"wrong type":      {head + `summary","exact":-1}`, "line 1: summary: "},
		"bad pointer":     {head + `event","pointer":"12"}`, "line 1: event: pointer"},
		"histogram":       {head + `verification","types":[{"latency":{"counts":[1]}}]}`, "line 1: histogram"},
	} {
		var got error
		for _, err := range ReadJSONL(strings.NewReader(c.feed)) {
			got = err
		}
		if (got == nil) != (c.want == "") || got != nil && !strings.HasPrefix(got.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, got, c.want)
		}
	}
}

// A line that is too long is refused once that many bytes were read, and the rest is not read.
func TestLongLine(t *testing.T) {
	source := &endless{}
	var got error
	for _, err := range ReadJSONL(source) {
		got = err
	}
	if got == nil || got.Error() != "line 1: longer than 16777216 bytes, which is no line of a feed" {
		t.Errorf("%v", got)
	}
	if source.count > 2*input.RecordingLine {
		t.Errorf("%d bytes were read", source.count)
	}
}

// endless is one line that does not end.
type endless struct{ count int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.count += len(p)
	return len(p), nil
}

// A file that cannot be read to its end is not cut off.
func TestUnreadable(t *testing.T) {
	broken := errors.New("input/output error")
	source := io.MultiReader(strings.NewReader(`{"schema":"verialloc/1","kind":"lo`), iotest.ErrReader(broken))
	var got error
	for _, err := range ReadJSONL(source) {
		got = err
	}
	if !errors.Is(got, broken) || errors.Is(got, ErrCutOff) {
		t.Errorf("%v", got)
	}
}
