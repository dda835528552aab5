package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/kernel"
)

// The live tests run in a guest that has these directories; "make test-corpus" makes it.
const (
	objectsVariable = "VERIALLOC_CORPUS"  // objects of the corpus
	toolsVariable   = "VERIALLOC_TOOLS"   // tree with veristat and bpftrace
	resultsVariable = "VERIALLOC_RESULTS" // where what comes back to the host goes
	allVariable     = "VERIALLOC_CORPUS_ALL"
)

// directory returns the directory that a variable names.
func directory(t *testing.T, variable string) string {
	t.Helper()
	if os.Getenv("VERIALLOC_LIVE") == "" {
		t.Skip("set VERIALLOC_LIVE=1 to test on the running kernel")
	}
	dir := os.Getenv(variable)
	if dir == "" {
		t.Fatalf("VERIALLOC_LIVE is set, but not %s: run make test-corpus", variable)
	}
	return dir
}

// keep writes a result for the host.
func keep(t *testing.T, name, content string) {
	t.Helper()
	dir := directory(t, resultsVariable)
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// tool is the command line of a program of the tools' tree, which runs by that tree's
// own dynamic loader.
func tool(t *testing.T, program string, args ...string) []string {
	t.Helper()
	tree := os.Getenv(toolsVariable)
	if tree == "" {
		t.Fatalf("%s is not set: run make test-corpus", toolsVariable)
	}
	return append([]string{
		filepath.Join(tree, "usr/lib64/ld-linux-x86-64.so.2"),
		"--library-path", filepath.Join(tree, "usr/lib/x86_64-linux-gnu"),
		filepath.Join(tree, "usr/bin", program),
	}, args...)
}

// runLine runs a command line and returns its standard output and error.
func runLine(t *testing.T, line ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), line[0], line[1:]...)
	cmd.Env = append(os.Environ(), "HOME=/tmp", "NO_COLOR=1")
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err = cmd.Run()
	return out.String(), complaints.String(), err
}

// row is a line of CSV, by column.
type row map[string]string

// program names the program that a row is of.
func (r row) program() string { return r["file_name"] + "/" + r["prog_name"] }

// readCSV reads veristat's CSV. It is not the project's own reader, which is under test.
func readCSV(t *testing.T, text string) (header []string, rows []row) {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(records) == 0 {
		t.Fatal("no header")
	}
	for _, record := range records[1:] {
		r := row{}
		for i, value := range record {
			r[records[0][i]] = value
		}
		rows = append(rows, r)
	}
	return records[0], rows
}

// release is the kernel's.
func release(t *testing.T) string {
	t.Helper()
	r, err := kernel.ReadRelease()
	if err != nil {
		t.Fatal(err)
	}
	return r.Name
}

// objects returns the paths of the corpus' objects that the tests load.
func objects(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(directory(t, objectsVariable), "*"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no objects in the corpus: %v", err)
	}
	if os.Getenv(allVariable) != "" {
		return all
	}
	return slices.DeleteFunc(all, func(path string) bool { return !isSelected(path) })
}

// list writes the paths into a file and returns the argument that stands for them.
func list(t *testing.T, paths []string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "objects")
	if err := os.WriteFile(file, []byte(strings.Join(paths, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return "@" + file
}
