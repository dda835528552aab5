package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/lab/internal/guest"
)

// line is a serial line that passes every byte unchanged.
type line struct{ *os.File }

// openLine opens a serial device and makes it raw.
func openLine(name string) (line, error) {
	f, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return line{}, err
	}
	// No input or output processing, no echo, no modem lines, and the highest
	// rate: the kernel's estimates of how long a byte takes follow it.
	raw := unix.Termios{Cflag: unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200}
	raw.Cc[unix.VMIN] = 1
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, &raw); err != nil {
		return line{}, fmt.Errorf("%s: make raw: %w", name, err)
	}
	return line{f}, nil
}

// awaitQuit returns when the runner sends the order to quit, or nothing more can
// come.
func (l line) awaitQuit() {
	for b := make([]byte, 1); b[0] != guest.Quit; {
		if _, err := l.Read(b); err != nil {
			return
		}
	}
}

// drain waits until the device has taken the last byte: the kernel does not
// wait for it before it powers the machine off.
func (l line) drain() {
	const tcdrain = 1 // TCSBRK sends a break with 0, and only waits with any other value
	if err := unix.IoctlSetInt(int(l.Fd()), unix.TCSBRK, tcdrain); err != nil {
		fmt.Fprintln(os.Stderr, "init: drain:", err)
	}
}
