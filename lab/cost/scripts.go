package main

import (
	"os"
	"strings"

	"github.com/cilium/ebpf/btf"
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

// fexitScript names kfree()'s argument, of which the name is not the same everywhere.
func fexitScript() string {
	name := "object"
	var f *btf.Func
	if spec, err := btf.LoadKernelSpec(); err == nil && spec.TypeByName("kfree", &f) == nil {
		name = f.Type.(*btf.FuncProto).Params[0].Name
	}
	return begin + timed("fentry", "fexit", "args."+name)
}

var kprobeScript = begin + timed("kprobe", "kretprobe", "arg0")

// timed times the allocators that kmalloc() and krealloc() compile to in the verifier.
func timed(entry, exit, kfreed string) string {
	var b strings.Builder
	for _, function := range []string{"kmalloc_trace", "__kmalloc_cache_noprof", "__kmalloc_node_track_caller", "__kmalloc_node_track_caller_noprof", "__kmalloc", "__kmalloc_noprof"} {
		if !hasSymbol(function) {
			continue
		}
		b.WriteString(entry + ":" + function + " /@in[tid]/ { @start[tid] = nsecs; }\n")
		b.WriteString(exit + ":" + function + " /@start[tid]/ { @latency = hist(nsecs - @start[tid]); delete(@start, tid); " +
			"@live[(uint64)retval] = nsecs; }\n")
	}
	b.WriteString(entry + ":kfree /@live[(uint64)" + kfreed + "]/ { @life = hist(nsecs - @live[(uint64)" + kfreed +
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
