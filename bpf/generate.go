// Package bpf holds the BPF programs, their generated bindings and nothing
// else. The generated files are committed: neither building nor running
// verialloc needs clang, libbpf or kernel headers.
package bpf
