// Command corpus builds a corpus of real BPF objects, and its tests load them with
// veristat and with verialloc, side by side on one kernel.
//
//	corpus build --vm build/vm --kernel 7.3
//
// The objects are
//
//   - those of Debian's xdp-tools,
//   - the programs of the kernel's selftests, compiled from Debian's linux-source
//     package of the kernel's series, against that kernel's types,
//   - the test objects of github.com/cilium/ebpf.
//
// Of the selftests, without --all, only those that the tests load are compiled.
//
// The corpus stays in the user's cache directory until one of its sources changes.
// build prints where it is; left-out.txt beside the objects names what did not compile,
// and why.
//
// The tests run in a guest, as "make test-corpus" starts them.
package main
