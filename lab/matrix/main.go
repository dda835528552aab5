// Command matrix writes what verialloc doctor -o json said on several kernels into
// a Markdown file, between its two marks.
//
//	matrix docs/kernels.md 6.1.json 6.12.json
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/verialloc/verialloc/internal/input"
	"github.com/verialloc/verialloc/tracer/record"
)

// The marks, each a line of its own.
const (
	beginMark = "<!-- begin: make docs-kernels -->\n"
	endMark   = "<!-- end: make docs-kernels -->\n"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("want a Markdown file and the answers of verialloc doctor -o json")
	}
	text, err := input.List.ReadFile(args[0])
	if err != nil {
		return err
	}
	head, rest, found := strings.Cut(string(text), beginMark)
	_, tail, ended := strings.Cut(rest, endMark)
	if !found || !ended {
		return fmt.Errorf("%s: has no lines %q and %q", args[0], beginMark, endMark)
	}
	var kernels []record.Diagnosis
	for _, name := range args[1:] {
		d, err := read(name)
		if err != nil {
			return err
		}
		kernels = append(kernels, d)
	}
	return os.WriteFile(args[0], []byte(head+beginMark+tables(kernels)+endMark+tail), 0o644)
}

func read(name string) (record.Diagnosis, error) {
	var d record.Diagnosis
	text, err := input.List.ReadFile(name)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return d, fmt.Errorf("%s: %w", name, err)
	}
	if d.Kind != record.KindDiagnosis || d.Schema != record.Schema {
		return d, fmt.Errorf("%s: want a %s of schema %s, got a %s of schema %s", name, record.KindDiagnosis, record.Schema, d.Kind, d.Schema)
	}
	return d, nil
}

// hookKey is what makes a hook the same on two kernels. A name alone does not:
// is_state_visited is where states are allocated, and what visits them.
type hookKey struct{ purpose, name string }

func tables(kernels []record.Diagnosis) string {
	keys := hookKeys(kernels)
	var single, several []hookKey
	for _, k := range keys {
		same := func(other hookKey) bool { return other.purpose == k.purpose && other != k }
		if slices.ContainsFunc(keys, same) {
			several = append(several, k)
		} else {
			single = append(single, k)
		}
	}
	slices.SortStableFunc(several, func(a, b hookKey) int {
		first := func(k hookKey) int {
			return slices.IndexFunc(keys, func(other hookKey) bool { return other.purpose == k.purpose })
		}
		return first(a) - first(b)
	})
	var b strings.Builder
	b.WriteString("\n| series | release | verialloc can trace it |\n|---|---|---|\n")
	for _, d := range kernels {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", series(d), d.Kernel, map[bool]string{true: "yes", false: "no"}[d.OK])
	}
	b.WriteString("\n### Hooks\n\n")
	writeTable(&b, kernels, single)
	b.WriteString("\n### Functions probed for latency and path\n\n")
	writeTable(&b, kernels, several)
	b.WriteString("\n### What is missing\n\n")
	for _, d := range kernels {
		for _, lack := range d.Lacks {
			fmt.Fprintf(&b, "- %s: %s\n", series(d), lack)
		}
	}
	b.WriteString("\n")
	return b.String()
}

// hookKeys lists each hook once, in the order of the first kernel that has it.
func hookKeys(kernels []record.Diagnosis) []hookKey {
	var keys []hookKey
	for _, d := range kernels {
		for _, h := range d.Hooks {
			if k := (hookKey{h.Purpose, h.Name}); !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	return keys
}

func writeTable(b *strings.Builder, kernels []record.Diagnosis, keys []hookKey) {
	b.WriteString("| hook | purpose |")
	for _, d := range kernels {
		b.WriteString(" " + series(d) + " |")
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(kernels)) + "\n")
	for _, k := range keys {
		fmt.Fprintf(b, "| `%s` | %s |", k.name, k.purpose)
		for _, d := range kernels {
			b.WriteString(" " + cell(d, k) + " |")
		}
		b.WriteString("\n")
	}
}

// cell says by which means a kernel serves a hook.
func cell(d record.Diagnosis, k hookKey) string {
	i := slices.IndexFunc(d.Hooks, func(h record.Hook) bool { return h.Purpose == k.purpose && h.Name == k.name })
	switch {
	case i < 0, d.Hooks[i].State == record.HookCovered:
		return "–"
	case d.Hooks[i].State == record.HookReady:
		return "ready"
	case d.Hooks[i].State != record.HookAttached:
		return "no"
	}
	var words []string
	for _, means := range d.Hooks[i].Serving() {
		words = append(words, cmp.Or(short[means], string(means)))
	}
	return strings.Join(words, "+")
}

// short are the means that have a shorter name in the tables.
var short = map[record.Means]string{
	record.MeansRawTracepoint: "raw_tp", record.MeansTracepoint: "tp", record.MeansCallSite: "call site",
}

// series returns the series of a kernel, such as 6.12.
func series(d record.Diagnosis) string {
	parts := strings.SplitN(d.Kernel, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}
