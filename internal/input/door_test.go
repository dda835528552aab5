package input

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// doors are the functions that open a file, that read a file or a stream to its end,
	// however long it is, or that make a longer stream of one.
	doors = regexp.MustCompile(`\b(os\.(Open\w*|ReadFile)|fs\.ReadFile|io\.ReadAll|ioutil\.\w+|` +
		`(unix|syscall)\.Open\w*|(flate|gzip|zlib|bzip2|lzw)\.NewReader\w*)\(`)
	// fileSystems are variables, parameters and fields of type fs.FS.
	fileSystems = regexp.MustCompile(`\b(\w+) fs\.FS\b`)
)

// door returns the first door in the text of a source file, "" if it has none.
func door(text string) string {
	if found := doors.FindString(text); found != "" {
		return found
	}
	for _, name := range fileSystems.FindAllStringSubmatch(text, -1) {
		if found := regexp.MustCompile(`\b` + name[1] + `\.Open\(`).FindString(text); found != "" {
			return found
		}
	}
	return ""
}

// others open files for another reason than to read them to their end.
var others = map[string]string{
	"internal/input":                "it is the door",
	"kernel/tracefs.go":             "it opens a directory, and what is in it relative to that",
	"kernel/cgrouppath.go":          "it opens a directory, by which the groups below are found",
	"kernel/invocation.go":          "it opens a directory, and what is in it through the door, of which it takes 4 KiB",
	"kernel/config.go":              "what it unpacks goes through the door again",
	"load/cgroup.go":                "it reads 256 bytes of a file that it waits for",
	"cmd/verialloc/internal/files":  "it opens places to write to",
	"cmd/verialloc/internal/stream": "it opens what it writes to once more",
	"lab/corpus/build.go":           "it opens a file to write",
	"lab/vm":                        "a guest's own files, and what the lab has written",
	"lab/internal":                  "what the lab has downloaded and written",
	"lab/cost":                      "what the programs that it starts have written",
	"exporter/internal":             "the goldens of tests",
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
		found := door(string(text))
		if found == "" {
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

func TestDoor(t *testing.T) {
	for text, want := range map[string]string{
		`os.Open(name)`:                         "os.Open(",
		`os.OpenFile(name, os.O_RDWR, 0)`:       "os.OpenFile(",
		`os.OpenRoot(dir)`:                      "os.OpenRoot(",
		`os.OpenInRoot(dir, name)`:              "os.OpenInRoot(",
		`os.ReadFile(name)`:                     "os.ReadFile(",
		`fs.ReadFile(root, name)`:               "fs.ReadFile(",
		`io.ReadAll(r)`:                         "io.ReadAll(",
		`unix.Open(name, 0, 0)`:                 "unix.Open(",
		`unix.Openat(dir, name, 0, 0)`:          "unix.Openat(",
		`unix.Openat2(dir, name, &how)`:         "unix.Openat2(",
		`syscall.Open(name, 0, 0)`:              "syscall.Open(",
		`gzip.NewReader(r)`:                     "gzip.NewReader(",
		`flate.NewReaderDict(r, dict)`:          "flate.NewReaderDict(",
		"f(files fs.FS) {\nfiles.Open(name)\n}": "files.Open(",

		"f(files fs.FS) {\nplace.Open(name)\n}": "",
		`input.Kernel.Open(name)`:               "",
		`object.Open(name, options)`:            "",
		`bufio.NewReader(r)`:                    "",
		`os.Create(name)`:                       "",
	} {
		if got := door(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
