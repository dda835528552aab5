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
	write(results, `{"kernel":"6.12","load":"stress-0","variant":"bare","ns":20000}
{"kernel":"6.12","load":"stress-100","variant":"bare","ns":100000}
{"kernel":"6.12","load":"stress-1000","variant":"bare","ns":1000000}
{"kernel":"6.12","load":"8-loaders","variant":"bare","ns":4000000}
{"kernel":"6.12","load":"stress-100","variant":"empty, ledger","ns":110000}
{"kernel":"6.12","load":"stress-1000","variant":"empty, ledger","ns":1100000,"programs":[{"name":"","runs":1000,"ns":40000}]}
{"kernel":"6.12","load":"stress-0","variant":"verialloc, ledger","ns":30000,"events":10,"allocs":6,"ready_ns":2000000000,"rss_bytes":3000000,"binary_bytes":4000000,"lost":5,"pace":{"loads_per_s":50,"lost":5}}
{"kernel":"6.12","load":"stress-100","variant":"verialloc, ledger","ns":130000,"events":100,"allocs":60,"ready_ns":2000000000,"rss_bytes":3000000,"binary_bytes":4000000,"lost":5,"pace":{"loads_per_s":50,"lost":5}}
{"kernel":"6.12","load":"stress-1000","variant":"verialloc, ledger","ns":1250000,"events":1000,"allocs":600,"programs":[{"name":"raw_kmalloc","runs":600,"ns":84000},{"name":"raw_kfree","runs":800,"ns":72000}]}
{"kernel":"6.12","load":"8-loaders","variant":"verialloc, ledger","ns":5000000,"samples":[5000000],"runs":2,"events":16000,"cpu_ns":3200000}
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
		"before\n", "after\n", "| bare, ms | 0.02 | 0.10 | 1.00 | 4.00 |", "| empty, ledger | – [1] | 1.100 | 1.100 | – [1] |",
		"| ledger, over empty programs | – [3] | 3.00 | 2.50 | – [3] |",
		// 140 less the clock's 40 an allocation, 90 less 40 for two runs a free; the
		// line through 30000 at 100 and 250000 at 1000 events; 10000 less ten of 244.4.
		"| verialloc, ledger | 100 | 100 | – [4] | 100 | 244 | 7556 |",
		"| verialloc, ledger | 2.00 | 3 | 4.0 | 100 | 50000 | 5 | 0 |",
		"| perf record | – [2] | – [2] | – [2] | – [2] |", "- [2] perf record: no perf\n", "- [4] no program runs for it\n",
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
