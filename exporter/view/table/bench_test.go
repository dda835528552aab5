package table

import (
	"io"
	"testing"

	"github.com/verialloc/verialloc/exporter/internal/sample"
	"github.com/verialloc/verialloc/tracer/record"
)

// What an event costs bounds how many a second can be shown without a loss.
func BenchmarkEvent(b *testing.B) {
	event := sample.Events()[0]
	table := New(io.Discard, Options{})
	for b.Loop() {
		table.Event(event)
	}
}

func BenchmarkVerification(b *testing.B) {
	v := sample.Accepted()
	table := New(io.Discard, Options{By: record.Dimensions})
	for b.Loop() {
		table.Verification(v)
	}
}
