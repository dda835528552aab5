// Package assemble turns the stream of kernel events into one record per
// verification. It is a pure function of the events: no kernel, no clock and no
// file is touched, so it tests without root.
//
// Events of one verification must come in the order in which they happened, as
// the ring buffer gives them; verifications may interleave. An Assembler is not
// safe for concurrent use.
package assemble
