package main

import (
	"io"
	"os"

	"github.com/rs/zerolog"
	"golang.org/x/term"

	"github.com/verialloc/verialloc/exporter/view/text"
)

// log returns the log for people on standard error. What does not print is escaped:
// messages hold names that anyone may choose.
func (a *app) log() *zerolog.Logger {
	log := zerolog.New(zerolog.ConsoleWriter{
		Out:     deaf{a.say},
		NoColor: os.Getenv("NO_COLOR") != "" || !isTerminal(a.stderr),
		FormatPrepare: func(entry map[string]any) error {
			if message, ok := entry[zerolog.MessageFieldName].(string); ok {
				entry[zerolog.MessageFieldName] = text.Escape(message)
			}
			return nil
		},
		PartsOrder: []string{zerolog.LevelFieldName, zerolog.MessageFieldName},
	})
	return &log
}

// deaf is a writer whose errors nobody is told: zerolog would write them to the very
// standard error that has failed, without a bound.
type deaf struct{ io.Writer }

func (d deaf) Write(p []byte) (int, error) {
	_, _ = d.Writer.Write(p)
	return len(p), nil
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
