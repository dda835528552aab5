package verialloc

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// proseFields are the members of records and results that hold words for people: what
// they say may change, so nothing is to be decided by it.
var proseFields = []string{
	"Reason", "IncompleteReason", "Advice", "Missing", "Why", "Purpose", "Text", "Symbol", "Means", "Ledger",
	"Absent", "TracedAbsent", "Failure",
}

// proseNames are the names of variables that hold such words.
var proseNames = []string{"reason", "advice", "missing", "why", "sentence", "sentences"}

// searching are the functions of strings and bytes, and the methods of regexp, that look
// into a text.
var searching = []string{
	"Contains", "ContainsAny", "ContainsFunc", "ContainsRune", "Count", "Cut", "CutPrefix", "CutSuffix", "EqualFold", "Fields",
	"HasPrefix", "HasSuffix", "Index", "IndexAny", "LastIndex", "Split", "SplitN", "SplitSeq", "TrimPrefix", "TrimSuffix",
	"MatchString", "FindStringSubmatch",
}

// proseReaders are the functions that may read such words after all.
var proseReaders = map[string]string{
	"tracer/record/lack.go: lacksOf": "records of earlier versions have nothing else",
}

// Nothing is decided by what sentences for people and errors say: there are members,
// error values and types for that.
func TestNothingIsDecidedByProse(t *testing.T) {
	used := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && path != "." || entry.Name() == "testdata") {
			return fs.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		for _, found := range proseDecisions(file) {
			name := filepath.ToSlash(path) + ": " + found.function
			if _, ok := proseReaders[name]; ok {
				used[name] = true
				continue
			}
			t.Errorf("%s: %s decides by words for people: %s", files.Position(found.at), found.function, found.what)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range proseReaders {
		if !used[name] {
			t.Errorf("%s reads no words for people: take it off the list", name)
		}
	}
}

// decision is a place that looks into words for people.
type decision struct {
	at       token.Pos
	function string
	what     string
}

// proseDecisions returns the decisions of a file.
func proseDecisions(file *ast.File) (found []decision) {
	for _, declared := range file.Decls {
		function, ok := declared.(*ast.FuncDecl)
		if !ok {
			continue
		}
		prose := proseVariables(function)
		report := func(n ast.Node, format string, args ...any) {
			found = append(found, decision{n.Pos(), function.Name.Name, fmt.Sprintf(format, args...)})
		}
		ast.Inspect(function, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				f, ok := n.Fun.(*ast.SelectorExpr)
				if !ok || !slices.Contains(searching, f.Sel.Name) || isNewline(n.Args) {
					break
				}
				// A list of words is no words, unless one that is written out is looked for.
				if from, ok := f.X.(*ast.Ident); ok && (from.Name == "slices" || from.Name == "maps") && !slices.ContainsFunc(n.Args, isText) {
					break
				}
				for _, argument := range n.Args {
					if isProse(argument, prose) {
						report(n, "%s is searched by %s", words(argument), f.Sel.Name)
					}
				}
			case *ast.BinaryExpr:
				if n.Op != token.EQL && n.Op != token.NEQ {
					break
				}
				for _, side := range [][2]ast.Expr{{n.X, n.Y}, {n.Y, n.X}} {
					if isProse(side[0], prose) && isText(side[1]) {
						report(n, "%s is compared with a text", words(side[0]))
					}
				}
			case *ast.SwitchStmt:
				if n.Tag == nil || !isProse(n.Tag, prose) {
					break
				}
				for _, s := range n.Body.List {
					if slices.ContainsFunc(s.(*ast.CaseClause).List, isText) {
						report(n, "%s is compared with a text", words(n.Tag))
						break
					}
				}
			}
			return true
		})
	}
	return found
}

// proseVariables lists the variables of a function that take words for people.
func proseVariables(function *ast.FuncDecl) map[string]bool {
	prose := map[string]bool{}
	take := func(target ast.Expr, from ast.Expr) {
		if name, ok := target.(*ast.Ident); ok && name.Name != "_" && isProse(from, prose) {
			prose[name.Name] = true
		}
	}
	ast.Inspect(function, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i := range n.Lhs {
				if len(n.Lhs) == len(n.Rhs) {
					take(n.Lhs[i], n.Rhs[i])
				}
			}
		case *ast.RangeStmt:
			if n.Value != nil {
				take(n.Value, n.X)
			}
		}
		return true
	})
	return prose
}

// isProse reports whether an expression is words for people, or made of them.
func isProse(e ast.Expr, variables map[string]bool) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return variables[e.Name] || slices.Contains(proseNames, e.Name)
	case *ast.SelectorExpr:
		return slices.Contains(proseFields, e.Sel.Name)
	case *ast.IndexExpr:
		return isProse(e.X, variables)
	case *ast.ParenExpr:
		return isProse(e.X, variables)
	case *ast.BinaryExpr:
		return e.Op == token.ADD && (isProse(e.X, variables) || isProse(e.Y, variables))
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && len(e.Args) == 0 {
			return f.Sel.Name == "Error" // err.Error()
		}
		// A conversion or a function such as strings.ToLower, of words.
		return slices.ContainsFunc(e.Args, func(a ast.Expr) bool { return isProse(a, variables) }) && !isCount(e)
	}
	return false
}

// isCount reports whether a call is of a function that counts.
func isCount(call *ast.CallExpr) bool {
	name, ok := call.Fun.(*ast.Ident)
	return ok && (name.Name == "len" || name.Name == "cap")
}

// isText reports whether an expression is a literal text that is not empty.
func isText(e ast.Expr) bool {
	literal, ok := e.(*ast.BasicLit)
	return ok && literal.Kind == token.STRING && literal.Value != `""`
}

// isNewline reports whether a text is cut at a line's end, which decides nothing.
func isNewline(arguments []ast.Expr) bool {
	literal, ok := arguments[len(arguments)-1].(*ast.BasicLit)
	return ok && literal.Value == strconv.Quote("\n")
}

// words names an expression.
func words(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return words(e.X) + "." + e.Sel.Name
	case *ast.IndexExpr:
		return words(e.X) + "[]"
	case *ast.CallExpr:
		return words(e.Fun) + "()"
	}
	return "a text"
}

// The search finds decisions of each kind, and nothing else.
func TestProseDecisions(t *testing.T) {
	for _, c := range []struct {
		body string
		want int
	}{
		{`return strings.Contains(r.Reason, refused)`, 1},
		{`return strings.HasPrefix(hooks[i].Reason, "not needed: ")`, 1},
		{`for _, sentence := range e.Missing { if rest, ok := strings.CutPrefix(sentence, "latency: "); ok { return rest } }`, 1},
		{`text := err.Error(); return strings.Contains(strings.ToLower(text), "permission")`, 1},
		{`return strings.HasSuffix(err.Error(), "denied")`, 1},
		{`return err.Error() == "no such file"`, 1},
		{`return h.Means == "kprobe+fentry"`, 1},
		{`switch h.Symbol { case "none": return 1 }`, 1},
		{`return pattern.MatchString(l.Why)`, 1},
		{`return slices.Contains(e.Missing, "no kprobes")`, 1},
		{`name, why, _ := strings.Cut(sentence, ": "); return name + why`, 1},
		{`return strings.Contains(h.Symbol, " ") || strings.Contains(e.Missing[0], "x")`, 2},
		{`return slices.Contains(means, h.Means)`, 0},
		{`return l.Reason == LossBlind || h.Reason != "" || len(e.Missing) == 1`, 0},
		{`line, _, _ := strings.Cut(err.Error(), "\n"); return line`, 0},
		{`return strings.Join(e.Missing, ", ") + insn.Symbol() + err.Error()`, 0},
		{`return strings.HasPrefix(lines.Text(), "CONFIG_")`, 0},
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() any { "+c.body+" }", 0)
		if err != nil {
			t.Fatal(err)
		}
		if found := proseDecisions(file); len(found) != c.want {
			t.Errorf("%s\nhas %d decisions, want %d: %+v", c.body, len(found), c.want, found)
		}
	}
}
