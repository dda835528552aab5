// Package verialloc holds the generator of the BPF bindings. The programs'
// objects and their Go are committed; see CONTRIBUTING.md before running this.
package verialloc

//go:generate sh -c "cd bpf && GOPACKAGE=bpf go tool bpf2go -cc clang-19 -strip llvm-strip-19 -target amd64,arm64 -output-suffix \"\" -type event_header -type batched_header -type start_event -type batch -type alloc_event -type free_event -type visit_event -type cache_event -type name_event -type failed_event -type failed_alloc -type end_event -type load_request -type load_attr -type log_event -type log_call -type calls_event Verialloc verialloc.bpf.c -- -O2 -g -mcpu=v3 -Wall -Werror -Wno-unused-function"
