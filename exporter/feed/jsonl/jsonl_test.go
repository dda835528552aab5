package jsonl

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/exporter/internal/sample"
	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/recording"
)

func writeFeed(w io.Writer) error {
	j := New(w)
	var err error
	for _, line := range sample.Feed() {
		switch line := line.(type) {
		case *record.Environment:
			err = errors.Join(err, j.Begin(line))
		case *record.Verification:
			err = errors.Join(err, j.Verification(line))
		case *record.Event:
			err = errors.Join(err, j.Event(line))
		case *record.LossReport:
			err = errors.Join(err, j.Loss(line))
		case *record.Summary:
			err = errors.Join(err, j.End(line))
		}
	}
	return err
}

func TestJSONL(t *testing.T) {
	sample.Golden(t, "feed.jsonl", func(b *bytes.Buffer) error { return writeFeed(b) })
	file, err := os.Open("testdata/feed.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var got []any
	for line, err := range recording.ReadJSONL(file) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, line)
	}
	if diff := cmp.Diff(sample.Feed(), got); diff != "" {
		t.Errorf("read back (-written +read):\n%s", diff)
	}
}

// failing accepts nothing.
type failing struct{}

var errFull = errors.New("full")

func (failing) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrors(t *testing.T) {
	j := New(failing{})
	if err := j.Event(sample.Events()[0]); err != nil {
		t.Errorf("a buffered event: %v", err)
	}
	if err := j.Verification(sample.Accepted()); !errors.Is(err, errFull) {
		t.Errorf("JSONL: %v", err)
	}
	v := sample.Accepted()
	v.LatencyCoverage = math.NaN()
	if err := New(io.Discard).Verification(v); err == nil {
		t.Error("NaN was written")
	}
}
