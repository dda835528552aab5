package main

import (
	"slices"
	"strings"

	"github.com/verialloc/verialloc/kernel"
)

// What bpftrace does is what verialloc does, as far as a script can: the
// scripts tell the loads from other tasks, sum bytes by call site, keep live objects in a
// map, and time allocations, except the first one.

const begin = `
BEGIN { printf("ready\n"); }
tracepoint:syscalls:sys_enter_bpf /args.cmd == 5/ { @in[tid] = 1; }
tracepoint:syscalls:sys_exit_bpf /@in[tid]/ { delete(@in, tid); }
`

const frees = `
tracepoint:kmem:kfree /@live[(uint64)args.ptr]/ { @life = hist(nsecs - @live[(uint64)args.ptr]); delete(@live, (uint64)args.ptr); }
`

func tracepointScript() string {
	return begin + `
tracepoint:kmem:kmalloc /@in[tid]/ { @bytes[args.call_site] = sum(args.bytes_alloc); @live[(uint64)args.ptr] = nsecs; }
tracepoint:kmem:kmem_cache_alloc /@in[tid]/ { @bytes[args.call_site] = sum(args.bytes_alloc); @live[(uint64)args.ptr] = nsecs; }
tracepoint:kmem:kmem_cache_free /@live[(uint64)args.ptr]/ { @life = hist(nsecs - @live[(uint64)args.ptr]); delete(@live, (uint64)args.ptr); }
` + frees
}

func printScript() string {
	return begin + `
tracepoint:kmem:kmalloc /@in[tid]/ { printf("%llu %p %d %d %p\n", nsecs, args.ptr, args.bytes_req, args.bytes_alloc, args.call_site); }
tracepoint:kmem:kfree /@in[tid] && args.ptr/ { printf("%llu %p\n", nsecs, args.ptr); }
`
}

// fexitScript hears of frees from the tracepoint: kfree()'s argument is a const void *,
// which a tracing program may not read on 6.12.
func fexitScript() string { return begin + timed("fentry", "fexit") + frees }

func kprobeScript() string {
	return begin + timed("kprobe", "kretprobe") + `
kprobe:kfree /@live[(uint64)arg0]/ { @life = hist(nsecs - @live[(uint64)arg0]); delete(@live, (uint64)arg0); }
`
}

// timed times the allocators that kmalloc() and krealloc() compile to in the verifier.
func timed(entry, exit string) string {
	var b strings.Builder
	for _, function := range existing("kmalloc_trace", "__kmalloc_cache_noprof", "__kmalloc_node_track_caller", "__kmalloc_node_track_caller_noprof", "__kmalloc", "__kmalloc_noprof") {
		b.WriteString(entry + ":" + function + " /@in[tid]/ { @start[tid] = nsecs; }\n")
		b.WriteString(exit + ":" + function + " /@start[tid]/ { @latency = hist(nsecs - @start[tid]); delete(@start, tid); " +
			"@live[(uint64)retval] = nsecs; }\n")
	}
	return b.String()
}

// allocator is the function that most of the verifier's allocations go through.
func allocator() string {
	return append(existing("kmalloc_trace"), "__kmalloc_cache_noprof")[0]
}

// existing returns those of the functions that the running kernel has; none if it does not
// show its symbols.
func existing(functions ...string) []string {
	symbols, err := kernel.FindSymbols(functions...)
	return slices.DeleteFunc(functions, func(name string) bool { return err != nil || symbols[name].IsAbsent() })
}
