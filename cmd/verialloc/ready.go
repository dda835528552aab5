package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// readyFile tells others that the probes are live: it is there, whole, from then
// on and not before.
type readyFile struct {
	name string
	temp *os.File // nil: none was asked for, or it is in place
}

// prepareReady removes an earlier run's file and makes sure that there can be a
// new one. An empty name asks for none.
func prepareReady(name string) (*readyFile, error) {
	if name == "" {
		return &readyFile{}, nil
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--ready-file: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return nil, fmt.Errorf("--ready-file: %w", err)
	}
	return &readyFile{name, temp}, nil
}

// write puts the file in place, with the process id in it.
func (r *readyFile) write() error {
	if r.temp == nil {
		return nil
	}
	_, err := r.temp.WriteString(strconv.Itoa(os.Getpid()) + "\n")
	err = errors.Join(err, r.temp.Chmod(0o644), r.temp.Close())
	if err == nil {
		err = os.Rename(r.temp.Name(), r.name)
	}
	if err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	r.temp = nil
	return nil
}

// discard removes what was not put in place.
func (r *readyFile) discard() {
	if r.temp != nil {
		r.temp.Close()
		os.Remove(r.temp.Name())
	}
}
