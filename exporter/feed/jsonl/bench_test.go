package jsonl

import (
	"io"
	"testing"

	"github.com/verialloc/verialloc/exporter/internal/sample"
)

// What an event costs bounds how many a second can be shown without a loss.
func BenchmarkEvent(b *testing.B) {
	event := sample.Events()[0]
	j := New(io.Discard)
	for b.Loop() {
		j.Event(event)
	}
}

func BenchmarkVerification(b *testing.B) {
	v := sample.Accepted()
	j := New(io.Discard)
	for b.Loop() {
		j.Verification(v)
	}
}
