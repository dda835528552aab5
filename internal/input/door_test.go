package input

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// doors are the functions that read a file or a stream to its end, however long it is.
var doors = regexp.MustCompile(`\b(os\.Open|os\.ReadFile|fs\.ReadFile|io\.ReadAll|ioutil\.\w+)\(`)

// others open files for another reason than to read them to their end.
var others = map[string]string{
	"internal/input":    "it is the door",
	"kernel/tracefs.go": "it opens a directory",
	"load/cgroup.go":    "it reads 256 bytes of a file that it waits for",
	"lab/vm":            "a guest's own files, and what the lab has written",
	"lab/internal":      "what the lab has downloaded and written",
	"lab/cost":          "what the programs that it starts have written",
	"exporter/internal": "the goldens of tests",
}

// Everything else reads by way of this package.
func TestOneDoor(t *testing.T) {
	const root = "../.."
	used := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found := doors.Find(text)
		if found == nil {
			return nil
		}
		name := strings.TrimPrefix(path, root+"/")
		for other := range others {
			if name == other || strings.HasPrefix(name, other+"/") {
				used[other] = true
				return nil
			}
		}
		t.Errorf("%s: %s...): read by package input, which knows where to stop", name, found)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for other := range others {
		if !used[other] {
			t.Errorf("%s opens nothing: take it off the list", other)
		}
	}
}
