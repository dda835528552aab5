package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/cmd/verialloc/internal/files"
	"github.com/verialloc/verialloc/cmd/verialloc/internal/stream"
)

// output is where a feed goes. A file is opened ahead of the tracing, so that
// one that cannot be written stops it early, but emptied only once the probes
// are live: a trace that cannot start costs no earlier recording.
type output struct {
	*stream.Lines
	under   io.Writer    // what it goes to at last
	file    *os.File     // nil: not ours to close
	place   *files.Place // of file
	created bool
}

// openOutput opens the named file, stdout if there is no name. Where that is a FIFO it
// waits for a reader, until ctx is done.
func (a *app) openOutput(ctx context.Context, name string) (*output, error) {
	if name == "" {
		return &output{Lines: a.out, under: a.stdout}, nil
	}
	place, err := files.Find(name)
	if err != nil {
		return nil, outputError{fmt.Errorf("--output %s: %w", name, err)}
	}
	file, err := place.Open(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	created := err == nil
	if errors.Is(err, fs.ErrExist) {
		file, err = openForReader(ctx, place, name)
	}
	if err != nil {
		place.Close()
		return nil, outputError{fmt.Errorf("--output %s: %w", name, err)}
	}
	return &output{stream.NewLines(a.bounded(file)), file, file, place, created}, nil
}

// readerInterval is how often a reader of a FIFO is looked for.
const readerInterval = 20 * time.Millisecond

// openForReader opens what is there for writing. To open a FIFO that nobody reads would
// wait where no signal ends it.
func openForReader(ctx context.Context, place *files.Place, name string) (*os.File, error) {
	for {
		file, err := place.Open(name, os.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		if info, statErr := place.Stat(); !errors.Is(err, syscall.ENXIO) || statErr != nil || info.Mode()&fs.ModeNamedPipe == 0 {
			return file, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("nobody reads it: %w", context.Cause(ctx))
		case <-time.After(readerInterval):
		}
	}
}

// is reports whether the feed goes to the file that info is of.
func (o *output) is(info fs.FileInfo) bool {
	file, ok := o.under.(*os.File)
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

// close ends the last line, closes a file, and removes one that was made and never begun.
func (o *output) close() error {
	err := o.Flush()
	if o.file == nil {
		return o.failure(err)
	}
	if o.created {
		_ = o.place.Remove() // it may be gone already
	}
	o.place.Close()
	return o.failure(cmp.Or(err, o.Close(), o.file.Close()))
}

// failure is outputFailure with what became of the lines.
func (o *output) failure(err error) error {
	if outputFailure(err) == nil {
		return nil
	}
	at := o.Outcome()
	text := fmt.Sprintf("lines written: %d, not written: %d", at.Whole, at.Lost)
	if at.Torn {
		text += ", of which the first is cut short there"
	}
	return outputError{fmt.Errorf("write the output: %w: %s", err, text)}
}

// outputFailure makes an outputError of what a write returned. A reader that
// went away has had enough, which is no failure.
func outputFailure(err error) error {
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return outputError{fmt.Errorf("write the output: %w", err)}
}
