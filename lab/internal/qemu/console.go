package qemu

import (
	"bytes"
	"io"
	"sync"
)

// Console is an io.Writer for a kernel's console: it passes everything on to
// other writers, keeps the last lines and notices a crash. It may be read while
// it is written.
type Console struct {
	mu    sync.Mutex
	to    []io.Writer
	line  []byte   // the last line, not ended yet
	tail  []string // the lines before it, at most tailLines
	crash Crash
}

// tailLines is how many lines of the console are worth showing with a failure:
// the trace of a panic and a little before it.
const tailLines = 40

// NewConsole returns a Console that passes everything on to the writers.
func NewConsole(to ...io.Writer) *Console { return &Console{to: to} }

// Write never fails for what a writer it passes on to does: the log of a guest
// is no reason to end it.
func (c *Console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The line ends of a serial console are CR LF.
	text := bytes.ReplaceAll(p, []byte("\r"), nil)
	for _, w := range c.to {
		_, _ = w.Write(text)
	}
	for {
		head, rest, found := bytes.Cut(text, []byte("\n"))
		c.line = append(c.line, head...)
		if !found {
			return len(p), nil
		}
		c.endLine()
		text = rest
	}
}

func (c *Console) endLine() {
	c.crash.scan(c.line)
	c.tail = append(c.tail, string(c.line))
	if len(c.tail) > tailLines {
		c.tail = c.tail[1:]
	}
	c.line = c.line[:0]
}

// Crash returns how the kernel crashed, if it did.
func (c *Console) Crash() (crash Crash, crashed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.crash, c.crash.Text != ""
}

// Tail returns the last lines.
func (c *Console) Tail() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	tail := append([]string(nil), c.tail...)
	if len(c.line) > 0 {
		tail = append(tail, string(c.line))
	}
	return tail
}
