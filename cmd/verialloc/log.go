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
		Out:     a.stderr,
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

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
