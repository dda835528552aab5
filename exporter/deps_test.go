package exporter

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// modules has what each feed and view may make its importer build, beside this module
// and the standard library. A new one gets a line; none may depend on a sibling's.
var modules = map[string][]string{
	"exporter":                 nil,
	"exporter/feed":            nil,
	"exporter/feed/benchfmt":   {"github.com/aclements/go-moremath", "golang.org/x/perf"},
	"exporter/feed/jsonl":      nil,
	"exporter/internal/sample": {"github.com/google/go-cmp"}, // of tests
	"exporter/view/table":      {"golang.org/x/sys"},
	"exporter/view/text":       nil,
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

// Feeds and views see records: they must work where nothing can be traced.
func TestNoKernel(t *testing.T) {
	for _, path := range goList(t, "{{.ImportPath}}", "-deps", "./...") {
		if path == module+"/tracer" || strings.HasPrefix(path, "github.com/cilium/ebpf") {
			t.Errorf("a feed or a view imports %s", path)
		}
	}
}

// goList returns the lines that go list prints, except empty ones.
func goList(t *testing.T, format string, arguments ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-f", format}, arguments...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}
