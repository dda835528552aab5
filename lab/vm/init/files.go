package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/verialloc/verialloc/lab/internal/guest"
)

// sendFiles sends the files at paths, and those in the directories at paths.
// It skips a path that does not exist: a command that failed did not
// write all its files, and its exit code matters more.
func sendFiles(paths []string, out *guest.Writer) error {
	for i, root := range paths {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if !d.Type().IsRegular() {
				return nil
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			return sendFile(path, guest.File{Fetch: i, Name: name}, out)
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("send %s: %w", root, err)
		}
	}
	return nil
}

func sendFile(path string, head guest.File, out *guest.Writer) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	head.Mode = info.Mode().Perm()
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if err := out.Send(guest.FileStart, text); err != nil {
		return err
	}
	_, err = io.CopyBuffer(onlyWriter{out.Stream(guest.FileData)}, onlyReader{f}, make([]byte, guest.MaxPayload))
	return err
}
