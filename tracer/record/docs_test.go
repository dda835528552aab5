package record

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documented are the types of the JSON form, in the order in which docs/record.md has
// them: where the part about a type begins, and what its members' types call it. A part
// ends where the next one begins.
var documented = []struct {
	begins string
	name   string
	of     reflect.Type
}{
	{"\n| member | type | |\n", "", reflect.TypeFor[Head]()},
	{"\n## environment\n", "environment", reflect.TypeFor[Environment]()},
	{"\nA probe floor is ", "probe floor", reflect.TypeFor[ProbeFloor]()},
	{"\nA hook is ", "hook", reflect.TypeFor[Hook]()},
	{"\nA target is ", "target", reflect.TypeFor[Target]()},
	{"\nA lack is ", "lack", reflect.TypeFor[Lack]()},
	{"\n## verification\n", "verification", reflect.TypeFor[Verification]()},
	{"\nA loader is ", "loader", reflect.TypeFor[Loader]()},
	{"\nAn asked is ", "asked", reflect.TypeFor[AskedFor]()},
	{"\nA function is ", "function", reflect.TypeFor[Function]()},
	{"\nA failed allocation is ", "failed allocation", reflect.TypeFor[FailedAlloc]()},
	{"\nA count is ", "count", reflect.TypeFor[Count]()},
	{"\n### Group\n", "group", reflect.TypeFor[Group]()},
	{"A group of `types` has `shares`", "share", reflect.TypeFor[Share]()},
	{"\n### Inputs\n", "inputs", reflect.TypeFor[Inputs]()},
	{"\n### Histogram\n", "histogram", reflect.TypeFor[Histogram]()},
	{"\n### Visits\n", "object", reflect.TypeFor[Visits]()},
	{"\n### Loss\n", "loss", reflect.TypeFor[Loss]()},
	{"\n## event\n", "", reflect.TypeFor[Event]()},
	{"\n## loss\n", "", reflect.TypeFor[LossReport]()},
	{"\n## summary\n", "", reflect.TypeFor[Summary]()},
	{"\n### Simultaneous\n", "simultaneous", reflect.TypeFor[Simultaneous]()},
	{"\n## diagnosis\n", "", reflect.TypeFor[Diagnosis]()},
	{"\nA fence is ", "fence", reflect.TypeFor[Fence]()},
	{"\n### machine\n", "", reflect.TypeFor[Machine]()},
	{"\nA slab cache is ", "slab cache", reflect.TypeFor[SlabCache]()},
	{"\n### program\n", "", reflect.TypeFor[Program]()},
	{"| `generated` |", "object", reflect.TypeFor[Generated]()},
	{"\n### sample\n", "", reflect.TypeFor[Sample]()},
	{"\nA counter is ", "", reflect.TypeFor[Counter]()},
	{"\n### observer_cost\n", "", reflect.TypeFor[ObserverCost]()},
	{"\n### fit\n", "", reflect.TypeFor[Fit]()},
	{"\n### end\n", "", reflect.TypeFor[End]()},
}

// within are the types whose part lies within that of the type before.
var within = []reflect.Type{reflect.TypeFor[Loader](), reflect.TypeFor[AskedFor](), reflect.TypeFor[Function](), reflect.TypeFor[Share](), reflect.TypeFor[Generated]()}

var (
	memberRow = regexp.MustCompile("(?m)^\\| (`[^|]*`) \\| ([^|`]+) \\|[^|]*\\|$")
	quoted    = regexp.MustCompile("`([^`]+)`")
)

// parts cuts the document into those of the types.
func parts(t *testing.T) map[reflect.Type]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "record.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	starts := make([]int, len(documented)+1)
	starts[len(documented)] = len(text)
	from := 0
	for i, d := range documented {
		at := strings.Index(text[from:], d.begins)
		if at < 0 {
			t.Fatalf("docs/record.md has no %q after the part about %v", d.begins, documented[max(i-1, 0)].of)
		}
		starts[i], from = from+at, from+at+1
	}
	out := map[reflect.Type]string{}
	for i, d := range documented {
		end := i + 1
		for end < len(documented) && slices.Contains(within, documented[end].of) {
			end++
		}
		out[d.of] = text[starts[i]:starts[end]]
	}
	return out
}

// members returns the names and types in JSON of the members of a type, without those that
// all lines have.
func members(t *testing.T, of reflect.Type) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, field := range reflect.VisibleFields(of) {
		if field.Anonymous || of != reflect.TypeFor[Head]() && len(field.Index) > 1 && of.Field(field.Index[0]).Type == reflect.TypeFor[Head]() {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			t.Errorf("%v.%s has no name in JSON", of, field.Name)
		}
		out[name] = jsonType(t, field.Type)
	}
	return out
}

func jsonType(t *testing.T, of reflect.Type) string {
	t.Helper()
	if of == reflect.TypeFor[Pointer]() {
		return "string"
	}
	switch of.Kind() {
	case reflect.Pointer:
		return jsonType(t, of.Elem())
	case reflect.Slice:
		return "array of " + jsonType(t, of.Elem())
	case reflect.Map:
		return "object"
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Float64:
		return "number"
	case reflect.Struct:
		for _, d := range documented {
			if d.of == of && d.name != "" {
				return d.name
			}
		}
		t.Errorf("no name of %v is documented", of)
		return ""
	default:
		return "integer"
	}
}

// The document has every member of the JSON form, and its tables no other, each with its
// type.
func TestDocumentedMembers(t *testing.T) {
	texts := parts(t)
	for _, d := range documented {
		text, have := texts[d.of], members(t, d.of)
		names := map[string]bool{}
		for _, name := range quoted.FindAllStringSubmatch(text, -1) {
			names[name[1]] = true
		}
		for name := range have {
			if !names[name] {
				t.Errorf("docs/record.md does not have member %s of %v", name, d.of)
			}
		}
		if slices.Contains(within, d.of) {
			continue
		}
		for _, row := range memberRow.FindAllStringSubmatch(text, -1) {
			for _, name := range quoted.FindAllStringSubmatch(row[1], -1) {
				if want, ok := have[name[1]]; !ok || want != strings.TrimSpace(row[2]) {
					t.Errorf("docs/record.md has member %s of %v as %q, the JSON form as %q", name[1], d.of, row[2], want)
				}
			}
		}
	}
}
