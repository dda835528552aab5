package kernels

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// ShowProgress makes downloads announce their size on w and, where w is a terminal,
// show how far they are. Without it they are silent. Call it before the cache is used.
func (c *Cache) ShowProgress(w io.Writer) { c.apt.progress = w }

// say writes one line on the progress.
func (a apt) say(format string, args ...any) {
	if a.progress != nil {
		fmt.Fprintf(a.progress, "vm: "+format+"\n", args...)
	}
}

// megabytes gives a size as a person reads it.
func megabytes(bytes int64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/1e6) }

// fetch does what run does with apt-get, and shows meanwhile how much has come into a
// directory, of total bytes; -1 is an unknown total.
func (a apt) fetch(ctx context.Context, into string, total int64, dir string, args ...string) ([]byte, error) {
	file, ok := a.progress.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return a.run(ctx, dir, "apt-get", args...)
	}
	bar := progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(file),
		progressbar.OptionSetWidth(30),
		progressbar.OptionShowBytes(true),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionUseANSICodes(false),
	)
	before := sizeOf(into)
	done, shown := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(shown)
		for tick := time.NewTicker(200 * time.Millisecond); ; {
			select {
			case <-done:
				tick.Stop()
				_ = bar.Finish() // a bar that cannot be shown is not an error
				return
			case <-tick.C:
				_ = bar.Set64(sizeOf(into) - before)
			}
		}
	}()
	out, err := a.run(ctx, dir, "apt-get", args...)
	close(done)
	<-shown
	return out, err
}

// sizeOf returns how many bytes the files in a directory hold. Files that go away
// meanwhile do not count.
func sizeOf(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil
		}
		if info, err := entry.Info(); err == nil {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}
