package jsonl

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"strings"
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

// A feed may be shown at a terminal: what does not print is escaped in it, and read back
// as what it was.
func TestHostile(t *testing.T) {
	e := sample.Events()[0]
	e.Type, e.Cache = strings.ToValidUTF8(sample.Hostile, "")+"\U000e0041 é 名", "plain"
	var b bytes.Buffer
	f := New(&b)
	if err := errors.Join(f.Event(e), f.End(sample.Poison(sample.Summary()))); err != nil {
		t.Fatal(err)
	}
	sample.Shown(t, "JSON Lines", b.String())
	if !strings.Contains(b.String(), "é 名") {
		t.Errorf("what prints was escaped: %s", b.String())
	}
	var got record.Event
	line, _, _ := strings.Cut(b.String(), "\n")
	if err := json.Unmarshal([]byte(line), &got); err != nil || got.Type != e.Type {
		t.Errorf("read back: %q, %v, want %q", got.Type, err, e.Type)
	}
}
