// Package workload loads programs exactly once each, giving what the verifier itself
// says of the load: the numbers that a tracer of the verifier is checked against, and
// those that bench compares.
//
// A program comes from a BPF object file ([OpenObject]) or is generated, in a size
// ([ParseStress]). Either is a [Subject], which is prepared once and then loaded as
// often as it takes.
//
// The generated programs are built from instructions, without a compiler. Each is made
// to drive one kind of allocation: states on the branch stack, states explored and
// kept, stack arrays, reference arrays, call frames, or none at all because the
// kernel turns the program down first. [Suite] lists one of each.
//
// # One load, one verification
//
// [Prepared.Load] makes the bpf(2) call itself instead of leaving it to
// [ebpf.NewProgram]. That keeps three things out of the count:
//
//   - the second load that ebpf does of a program that was rejected, to get a log;
//   - the programs that ebpf loads, nameless, to learn what the kernel can do;
//   - the verifications that end with EAGAIN because a signal arrived, which
//     ebpf repeats without a word. The Go runtime itself sends such signals
//     (SIGURG, to preempt a goroutine). Load blocks them for the time of the
//     call; with [Options.Interruptible] it does not, and counts the restarts.
//
// What remains besides the load are the BPF_BTF_LOAD and BPF_MAP_CREATE calls of
// [Subject.Prepare]. They verify no program.
//
// # Objects as veristat loads them
//
// The library reads the object; what it refuses of what libbpf takes is hidden from it
// and done here. A program is then put together as libbpf does it, with veristat's
// fix-ups, so that the verifier's numbers are the same. They differ where libbpf fails
// after the verifier has accepted a program: veristat tells of a failure, with the
// verifier's numbers, if another program of the object is in a prog array from the
// start (it is not loaded), and if the log exceeds its 64 KiB.
//
// Static maps are refused, as by libbpf. Not supported are the types of contexts that
// libbpf makes up for arguments tagged arg:ctx before Linux 6.8.
package workload
