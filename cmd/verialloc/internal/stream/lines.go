package stream

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// Lines writes whole lines: none begins before its end is there. A regular file in which
// a line found no room is cut back to the line before it. After a write has failed
// nothing is written any more.
//
// End may be called from any goroutine, all else from one.
type Lines struct {
	*Bounded
	file   *os.File // a regular one, which can be cut; nil: none
	begun  []byte   // a line of which the end is not there yet
	failed error
	torn   bool // the last line that was written lacks its end
	whole  int  // lines written
	lost   int  // ends of lines not written
	open   bool // one more was begun
}

// NewLines returns a writer of lines on b.
func NewLines(b *Bounded) *Lines {
	l := &Lines{Bounded: b}
	if file, ok := b.w.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			l.file = file
		}
	}
	return l
}

// Write writes the lines that p ends, and keeps what it begins.
func (l *Lines) Write(p []byte) (int, error) {
	if l.failed != nil {
		l.drop(p)
		return 0, l.failed
	}
	end := bytes.LastIndexByte(p, '\n') + 1
	if end == 0 {
		l.begun = append(l.begun, p...)
		return len(p), nil
	}
	lines := p[:end]
	if len(l.begun) > 0 {
		l.begun = append(l.begun, lines...)
		lines = l.begun
	}
	err := l.put(lines)
	l.begun = l.begun[:0]
	if err != nil {
		l.drop(p[end:])
		return 0, err
	}
	l.begun = append(l.begun, p[end:]...)
	return len(p), nil
}

// Flush writes a last line that has no end.
func (l *Lines) Flush() error {
	if l.failed != nil || len(l.begun) == 0 {
		return nil
	}
	begun := l.begun
	l.begun = nil
	return l.put(begun)
}

// put writes text. Where there is no room for all, what is left of a line is taken back.
func (l *Lines) put(text []byte) error {
	n, err := l.Bounded.Write(text)
	if err == nil {
		l.whole += bytes.Count(text, []byte("\n"))
		return nil
	}
	l.failed = err
	kept := bytes.LastIndexByte(text[:n], '\n') + 1
	l.whole += bytes.Count(text[:kept], []byte("\n"))
	l.drop(text[kept:])
	l.torn = n > kept && !l.takeBack(int64(n-kept))
	return err
}

// takeBack takes the last bytes from the file, if they are its last.
func (l *Lines) takeBack(bytes int64) bool {
	if l.file == nil {
		return false
	}
	at, err := l.file.Seek(0, io.SeekCurrent)
	info, statErr := l.file.Stat()
	if errors.Join(err, statErr) != nil || info.Size() != at {
		return false
	}
	// Others may go on writing where we stop.
	_, seekErr := l.file.Seek(-bytes, io.SeekCurrent)
	return errors.Join(l.file.Truncate(at-bytes), seekErr) == nil
}

// drop counts what is not written.
func (l *Lines) drop(p []byte) {
	l.lost += bytes.Count(p, []byte("\n"))
	if len(p) > 0 {
		l.open = p[len(p)-1] != '\n'
	}
}

// Rest is a writer for what is to be counted alone, after a write has failed.
func (l *Lines) Rest() io.Writer { return rest{l} }

type rest struct{ *Lines }

func (r rest) Write(p []byte) (int, error) {
	r.drop(p)
	return len(p), nil
}

// Outcome is what became of the lines.
type Outcome struct {
	Err   error // of the first write that failed; nil: none has
	Whole int   // lines written
	Lost  int   // lines not written, as far as they are known
	Torn  bool  // one of these was written in part
}

// Outcome returns what became of the lines so far.
func (l *Lines) Outcome() Outcome {
	o := Outcome{Err: l.failed, Whole: l.whole, Lost: l.lost, Torn: l.torn}
	if l.open {
		o.Lost++
	}
	return o
}
