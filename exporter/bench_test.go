package exporter

import (
	"io"
	"testing"
)

// What an event costs bounds how many a second can be shown without a loss.
func BenchmarkEvent(b *testing.B) {
	event := sampleEvents()[0]
	b.Run("jsonl", func(b *testing.B) {
		j := NewJSONL(io.Discard)
		for b.Loop() {
			j.Event(event)
		}
	})
	b.Run("table", func(b *testing.B) {
		table := NewTable(io.Discard, TableOptions{})
		for b.Loop() {
			table.Event(event)
		}
	})
}

func BenchmarkVerification(b *testing.B) {
	v := sampleAccepted()
	b.Run("jsonl", func(b *testing.B) {
		j := NewJSONL(io.Discard)
		for b.Loop() {
			j.Verification(v)
		}
	})
	b.Run("table", func(b *testing.B) {
		table := NewTable(io.Discard, TableOptions{By: Dimensions})
		for b.Loop() {
			table.Verification(v)
		}
	})
}
