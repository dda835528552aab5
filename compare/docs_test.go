package compare

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/tracer/record/recording"
)

// documentedTypes are the types of the JSON form, as docs/compare.md names them.
var documentedTypes = map[reflect.Type]string{
	reflect.TypeFor[Comparison]():    "comparison",
	reflect.TypeFor[Source]():        "source",
	reflect.TypeFor[Difference]():    "difference",
	reflect.TypeFor[Unknown]():       "unknown",
	reflect.TypeFor[Row]():           "row",
	reflect.TypeFor[Result]():        "result",
	reflect.TypeFor[Side]():          "side",
	reflect.TypeFor[Change]():        "change",
	reflect.TypeFor[Tail]():          "tail",
	reflect.TypeFor[GeometricMean](): "geometric mean",
	reflect.TypeFor[Observer]():      "observer",
	reflect.TypeFor[Ceiling]():       "ceiling",
	reflect.TypeFor[CeilingType]():   "ceiling type",
	reflect.TypeFor[Slack]():         "slack",
	reflect.TypeFor[Unmatched]():     "unmatched",
	reflect.TypeFor[Warning]():       "warning",
}

// member is what the document says of one: its type, and whether it may be absent.
type member struct {
	Type   string
	Absent bool
}

// members returns those of a type by their tags.
func members(t *testing.T, of reflect.Type) map[string]member {
	t.Helper()
	out := map[string]member{}
	for _, field := range reflect.VisibleFields(of) {
		if field.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			t.Errorf("%s.%s has no name in JSON", of, field.Name)
		}
		out[name] = member{typeName(t, field.Type), options == "omitempty"}
	}
	return out
}

func typeName(t *testing.T, of reflect.Type) string {
	t.Helper()
	switch of.Kind() {
	case reflect.Pointer:
		return typeName(t, of.Elem()) + " or null"
	case reflect.Slice:
		return "array of " + typeName(t, of.Elem())
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Uint64:
		return "integer"
	case reflect.Float64:
		return "number"
	default:
		name, ok := documentedTypes[of]
		if !ok {
			t.Errorf("%s is not documented", of)
		}
		return name
	}
}

// jsonSection returns the document's section of the JSON form.
func jsonSection(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "compare.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n## JSON\n")
	if !ok {
		t.Fatal("no section of it")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	return section
}

var (
	memberRow   = regexp.MustCompile("(?m)^\\| (`[^|]*`) \\| ([^|`]+) \\|([^|]*)\\|$")
	codeRow     = regexp.MustCompile("(?m)^\\| (`[^|]*`) \\|[^|]*\\|$")
	inBackticks = regexp.MustCompile("`([^`]+)`")
	warningCode = regexp.MustCompile(`\.warn\("([a-z_]+)"`)
)

// The document has every member of the JSON form with its type, and no other.
func TestDocumentedJSON(t *testing.T) {
	documented := map[string]map[string]member{}
	for part := range strings.SplitSeq(jsonSection(t), "\n### ") {
		title, text, _ := strings.Cut(part, "\n")
		documented[title] = map[string]member{}
		for _, row := range memberRow.FindAllStringSubmatch(text, -1) {
			for _, name := range inBackticks.FindAllStringSubmatch(row[1], -1) {
				documented[title][name[1]] = member{row[2], strings.Contains(strings.ToLower(row[3]), "absent")}
			}
		}
	}
	for of, name := range documentedTypes {
		if diff := cmp.Diff(members(t, of), documented[name]); diff != "" {
			t.Errorf("%s (-JSON +document):\n%s", name, diff)
		}
	}
}

// The document has every code of a warning, and no other, and every cause that leaves a
// verdict unsettled.
func TestDocumentedCodes(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]bool{
		string(recording.WarnCutOff): true, string(recording.WarnInterrupted): true, string(recording.WarnSummary): true,
	}
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range warningCode.FindAllSubmatch(text, -1) {
			codes[string(code[1])] = true
		}
	}
	_, table, _ := strings.Cut(jsonSection(t), "\n| code |")
	documented := map[string]bool{}
	for _, row := range codeRow.FindAllStringSubmatch(table, -1) {
		for _, code := range inBackticks.FindAllStringSubmatch(row[1], -1) {
			documented[code[1]] = true
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(codes)), slices.Sorted(maps.Keys(documented))); diff != "" {
		t.Errorf("codes (-warnings +document):\n%s", diff)
	}
	text, err := os.ReadFile(filepath.Join("..", "docs", "compare.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ = strings.Cut(string(text), "\n| `unsettled` |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, cause := range Unsettleds {
		if !strings.Contains(table, "`"+string(cause)+"`") {
			t.Errorf("unsettled: %s is not documented", cause)
		}
	}
}
