// Command vm runs one command on a stock Debian kernel in QEMU: it fetches the
// kernel from Debian's archive, makes an initramfs with the command in it, boots
// that, and passes the command's stdout, stderr and exit code through.
//
//	vm fetch 6.1 6.12                    bring the newest kernels of these series
//	vm list                              list those that are served and cached
//	vm run --kernel 6.12 -- sh -c 'uname -r'
//	vm run --kernel 6.12 -- ./my-program its arguments
//	vm tools bpftrace                    unpack Debian packages, print where
//	vm qemu                              print which QEMU run takes
//
// As the -exec program of go test it runs the tests of any package in a guest;
// go test starts it in the directory of the package, so name it by its import
// path or as a built binary:
//
//	go test -exec 'go run github.com/verialloc/verialloc/lab/vm run --kernel 6.12 --' ./tracer
//
// go run itself turns every failure into exit code 1: build the command (go
// build -o vm ./lab/vm) where the code matters.
//
// # The command
//
// A command that is a file of the host, written with a slash, is copied to the
// same path in the guest, with the libraries it is linked to and with the
// testdata directory of the current directory. Any other is looked up in the
// guest's PATH, which has all applets of busybox, and verialloc, freshly built
// from the module that the current directory is in, unless --no-verialloc says
// not to. The working directory has
// the host's path, --file brings more files and directories (these as they are), --env variables; the rest of the
// environment is not the host's. What go test wants from a test binary, its
// coverage and profiles, comes back to where go test looks for it; --fetch-file
// brings back other files and directories.
//
// # The guest
//
// The guest is root on an empty system: proc, sysfs, devtmpfs, devpts, cgroup2 (with the
// memory, cpu and pids controllers) and tmpfs are mounted, tracefs and bpffs
// with --mount only. Up to 6.18 the kernel's configuration is in /boot, as Debian has
// it; newer packages do not hold it. The loopback interface is up, there is no other. The
// standard input is /dev/null. The kernel does not check its timer (no_timer_check), as
// that check ends a guest on a busy machine.
//
// # Exit codes
//
// The exit code is that of the command (128 plus the signal's number when a
// signal ended it), or one of
//
//	116  emulator  QEMU died, or the kernel oopsed with registers that no CPU can hold
//	117  starved   the host gave the guest too little CPU time, see "Time"
//	118  idle      the guest's CPUs did nothing while its command ran
//	119  oops      the guest's kernel oopsed
//	120            usage, or a setup that failed: no such kernel, no QEMU, no such command
//	121  panic     the guest's kernel panicked for another reason
//	122  timeout   the guest did not end within --timeout
//	123  lost      output was lost, or the guest ended without an exit code
//	124            interrupted: the guest was killed
//
// A command may return these codes too. When the runner itself failed, it says why
// in a last line on stderr that starts with "vm: ". For the codes that have a word
// above, one more line follows, "vm: guest died: WORD": a script that starts the
// runner through go test finds it in the output, where the code is lost. The last
// lines of the kernel's console are above the two.
//
// Run a guest again after emulator, starved and panic: what failed is the host or
// the emulation, not the command. An oops ends the guest at once. A tracer's own
// defect can cause it, so a run that passes afterwards does not excuse it.
//
// # Time
//
// --timeout is the guest's time: it stands while a thread of QEMU waits for a CPU
// of the host. By the wall clock a guest may take four times as long; one that
// takes longer starved. A guest that sends no output and whose CPUs together use
// less than a twentieth of one for --idle (40 seconds) is idle.
//
// Before the runner ends a guest for one of these, it sends SIGQUIT to the
// command and its children, and passes on what they print in the next 15 seconds:
// a Go program prints its goroutines. A test binary's -test.timeout follows the
// wall clock, which would fail a test on a busy host: the runner counts it as
// --timeout where it is shorter, and gives the binary one that ends just before
// the guest's limit by the wall clock. Give go test itself -timeout 0, or it kills
// the runner by the wall clock.
//
// With --icount the guest's clock jumps to the next timer while the guest waits, so
// a test that waits for ever meets its -test.timeout at once. Any other command that
// does uses a whole CPU, so it is not idle, and --timeout ends it.
//
// # QEMU
//
// Where this machine's QEMU is older than 11, the first run fetches Debian's newest
// into the user's cache directory, some 40 MB, with every library it needs; a
// download that breaks off goes on in the next run. Where it cannot be fetched, the
// machine's QEMU runs, and for an hour no run tries again. Each run says on stderr
// which QEMU it takes; --qemu machine and --qemu archive choose one.
//
// QEMU 7.2 is not to be trusted: a guest with --smp 2 dies while the kernel patches
// its own code at boot, with an int3 in the console, so it is refused; and in 2 of 29
// boots of 6.19 with preempt=full a traced load oopsed, with EFLAGS that no CPU can
// hold. Of 12 under 11.1.3 none did, nor of 39 under 7.2 without the tracer.
//
// QEMU 11.1.3 has the first of these faults as well, but rarely. Nine guests with --smp 2,
// one of each kernel from 6.1 to 7.3, loaded, attached and detached for up to twelve
// minutes: three died of an int3 that was no longer in memory, and one of 6.1 hung, with
// nothing attached, in on_each_cpu_cond_mask() below text_poke_bp_batch(): a CPU that
// changes the kernel's code waited for ever for the other to answer an interrupt. Of 57
// that ran for less than a minute none died. Both kinds of oops count as the emulator's
// death; the hang does not, as it looks like any other.
//
// # Limits
//
// QEMU only translates the guest's code (TCG), some ten times slower than the
// host would run it: a boot takes 3 to 5 seconds, two to three times that with
// --icount, which runs the CPUs of --smp in turn on one of the host's. Output leaves
// the guest over a serial line, which passes about half a megabyte per second. The
// root file system is in memory: large files need --mem. What Debian builds as a
// module is not there.
package main
