// Verialloc traces what the Linux BPF verifier allocates, program load by
// program load, live and machine-wide.
//
//	verialloc trace [flags] [-- COMMAND [ARG...]]
//	verialloc bench [flags] [FILE.bpf.o|@LIST]...
//	verialloc doctor [-o table|json]
//	verialloc compare [flags] BASE NEW
//	verialloc stress [flags]
//	verialloc version
//
// The feed, a table or JSON Lines, goes to standard output or to the file that
// --output names. All else that people read goes to standard error: what is
// traced by which means, warnings, losses as they happen, a summary.
//
// # Exit codes
//
//	0  all went well
//	1  any other error
//	2  wrong usage: nothing was started
//	3  not permitted
//	4  this kernel lacks something that is required, or asked for by a flag
//	5  the feed could not be written
//	6  with --strict: a record shown was not exact, or a load was not shown
//	7  with --fail-on: a change is beyond a limit
//	8  with --fail-on: it is undecided whether a change is beyond a limit
//
// With -- COMMAND it is the command's own exit code where the tracing went
// well, 128 and the number of the signal where one killed it. A reader that
// closes the pipe ends a trace without an error. Where one does not read, a
// trace that a signal or --duration ends waits 5 seconds and ends with 5. Of
// bench and stress it is 128 and the number of the signal that ended them.
package main
