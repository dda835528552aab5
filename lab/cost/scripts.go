package main

import (
	"os"
	"strings"
)

// What bpftrace does is what verialloc does, as far as a script can: the loads are
// told from other tasks, bytes summed by call site, live objects kept in a map, and,
// but for the first script, allocations timed.

const begin = `
BEGIN { printf("ready\n"); }
tracepoint:syscalls:sys_enter_bpf /args.cmd == 5/ { @in[tid] = 1; }
tracepoint:syscalls:sys_exit_bpf /@in[tid]/ { delete(@in, tid); }
`

const tracepointScript = begin + `
tracepoint:kmem:kmalloc /@in[tid]/ { @bytes[args.call_site] = sum(args.bytes_alloc); @live[args.ptr] = nsecs; }
tracepoint:kmem:kmem_cache_alloc /@in[tid]/ { @bytes[args.call_site] = sum(args.bytes_alloc); @live[args.ptr] = nsecs; }
tracepoint:kmem:kfree /@live[args.ptr]/ { @life = hist(nsecs - @live[args.ptr]); delete(@live, args.ptr); }
tracepoint:kmem:kmem_cache_free /@live[args.ptr]/ { @life = hist(nsecs - @live[args.ptr]); delete(@live, args.ptr); }
`

const printScript = begin + `
tracepoint:kmem:kmalloc /@in[tid]/ { printf("%llu %p %d %d %p\n", nsecs, args.ptr, args.bytes_req, args.bytes_alloc, args.call_site); }
tracepoint:kmem:kfree /@in[tid] && args.ptr/ { printf("%llu %p\n", nsecs, args.ptr); }
`

// The allocators that kmalloc() and krealloc() compile to in the verifier.
var (
	fexitScript  = begin + timed("fentry", "fexit", "fentry", "args.objp", "args.object")
	kprobeScript = begin + timed("kprobe", "kretprobe", "kprobe", "arg0", "arg0")
)

func timed(entry, exit, free, kfreed, _ string) string {
	var b strings.Builder
	for _, function := range []string{"kmalloc_trace", "__kmalloc_cache_noprof", "__kmalloc_node_track_caller", "__kmalloc_node_track_caller_noprof", "__kmalloc", "__kmalloc_noprof"} {
		if !hasSymbol(function) {
			continue
		}
		b.WriteString(entry + ":" + function + " /@in[tid]/ { @start[tid] = nsecs; }\n")
		b.WriteString(exit + ":" + function + " /@start[tid]/ { @latency = hist(nsecs - @start[tid]); delete(@start, tid); " +
			"@live[(uint64)retval] = nsecs; }\n")
	}
	b.WriteString(free + ":kfree /@live[(uint64)" + kfreed + "]/ { @life = hist(nsecs - @live[(uint64)" + kfreed +
		"]); delete(@live, (uint64)" + kfreed + "); }\n")
	return b.String()
}

// allocator is the function that most of the verifier's allocations go through.
func allocator() string {
	if hasSymbol("kmalloc_trace") {
		return "kmalloc_trace"
	}
	return "__kmalloc_cache_noprof"
}

func hasSymbol(name string) bool {
	text, err := os.ReadFile("/proc/kallsyms")
	return err == nil && strings.Contains(string(text), " T "+name+"\n")
}
