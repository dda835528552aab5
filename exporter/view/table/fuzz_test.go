package table

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/verialloc/verialloc/exporter/feed/jsonl"
	"github.com/verialloc/verialloc/exporter/internal/sample"
	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

// failing accepts nothing.
type failing struct{}

var errFull = errors.New("full")

func (failing) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrors(t *testing.T) {
	if err := New(failing{}, Options{}).Begin(nil); !errors.Is(err, errFull) {
		t.Errorf("table: %v", err)
	}
}

func FuzzReadJSONL(f *testing.F) {
	var feed bytes.Buffer
	for _, line := range sample.Feed() {
		if err := jsonl.New(&feed).Write(line); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(feed.Bytes())
	for line := range bytes.Lines(feed.Bytes()) {
		f.Add(line)
	}
	f.Add([]byte("{}\nnull\n[]\n"))
	f.Fuzz(func(t *testing.T, feed []byte) {
		for line, err := range recording.ReadJSONL(bytes.NewReader(feed)) {
			if err != nil {
				return
			}
			// Whatever is read can be shown and written again.
			j := jsonl.New(io.Discard)
			if err := j.Write(line); err != nil {
				t.Errorf("write what was read: %v", err)
			}
			table := New(io.Discard, Options{By: record.Dimensions, Histogram: true})
			switch line := line.(type) {
			case *record.Verification:
				table.Verification(line)
			case *record.Event:
				table.Event(line)
			case *record.Environment:
				WriteEnvironment(io.Discard, line)
			case *record.Summary:
				WriteSummary(io.Discard, line)
			case *record.LossReport:
				LossText(line)
			case *record.Diagnosis:
				WriteDiagnosis(io.Discard, line)
			}
		}
	})
}
