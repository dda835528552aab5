package qemu

import (
	"bytes"
	"regexp"
	"strconv"
)

// Crash is what a kernel's console says of the kernel's own end. It is an error.
type Crash struct {
	// Text is the first line of the oops and the function it happened in, or the
	// panic's message.
	Text string
	// Oops is an exception in the kernel, which panics for that reason: it is
	// booted with oops=panic.
	Oops bool
	// Impossible is what of an oops no CPU can do, so the emulator made it; empty:
	// nothing of it.
	Impossible string

	placed  bool // Text has the function
	trapped bool // the exception was a breakpoint's, whose code was not seen yet
}

func (c Crash) Error() string {
	if c.Impossible != "" {
		return c.Text + ": " + c.Impossible
	}
	return c.Text
}

// panicMark is in the line with which every kernel starts to panic.
var panicMark = []byte("Kernel panic - not syncing")

var (
	// oopsForm is the first line that die() prints: "Oops: 0002 [#1] PREEMPT SMP",
	// "kernel BUG" and int3 alike, with an error code and the count of oopses.
	oopsForm = regexp.MustCompile(`[A-Za-z][^\[\]]*: [0-9a-f]{4} \[#\d+\]`)
	// placeForm is where the kernel was.
	placeForm = regexp.MustCompile(`\bRIP: 0010:(\S+)`)
	// flagsForm is in the line of the registers that has the stack pointer.
	flagsForm = regexp.MustCompile(`\bEFLAGS: ([0-9a-f]{8})\b`)
	// int3Form is in the first line of an oops by a breakpoint instruction.
	int3Form = regexp.MustCompile(`\bint3: `)
	// trappedForm is the last byte of the instruction that trapped, ahead of the one
	// where the CPU would go on.
	trappedForm = regexp.MustCompile(`\bCode: .*\b([0-9a-f]{2}) <[0-9a-f]{2}>`)
)

// Bits of EFLAGS that are always 1 and always 0 (Intel SDM, volume 1, 3.4.3).
const (
	flagsOne  = 1 << 1
	flagsZero = 1<<3 | 1<<5 | 1<<15 | 0xffc0_0000
)

// int3 is the breakpoint instruction, as an oops prints it.
const int3 = "cc"

// scan reads one line of the console.
func (c *Crash) scan(line []byte) {
	if at := bytes.Index(line, panicMark); at >= 0 && c.Text == "" {
		c.Text = string(line[at:])
		c.Oops = bytes.Contains(line, []byte("Fatal exception")) // an oops whose lines were lost
		return
	}
	if at := oopsForm.FindIndex(line); at != nil && c.Text == "" {
		c.Text, c.Oops = string(line[at[0]:at[1]]), true
		c.trapped = int3Form.Match(line)
		return
	}
	if !c.Oops {
		return // registers of a warning
	}
	if m := placeForm.FindSubmatch(line); m != nil && !c.placed {
		c.Text, c.placed = c.Text+" in "+string(m[1]), true
	}
	if m := flagsForm.FindSubmatch(line); m != nil {
		flags, err := strconv.ParseUint(string(m[1]), 16, 32)
		if err == nil && (flags&flagsOne == 0 || flags&flagsZero != 0) {
			c.Impossible = "with EFLAGS that no CPU can hold"
		}
	}
	// The kernel, when it changes its own code, first puts a breakpoint there and takes
	// it away only once no CPU can be at it (text_poke_bp_batch() of 6.12). The emulator of
	// another CPU may run for a while what it translated before.
	if m := trappedForm.FindSubmatch(line); m != nil && c.trapped {
		c.trapped = false // the next code is that of the task in user mode
		if string(m[1]) != int3 {
			c.Impossible = "at a breakpoint that is not in memory"
		}
	}
}
