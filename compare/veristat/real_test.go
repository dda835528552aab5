package veristat

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func lines(text string) []string { return strings.SplitAfter(text, "\n") }

// realVeristat runs the veristat of the tree in VERIALLOC_VERISTAT, which brings its
// own loader and C library. It returns what it printed and whether it succeeded.
func realVeristat(t *testing.T, args ...string) (string, bool) {
	t.Helper()
	tree := os.Getenv("VERIALLOC_VERISTAT")
	loader := filepath.Join(tree, "usr/lib64/ld-linux-x86-64.so.2")
	args = append([]string{"--library-path", filepath.Join(tree, "usr/lib/x86_64-linux-gnu"), filepath.Join(tree, "usr/bin/veristat")}, args...)
	out, err := exec.Command(loader, args...).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), err == nil
}

func needRealVeristat(t *testing.T) {
	t.Helper()
	if os.Getenv("VERIALLOC_VERISTAT") == "" {
		t.Skip("VERIALLOC_VERISTAT names no tree with veristat: run make test-veristat")
	}
}

// A command is one command line of veristat and the same for this package.
type command struct {
	args    []string
	view    View
	csv     bool
	compare bool
	strict  bool // equal without Compat too
}

// run prints what veristat would, with or without its faults.
func (c command) run(files []string, compat bool) (string, error) {
	var tables []*Table
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		table, err := ReadCSV(bytes.NewReader(data))
		if err != nil {
			return "", err
		}
		tables = append(tables, table)
	}
	var out bytes.Buffer
	view := c.view
	view.Compat = compat
	var shown interface {
		WriteCSV(io.Writer, View) error
		WriteText(io.Writer, View) error
	} = tables[0]
	if c.compare {
		joined, err := Compare(tables[0], tables[1])
		if err != nil {
			return "", err
		}
		shown = joined
	}
	write := shown.WriteText
	if c.csv {
		write = shown.WriteCSV
	}
	err := write(&out, view)
	return out.String(), err
}

// generator makes random tables and command lines.
type generator struct {
	*rand.Rand
	t   *testing.T
	dir string
}

func pick[T any](g *generator, from ...T) T { return from[g.IntN(len(from))] }

// alias returns one of a stat's names.
func (g *generator) alias(s Stat) string { return pick(g, definitions[s].names...) }

// columns returns the columns of veristat 0.5.1, or some of them in any order.
func (g *generator) columns() []Stat {
	columns := csvColumns(nil)
	if g.IntN(3) > 0 {
		others := columns[2:]
		g.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
		columns = append(columns[:2:2], others[:g.IntN(len(others)+1)]...)
		g.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
	}
	return columns
}

var (
	someFiles = []string{"a.bpf.o", "bpf_flow.bpf.o", "bpf_loop.bpf.o", "z", "ä.o", "with space.o", "*.o", "a"}
	someProgs = []string{"main", "x", "flow_dissector_0", "flow_dissector_10", "très_long_nom_de_programme", "_", "a", "|x|"}
)

func (g *generator) value(s Stat) string {
	switch s {
	case FileName:
		return pick(g, someFiles...)
	case ProgName:
		return pick(g, someProgs...)
	case Verdict:
		return pick(g, "success", "success", "failure")
	case ProgType:
		return pick(g, progTypes...)
	case AttachType:
		return pick(g, attachTypes...)
	case MemPeak:
		if g.IntN(4) == 0 {
			return "-1"
		}
	}
	switch g.IntN(12) {
	case 0:
		return fmt.Sprint(g.Int64())
	case 1:
		return fmt.Sprintf("%s%d%s", pick(g, "", " ", "+", "\t+"), g.IntN(1000), pick(g, "", " ", "\t "))
	case 2, 3:
		return "0"
	default:
		return fmt.Sprint(g.IntN(pick(g, 5, 50, 1000, 1_000_000)))
	}
}

func (g *generator) table(columns []Stat) string {
	var header []string
	for _, s := range columns {
		header = append(header, g.alias(s))
	}
	lines := []string{strings.Join(header, ",")}
	for range g.IntN(16) {
		var fields []string
		for _, s := range columns {
			fields = append(fields, g.value(s))
		}
		lines = append(lines, strings.Join(fields, ","))
	}
	return strings.Join(lines, "\n") + pick(g, "\n", "\n", "")
}

func (g *generator) selector() string {
	text := g.alias(Stat(g.IntN(int(statCount))))
	if strings.HasPrefix(text, "max_stack") { // newer than the veristat at hand
		text = "insns"
	}
	text += pick(g, "", "", "_a", "_b", "_diff", "_pct")
	if g.IntN(4) == 0 {
		text = "|" + text + "|"
	}
	return text
}

func (g *generator) spec() string {
	var members []string
	for range 1 + g.IntN(7) {
		members = append(members, g.selector()+pick(g, "", "", "^", "v", "V", ".", "!", "_"))
		if g.IntN(8) == 0 {
			members = append(members, "")
		}
	}
	return strings.Join(members, ",")
}

func (g *generator) glob() string {
	name := []byte(pick(g, append(append([]string{}, someFiles...), someProgs...)...))
	for range g.IntN(3) {
		i := g.IntN(len(name))
		name = append(name[:i:i], append([]byte("*"), name[i+g.IntN(len(name)-i):]...)...)
	}
	return string(name)
}

func (g *generator) filter() string {
	deny := pick(g, "", "", "!")
	switch g.IntN(6) {
	case 0:
		return deny + g.glob() + "/"
	case 1:
		return deny + "/" + g.glob()
	case 2:
		return deny + g.glob() + "/" + g.glob()
	case 3:
		return deny + g.glob()
	}
	number := pick(g, "0", "1", "success", "MATCH", "f", "mis", "Mismatch", " 12", "+7", "-5", "100", fmt.Sprint(g.IntN(1000)))
	return deny + g.selector() + pick(g, "==", "=", "!=", "<>", "<", "<=", ">", ">=") + number
}

func (g *generator) write(name, text string) string {
	path := filepath.Join(g.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
	return path
}

// command returns a random command line. It is not valid if an error is returned.
func (g *generator) command(compare bool) (c command, err error) {
	c = command{compare: compare, strict: true, args: []string{"-R"}}
	if compare {
		c.args = []string{"-C"}
	}
	spec := func(option string, into *Spec) {
		if g.IntN(3) == 0 {
			return
		}
		text := g.spec()
		c.args = append(c.args, option, text)
		parsed, parseErr := ParseSpec(text)
		*into, err = append(*into, parsed...), errors.Join(err, parseErr)
	}
	spec("-e", &c.view.Emit)
	spec("-s", &c.view.Sort)
	if g.IntN(6) == 0 && len(c.view.Sort) < 8 { // options add up
		spec("-s", &c.view.Sort)
	}
	for i := range g.IntN(4) {
		text := g.filter()
		f, parseErr := ParseFilter(text)
		err = errors.Join(err, parseErr)
		if g.IntN(5) == 0 {
			lines := "# comment\n\n  " + text + "\n \t# " + text + "\n"
			c.args = append(c.args, "-f", "@"+g.write(fmt.Sprintf("filters%d", i), lines))
			fromFile, readErr := ReadFilters(strings.NewReader(lines))
			if parseErr == nil && (readErr != nil || len(fromFile) != 1 || fromFile[0] != f) {
				g.t.Fatalf("%q in a file is %v, %v: want %v", text, fromFile, readErr, f)
			}
		} else {
			c.args = append(c.args, "-f", text)
		}
		c.view.Filters = append(c.view.Filters, f)
		c.strict = c.strict && (f.Operator == "" || f.Selector.Absolute)
	}
	if g.IntN(3) == 0 {
		c.view.Top = g.IntN(10) - 1
		c.args = append(c.args, "-n", fmt.Sprint(c.view.Top))
	}
	if g.IntN(2) == 0 {
		c.csv = true
		c.args = append(c.args, "-o", "csv")
		c.strict = c.strict && (!compare || len(c.view.Emit) == 0 || c.view.Emit[0].Stat.IsKey())
	}
	return c, err
}

// Everything that veristat prints of a table or of two must be printed here, byte for
// byte.
func TestRealVeristat(t *testing.T) {
	needRealVeristat(t)
	for _, mode := range []struct {
		name    string
		compare bool
	}{{"replay", false}, {"compare", true}} {
		t.Run(mode.name, func(t *testing.T) {
			const cases = 2000
			printed, refused, rows := 0, 0, 0
			for seed := range uint64(cases) {
				g := &generator{rand.New(rand.NewPCG(seed, 1)), t, t.TempDir()}
				columns := g.columns()
				files := []string{g.write("base.csv", g.table(columns))}
				if mode.compare {
					files = append(files, g.write("comp.csv", g.table(columns)))
				}
				c, err := g.command(mode.compare)
				if err == nil {
					rows += c.check(t, seed, files)
					printed++
				} else if out, ok := realVeristat(t, append(c.args, files...)...); ok {
					t.Fatalf("seed %d: %v; but veristat %q prints\n%s", seed, err, c.args, out)
				} else {
					refused++
				}
			}
			t.Logf("%d command lines give what veristat gives, %d lines; both refuse %d more", printed, rows, refused)
		})
	}
}

// check compares what both print and returns how many lines that is.
func (c command) check(t *testing.T, seed uint64, files []string) int {
	t.Helper()
	want, ok := realVeristat(t, append(c.args, files...)...)
	if !ok {
		t.Fatalf("seed %d: veristat %q fails", seed, c.args)
	}
	compats := []bool{true}
	if c.strict {
		compats = append(compats, false)
	}
	for _, compat := range compats {
		got, err := c.run(files, compat)
		if err != nil {
			t.Fatalf("seed %d: %q: %v", seed, c.args, err)
		}
		if got != want {
			t.Fatalf("seed %d: %q, compat %t: -veristat +here:\n%s", seed, c.args, compat, cmp.Diff(lines(want), lines(got)))
		}
	}
	return strings.Count(want, "\n")
}

// Text of any kind must be refused where veristat refuses it, and mean the same where
// it does not.
func TestRealVeristatGrammar(t *testing.T) {
	needRealVeristat(t)
	tokens := []string{
		"insns", "file", "prog_name", "verdict", "mark_read", "_a", "_b", "_diff", "_pct", "|", "|", "^", "v", "_",
		",", "=", "==", "<", ">", "<>", "!", "!=", "0", "5", "12", "-1", "9223372036854775808", "/", "*", "a", "x",
		" ", "\t", "success", "MIS", "t", ".",
	}
	for _, option := range []string{"-e", "-s", "-f"} {
		t.Run(option, func(t *testing.T) {
			accepted, refused := 0, 0
			for seed := range uint64(600) {
				g := &generator{rand.New(rand.NewPCG(seed, 2)), t, t.TempDir()}
				text := pick(g, "", g.selector(), g.selector()+pick(g, "^", "=", ">", ","))
				for range g.IntN(4) {
					text += pick(g, tokens...)
				}
				c := command{args: []string{"-C", option, text}, compare: true}
				var err error
				switch option {
				case "-e":
					c.view.Emit, err = ParseSpec(text)
				case "-s":
					c.view.Sort, err = ParseSpec(text)
				default:
					var f Filter
					f, err = ParseFilter(text)
					c.view.Filters = Filters{f}
				}
				columns := csvColumns(nil)
				files := []string{g.write("base.csv", g.table(columns)), g.write("comp.csv", g.table(columns))}
				if err == nil {
					c.check(t, seed, files)
					accepted++
					continue
				}
				refused++
				if _, ok := realVeristat(t, append(c.args, files...)...); ok && strings.Trim(text, "!/") != "" {
					t.Errorf("%s %q: %v; but veristat accepts it", option, text, err)
				}
			}
			t.Logf("%d of %d texts mean the same, both refuse the others", accepted, accepted+refused)
		})
	}
}

// What is read of a damaged table must be what veristat reads of it.
func TestRealVeristatDamaged(t *testing.T) {
	needRealVeristat(t)
	accepted, refused := 0, 0
	for seed := range uint64(1000) {
		g := &generator{rand.New(rand.NewPCG(seed, 3)), t, t.TempDir()}
		text := []byte(g.table(g.columns()))
		for range 1 + g.IntN(2) {
			i := g.IntN(len(text))
			text = append(text[:i:i], append([]byte(pick(g, "", ",", "\n", "0", "x", " ", "-", "^", "_")), text[i+g.IntN(2):]...)...)
		}
		if _, err := ReadCSV(bytes.NewReader(text)); err != nil {
			refused++
			continue
		}
		accepted++
		c := command{args: []string{"-R", "-o", "csv"}, csv: true}
		c.check(t, seed, []string{g.write("base.csv", string(text))})
	}
	t.Logf("%d of %d damaged tables are read as veristat reads them, the others refused", accepted, accepted+refused)
}

// The types must be those of libbpf, with its numbers, by which they are sorted.
func TestRealVeristatTypes(t *testing.T) {
	needRealVeristat(t)
	for _, types := range []struct {
		stat  Stat
		names []string
	}{{ProgType, progTypes}, {AttachType, attachTypes}} {
		g := &generator{rand.New(rand.NewPCG(1, 4)), t, t.TempDir()}
		table := "file,prog," + types.stat.Name() + "\n"
		for i, name := range types.names {
			table += fmt.Sprintf("f,p%d,%s\n", len(types.names)-i, name)
		}
		file := g.write("types.csv", table)
		spec, err := ParseSpec(types.stat.Name() + "^")
		if err != nil {
			t.Fatal(err)
		}
		command{args: []string{"-R", "-s", spec.String()}, view: View{Sort: spec}}.check(t, 0, []string{file})
		for i := range types.names {
			f, err := ParseFilter(fmt.Sprintf("%s=%d", types.stat, i))
			if err != nil {
				t.Fatal(err)
			}
			got := command{args: []string{"-R", "-f", f.String()}, view: View{Filters: Filters{f}}}.check(t, 0, []string{file})
			if got != 5 {
				t.Errorf("%s %d selects %d rows", types.stat, i, got-4)
			}
		}
	}
}
