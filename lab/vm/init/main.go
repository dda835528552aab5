// Command init is process 1 of a guest of lab/vm: it mounts what a test needs,
// runs one command, sends its output, its exit code and the files asked for
// over the second serial line, and powers the machine off.
//
// What init itself has to say goes to the kernel's console.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/lab/internal/guest"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "init:", err)
	}
	unix.Sync()
	// If this returned, the kernel would panic as process 1 ended: a failure to
	// power off does not go unseen.
	err := unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	fmt.Fprintln(os.Stderr, "init: power off:", err)
}

// run does all of init's work. The error it returns could not be sent as a
// frame.
func run() error {
	if err := mountBase(); err != nil {
		return err
	}
	line, err := openLine(guest.ResultDevice)
	if err != nil {
		return err
	}
	defer line.drain()
	out := guest.NewWriter(line)

	code, err := serve(out, line.awaitQuit)
	if err != nil {
		return out.Send(guest.Failure, []byte(err.Error()))
	}
	return out.SendExit(code)
}

// serve sets the system up, runs the command and sends its output and files.
// It returns the exit code of the command, which it asks to quit when awaitQuit
// returns.
func serve(out *guest.Writer, awaitQuit func()) (int, error) {
	text, err := os.ReadFile(guest.SpecPath)
	if err != nil {
		return 0, err
	}
	var spec guest.Spec
	if err := json.Unmarshal(text, &spec); err != nil {
		return 0, fmt.Errorf("%s: %w", guest.SpecPath, err)
	}
	if err := setUp(spec); err != nil {
		return 0, err
	}
	code, err := command(spec, out, awaitQuit)
	if err != nil {
		return 0, err
	}
	return code, sendFiles(spec.Fetch, out)
}
