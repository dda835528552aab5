// Package workload builds BPF programs that exercise the verifier's allocators
// and loads each exactly once, giving what the verifier itself says of the load:
// the numbers that a tracer of the verifier is checked against.
//
// The programs are built from instructions, without a compiler. Each is made to
// drive one kind of allocation: states on the branch stack, states explored and
// kept, stack arrays, reference arrays, call frames, or none at all because the
// kernel turns the program down first. [Suite] lists one of each.
//
// # One load, one verification
//
// [Load] makes the bpf(2) call itself instead of leaving it to
// [ebpf.NewProgram]. That keeps three things out of the count:
//
//   - the second load that ebpf does of a program that was rejected, to get a log;
//   - the programs that ebpf loads, nameless, to learn what the kernel can do;
//   - the verifications that end with EAGAIN because a signal arrived, which
//     ebpf repeats without a word. The Go runtime itself sends such signals
//     (SIGURG, to preempt a goroutine). Load blocks them for the time of the
//     call; with [Options.Interruptible] it does not, and counts the restarts.
//
// What remains besides the load are BPF_BTF_LOAD calls, for the programs with
// function information. They verify no program.
package workload
