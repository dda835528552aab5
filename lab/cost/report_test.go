package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	dir := t.TempDir()
	results := filepath.Join(dir, "results.json")
	document := filepath.Join(dir, "document.md")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(results, `{"kernel":"6.12","load":"stress","variant":"bare","ns":1000000}
{"kernel":"6.12","load":"stress","variant":"empty, ledger","ns":1100000}
{"kernel":"6.12","load":"stress","variant":"verialloc, ledger","ns":1250000,"events":1000,"ready_ns":2000000000,"rss_bytes":3000000,"binary_bytes":4000000,"lost":5}
{"kernel":"6.12","load":"","variant":"perf record","ns":0,"failure":"no perf\nhere"}
`)
	write(document, "before\n"+beginMarker+"old\n"+endMarker+"after\n")
	all, err := readResults(results)
	if err != nil {
		t.Fatal(err)
	}
	if err := replace(document, tables(all)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"before\n", "after\n", "| bare, ms | 1.00 |", "| empty, ledger | 1.100 |", "| ledger, over empty programs | 2.50 |",
		"| verialloc, ledger | 2.00 | 3 | 4.0 | 5 | 0 |", "- perf record: no perf\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "old") {
		t.Error("the old tables are still there")
	}
	write(document, "no markers")
	if err := replace(document, ""); err == nil {
		t.Error("a document without markers is written into")
	}
	write(results, "{}\nnonsense\n")
	if _, err := readResults(results); err == nil || !strings.Contains(err.Error(), ":2:") {
		t.Errorf("error %v, want the line", err)
	}
}
