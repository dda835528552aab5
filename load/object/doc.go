// Package object opens BPF object files as libbpf and veristat do, and makes a
// load.Subject of each of their programs.
//
// The library (github.com/cilium/ebpf) reads the object. What it refuses although libbpf
// accepts it is hidden from the library and done here. A program is then put together as
// libbpf does it, with veristat's fix-ups, so that the verifier's numbers are the same.
// They differ where libbpf fails after the verifier has accepted a program: veristat
// reports a failure, with the verifier's numbers, if another program of the object is in
// a prog array from the start (that program is not loaded), and if the log exceeds its
// 64 KiB.
//
// Static maps are refused, as by libbpf. Not supported are the types of contexts that
// libbpf makes up for arguments tagged arg:ctx before Linux 6.8.
package object
