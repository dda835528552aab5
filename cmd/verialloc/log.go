package main

import (
	"io"
	"os"

	"github.com/rs/zerolog"
	"golang.org/x/term"
)

// log returns the log for people on standard error.
func (a *app) log() *zerolog.Logger {
	log := zerolog.New(zerolog.ConsoleWriter{
		Out:        a.stderr,
		NoColor:    os.Getenv("NO_COLOR") != "" || !isTerminal(a.stderr),
		PartsOrder: []string{zerolog.LevelFieldName, zerolog.MessageFieldName},
	})
	return &log
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
