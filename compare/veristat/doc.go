// Package veristat keeps the conventions of veristat, the kernel tree's tool that
// loads BPF objects and tabulates what the verifier says of them: its names of stats,
// its tables and CSV, its specs and filters, and its comparison of two tables. What
// reads or drives veristat can so read and drive verialloc.
//
// It follows veristat 0.5.1; docs/veristat.md lists what is known to differ and why.
// Nothing here touches the kernel. A [Table] and a [Comparison] may be read from
// several goroutines, and written to by one alone.
package veristat
