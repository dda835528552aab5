// Package qemu boots a kernel in QEMU and connects its two serial lines: the
// kernel's console and the line of the results.
package qemu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Machine describes a virtual machine.
type Machine struct {
	Emulator Emulator
	Kernel   string   // path of the bzImage
	Initrd   *os.File // the initramfs
	CPUs     int
	MemoryMB int
	// ICount makes time follow the count of instructions, one to a nanosecond,
	// and pass at once while the guest is idle: slower, but a run takes about the
	// same guest time on every host.
	ICount bool
	Append string // kernel arguments after the defaults
	Limits Limits
	// Quit is sent to the guest, over the line of the results, when it reaches one
	// of its limits.
	Quit byte
}

// Descriptors of the child, as exec.Cmd numbers ExtraFiles: where the kernel's
// console ends, and the initramfs. The line of the results is the child's standard
// output and input: the only pair of descriptors that QEMU 7.2 takes for one line
// and that loses nothing when the guest writes byte by byte.
const (
	consoleFD = 3
	initrdFD  = 4
)

// fsrsMajor is the first version of QEMU known to have "fsrs"; 7.2 refuses the name.
const fsrsMajor = 11

// args returns the command line of QEMU.
func (m Machine) args() []string {
	// With "erms" and "fsrm" the kernel copies by rep movsb, and with "fsrs" it clears by
	// rep stosb. QEMU takes each byte in turn, which --icount counts as an instruction. The
	// loads of the longest loop on 6.12, where the verifier copies its history again and
	// again, took QEMU 11 341 s by bytes, and 29 s by words.
	cpu := "max,-erms,-fsrm"
	if m.Emulator.atLeast(fsrsMajor) {
		cpu += ",-fsrs"
	}
	// The kernel's check of its timer gives up on a machine whose CPUs are busy for some
	// 50 ms.
	kernel := []string{"console=ttyS0", "oops=panic", "panic=-1", "no_timer_check"}
	accel := []string{"-accel", "tcg"}
	if m.ICount {
		// The clock ticks once per instruction: given that rate, the kernel does not
		// measure it, which comes out a little different each time.
		kernel = append(kernel, "tsc=reliable", "tsc_early_khz=1000000")
		accel = append(accel, "-icount", "shift=0,sleep=off")
	}
	if m.Append != "" {
		kernel = append(kernel, m.Append)
	}
	args := []string{
		"-nodefaults", "-no-user-config", "-no-reboot",
		"-display", "none", "-vga", "none", "-monitor", "none",
		"-machine", "q35", "-cpu", cpu,
		"-smp", strconv.Itoa(m.CPUs), "-m", strconv.Itoa(m.MemoryMB),
		"-chardev", "file,id=console,path=" + descriptor(consoleFD),
		"-chardev", "stdio,id=result,signal=off",
		"-serial", "chardev:console", "-serial", "chardev:result",
		"-kernel", m.Kernel, "-initrd", descriptor(initrdFD), "-append", strings.Join(kernel, " "),
	}
	return append(args, accel...)
}

// descriptor returns the path of one of the child's descriptors.
func descriptor(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// powerOff is how long a guest may take to power off once its results are read.
const powerOff = 10 * time.Second

// ErrDied is in the chain of the error for a QEMU that a signal ended: a defect of
// its own, or a host without memory.
var ErrDied = errors.New("QEMU died")

// errLate ends a machine whose results are in and that does not power off.
var errLate = errors.New("did not power off")

// Run boots the machine and returns when it has ended. The kernel's console
// goes to console. results reads the line of the results to its end, or returns
// early: the machine then has a few seconds to power off before it is killed.
// An error of results kills it at once and is returned, as is the end of ctx. A
// machine that reaches one of its limits gets an order to quit, and is killed 15
// seconds later; the limit is returned even where results got to their end in that time.
// Any other error is that QEMU does not work.
func (m Machine) Run(ctx context.Context, console io.Writer, results func(io.Reader) error) error {
	var pipes [3]struct{ r, w *os.File } // console, results, orders to the guest
	for i := range pipes {
		var err error
		if pipes[i].r, pipes[i].w, err = os.Pipe(); err != nil {
			return err
		}
		defer pipes[i].r.Close()
		defer pipes[i].w.Close()
	}
	consoleLine, resultLine, orders := pipes[0], pipes[1], pipes[2]

	ctx, kill := context.WithCancelCause(ctx)
	defer kill(nil)
	var complaints bytes.Buffer
	command := append(slices.Clone(m.Emulator.command), m.args()...)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = m.Emulator.env
	cmd.ExtraFiles = []*os.File{consoleLine.w, m.Initrd}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = orders.r, resultLine.w, &complaints
	// A runner that is itself killed leaves no guest behind. The signal is sent
	// when the thread that started the child ends, so that thread is kept.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Start()
	consoleLine.w.Close()
	resultLine.w.Close()
	orders.r.Close()
	if err != nil {
		return fmt.Errorf("start %s: %w", program, err)
	}

	var (
		lines    sync.WaitGroup
		watching sync.WaitGroup
		limit    error
	)
	line := &monitored{r: resultLine.r}
	watchCtx, stopWatch := context.WithCancel(ctx)
	defer stopWatch()
	watching.Go(func() {
		threads := func() (map[int]threadTime, error) { return threadTimes(cmd.Process.Pid) }
		// A guest that is not up yet, or no more, does not read the order.
		quit := func() { _, _ = orders.w.Write([]byte{m.Quit}) }
		limit = watch(watchCtx, m.Limits, threads, line.active, quit)
		if limit != nil && watchCtx.Err() == nil {
			kill(limit)
		}
	})
	lines.Go(func() { _, _ = io.Copy(console, consoleLine.r) })
	lines.Go(func() {
		err := results(line)
		stopWatch()
		if err != nil {
			kill(err)
			return
		}
		late := time.AfterFunc(powerOff, func() { kill(errLate) })
		defer late.Stop()
		_, _ = io.Copy(io.Discard, resultLine.r)
	})
	lines.Wait()
	watching.Wait()
	err = cmd.Wait()
	if limit != nil {
		return limit
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errLate):
		return nil
	case cause != nil:
		return cause
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && !exit.Exited() {
		err = fmt.Errorf("%w: %w", ErrDied, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, bytes.TrimSpace(complaints.Bytes()))
	}
	return nil
}
