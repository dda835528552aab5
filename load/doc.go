// Package load loads a program exactly once and returns what the verifier itself says of
// the load: the numbers that a tracer of the verifier is checked against, and those that
// bench compares.
//
// A program that can be loaded again and again is a [Subject]: package object makes them
// from a BPF object file, package generate makes them up, in any size. A subject is
// prepared once and then loaded as often as needed. [Load] and [Parallel] do both for a
// program that refers to no maps.
//
// # One load, one verification
//
// [Prepared.Load] makes the bpf(2) call itself instead of leaving it to
// [ebpf.NewProgram]. That keeps three things out of the count:
//
//   - the second load that ebpf makes of a program that was rejected, to get a log;
//   - the programs that ebpf loads, nameless, to learn what the kernel can do;
//   - the verifications that end with EAGAIN because a signal arrived, which ebpf
//     repeats without reporting it. The Go runtime itself sends such signals (SIGURG,
//     to preempt a goroutine). Load blocks them for the time of the call; with
//     [Options.Interruptible] it does not, and counts the restarts.
//
// What remains besides the load are the BPF_BTF_LOAD and BPF_MAP_CREATE calls of
// [Subject.Prepare]. They verify no program.
package load
