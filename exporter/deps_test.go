package exporter

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// modules has what each feed and view may make its importer build, beside this module
// and the standard library. A new one gets a line; none may depend on a sibling's.
var modules = map[string][]string{
	"exporter":                     nil,
	"exporter/feed":                nil,
	"exporter/feed/benchfmt":       {"github.com/aclements/go-moremath", "golang.org/x/perf"},
	"exporter/feed/jsonl":          nil,
	"exporter/internal/sample":     {"github.com/google/go-cmp"}, // of tests
	"exporter/view/bench":          {"golang.org/x/sys"},
	"exporter/view/compare":        {"github.com/aclements/go-moremath", "golang.org/x/perf"},
	"exporter/view/table":          {"golang.org/x/sys"},
	"exporter/view/internal/errno": {"golang.org/x/sys"},
	"exporter/view/text":           nil,
}

const module = "github.com/verialloc/verialloc"

func TestDependencies(t *testing.T) {
	for _, path := range goList(t, "{{.ImportPath}}", "./...") {
		name := strings.TrimPrefix(path, module+"/")
		allowed, ok := modules[name]
		if !ok {
			t.Errorf("%s: say in this test which modules it needs", name)
			continue
		}
		got := slices.DeleteFunc(goList(t, "{{with .Module}}{{.Path}}{{end}}", "-deps", path), func(m string) bool { return m == module })
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, allowed) {
			t.Errorf("%s makes its importers build %q, want %q", name, got, allowed)
		}
	}
}

// What shows or judges records must work where nothing can be traced, and a judge knows
// nothing of how its finding is shown.
func TestNoKernel(t *testing.T) {
	for of, forbidden := range map[string][]string{
		"./...":          {module + "/tracer", "github.com/cilium/ebpf"},
		"../compare/...": {module + "/tracer", "github.com/cilium/ebpf", module + "/exporter"},
	} {
		for _, path := range goList(t, "{{.ImportPath}}", "-deps", of) {
			for _, no := range forbidden {
				if path == no || strings.HasPrefix(path, no+"/") && !strings.HasPrefix(path, module+"/tracer/record") {
					t.Errorf("%s imports %s", of, path)
				}
			}
		}
	}
}

// goList returns the lines that go list prints, except empty ones.
func goList(t *testing.T, format string, arguments ...string) []string {
	t.Helper()
	// What go list reads is the test's as well: without this, an old result is taken from
	// the cache of tests.
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		_, err = os.Stat(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", append([]string{"list", "-f", format}, arguments...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}
