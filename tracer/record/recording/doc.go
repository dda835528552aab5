// Package recording reads, writes, checks and summarises what verialloc wrote down as
// JSON Lines: the recordings of bench and the feeds of trace.
//
// It is the one place that knows when a file is whole, and that computes a number from
// several samples. It needs package record and the standard library alone.
package recording
