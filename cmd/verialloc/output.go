package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// output is where a feed goes. A file is opened ahead of the tracing, so that
// one that cannot be written stops it early, but emptied only once the probes
// are live: a trace that cannot start costs no earlier recording.
type output struct {
	io.Writer
	file    *os.File // nil: not ours to close
	created bool
}

// openOutput opens the named file, stdout if there is no name.
func openOutput(name string, stdout io.Writer) (*output, error) {
	if name == "" {
		return &output{Writer: stdout}, nil
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	created := err == nil
	if errors.Is(err, fs.ErrExist) {
		file, err = os.OpenFile(name, os.O_WRONLY, 0)
	}
	if err != nil {
		return nil, outputError{fmt.Errorf("--output: %w", err)}
	}
	return &output{file, file, created}, nil
}

// is reports whether the feed goes to the file that info is of.
func (o *output) is(info fs.FileInfo) bool {
	file, ok := o.Writer.(*os.File)
	if !ok {
		return false
	}
	own, err := file.Stat()
	return err == nil && os.SameFile(own, info)
}

// begin empties a file.
func (o *output) begin() error {
	if o.file == nil {
		return nil
	}
	o.created = false
	info, err := o.file.Stat()
	if err == nil && info.Mode().IsRegular() {
		err = o.file.Truncate(0)
	}
	return err
}

// lateOutput is an output that begins with the first write, ahead of which it writes
// its preamble.
type lateOutput struct {
	*output
	preamble string
	begun    bool
}

func (l *lateOutput) Write(p []byte) (int, error) {
	if !l.begun {
		if err := l.begin(); err != nil {
			return 0, err
		}
		l.begun = true
		if _, err := io.WriteString(l.output, l.preamble); err != nil {
			return 0, err
		}
	}
	return l.output.Write(p)
}

// close closes a file, and removes one that was made and never begun.
func (o *output) close() error {
	if o.file == nil {
		return nil
	}
	if o.created {
		os.Remove(o.file.Name())
	}
	return o.file.Close()
}

// outputFailure makes an outputError of what a write returned. A reader that
// went away has had enough, which is no failure.
func outputFailure(err error) error {
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return outputError{fmt.Errorf("write the output: %w", err)}
}
