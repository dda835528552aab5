package table

import (
	"math"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/exporter/internal/sample"
	"github.com/verialloc/verialloc/tracer/record"
)

func TestHistogramBoundaries(t *testing.T) {
	type expectation struct {
		value uint64
		row   string
	}
	cases := []expectation{
		{0, "[0]"},
		{1, "[1]"},
		{2, "[2, 4)"},
		{3, "[2, 4)"},
		{1023, "[512, 1K)"},
		{1024, "[1K, 2K)"},
		{1025, "[1K, 2K)"},
		{1<<20 - 1, "[512K, 1M)"},
		{1 << 20, "[1M, 2M)"},
		{1<<63 - 1, "[4E, 8E)"},
		{1 << 63, "[8E, 16E)"},
		{math.MaxUint64, "[8E, 16E)"},
	}
	for k := 2; k < 63; k++ {
		row := rangeText(k + 1)
		cases = append(cases, expectation{1 << k, row}, expectation{1<<k + 1, row}, expectation{1<<(k+1) - 1, row})
	}
	for _, c := range cases {
		h := sample.Latencies(c.value)
		lines := strings.Split(strings.TrimSuffix(bars(&h, ""), "\n"), "\n")
		if len(lines) != 1 || !strings.HasPrefix(lines[0], c.row+" ") {
			t.Errorf("%d: got %q, want the one row %s", c.value, lines, c.row)
		}
	}
}

func TestHistogramRows(t *testing.T) {
	h := sample.Latencies(0, math.MaxUint64)
	if got := bars(&h, ""); strings.Count(got, "\n") != 3 || !strings.Contains(got, "|\n...\n[8E, 16E)") {
		t.Errorf("want a line for the 63 empty rows:\n%s", got)
	}
	for between, want := range map[uint64]string{0: "", 1: "", 2: "", 3: "...\n"} {
		h = sample.Latencies(1, 1<<(between+1))
		if got := bars(&h, ""); strings.Contains(got, "...") != (want != "") || want == "" && uint64(strings.Count(got, "\n")) != between+2 {
			t.Errorf("%d empty rows between:\n%s", between, got)
		}
	}
	if got := bars(&record.Histogram{}, ""); got != "" {
		t.Errorf("bars of nothing: %q", got)
	}
	h = record.Histogram{Count: 1, UpperBoundsNS: []uint64{1, 2}, Counts: []uint64{math.MaxUint64, 1}}
	lines := strings.Split(bars(&h, ""), "\n")
	if strings.Count(lines[0], "@") != barWidth || strings.Count(lines[1], "@") != 1 {
		t.Errorf("want a full bar and the least one:\n%s", strings.Join(lines, "\n"))
	}
}
