// Package verialloc holds the generator of the BPF bindings. The programs'
// objects and their Go are committed; see CONTRIBUTING.md before running this.
package verialloc

//go:generate sh -c "cd bpf && GOPACKAGE=bpf go tool bpf2go -cc clang-19 -strip llvm-strip-19 -target amd64,arm64 -output-suffix \"\" -type event_header -type entry_header -type start_event -type batch -type alloc_entry -type free_entry -type visit_entry -type cache_entry -type end_event Verialloc verialloc.bpf.c -- -O2 -g -mcpu=v3 -Wall -Werror -Wno-unused-function"
