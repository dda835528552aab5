package exporter

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/verialloc/verialloc/tracer/record"
)

func TestTable(t *testing.T) {
	for name, options := range map[string]TableOptions{
		"table.txt":        {},
		"by_type.txt":      {By: []Dimension{ByType}},
		"by_all.txt":       {By: Dimensions},
		"histogram.txt":    {Histogram: true},
		"by_type_hist.txt": {By: []Dimension{ByType, ByCache}, Histogram: true},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, func(b *bytes.Buffer) error {
				table := NewTable(b, options)
				return errors.Join(
					table.Begin(sampleEnvironment()),
					table.Verification(sampleAccepted()),
					table.Verification(sampleLossy()),
					table.Verification(sampleUnverified()),
					table.Verification(sampleCutOff()),
					table.Verification(sampleIncomplete()),
					table.End(sampleSummary()),
				)
			})
		})
	}
}

func TestTableEvents(t *testing.T) {
	golden(t, "events.txt", func(b *bytes.Buffer) error {
		table := NewTable(b, TableOptions{Events: true})
		err := table.Begin(sampleEnvironment())
		for _, e := range sampleEvents() {
			err = errors.Join(err, table.Event(e))
		}
		return errors.Join(err, table.Verification(sampleAccepted()))
	})
}

func TestForPeople(t *testing.T) {
	golden(t, "environment.txt", func(b *bytes.Buffer) error { return WriteEnvironment(b, sampleEnvironment()) })
	golden(t, "summary.txt", func(b *bytes.Buffer) error { return WriteSummary(b, sampleSummary()) })
	untimed := sampleSummary()
	untimed.LatencyCoverage, untimed.AllocTimeNS, untimed.Losses = 0, 0, nil
	golden(t, "summary_untimed.txt", func(b *bytes.Buffer) error { return WriteSummary(b, untimed) })
	golden(t, "summary_empty.txt", func(b *bytes.Buffer) error { return WriteSummary(b, &record.Summary{DurationNS: 1}) })
	cutOff := sampleSummary()
	cutOff.ResultsUnread, cutOff.TotalStates, cutOff.AllocTimeNS, cutOff.DurationSumNS = 1, 0, 0, 0
	golden(t, "summary_cut_off.txt", func(b *bytes.Buffer) error { return WriteSummary(b, cutOff) })
	for name, ok := range map[string]bool{"doctor_ok.txt": true, "doctor_not_ok.txt": false} {
		d := &record.Diagnosis{
			Kernel: "6.12.117", Build: "#1 SMP", Architecture: "x86_64", OK: ok, Hooks: sampleHooks(),
			Missing: []string{"fentry is refused: latencies come from kprobes"},
		}
		d.Hooks[2].Required = !ok
		golden(t, name, func(b *bytes.Buffer) error { return WriteDiagnosis(b, d) })
	}
	if got, want := LossText(sampleLoss()), "lost: ring_full 120: make the ring larger with --ring-size"; got != want {
		t.Errorf("LossText = %q, want %q", got, want)
	}
}

// Bytes that anyone may choose must not reach a terminal as they are.
func TestNoControlCharacters(t *testing.T) {
	const evil = "a\x1b[2J\r\n\x00\u202e\u009b\x7f"
	var b bytes.Buffer
	table := NewTable(&b, TableOptions{By: Dimensions, Histogram: true, Events: true})
	v, e := sampleAccepted(), sampleEvents()[0]
	v.Comm, v.ProgName, v.ProgType, v.IncompleteReason, v.Exact = evil, evil, evil, evil, false
	v.Verdict = evil
	v.Lossy = []record.Loss{{Reason: evil}}
	for _, by := range Dimensions {
		groupsOf(v, by)[0].Name = evil
	}
	e.Op, e.Cache, e.Type, e.CallSite, e.Path = evil, evil, evil, evil, evil
	environment := sampleEnvironment()
	environment.Kernel, environment.Hooks[2].Reason, environment.Missing[0] = evil, evil, evil
	err := errors.Join(
		table.Verification(v), table.Event(e),
		WriteEnvironment(&b, environment),
		WriteSummary(&b, &record.Summary{Verdicts: map[record.Verdict]uint64{evil: 1}, Losses: v.Lossy}),
		WriteDiagnosis(&b, &record.Diagnosis{Kernel: evil, Build: evil, Hooks: environment.Hooks}),
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range strings.ReplaceAll(b.String(), "\n", "") {
		if c < ' ' || c >= 0x7f {
			t.Fatalf("%q in %q", c, b.String())
		}
	}
	if strings.Count(b.String(), "\\r\\n") == 0 {
		t.Error("nothing was escaped")
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{formatDuration(0), "0ns"},
		{formatDuration(999), "999ns"},
		{formatDuration(1000), "1.0us"},
		{formatDuration(99_949), "99.9us"},
		{formatDuration(99_950), "100us"},
		{formatDuration(999_499), "999us"},
		{formatDuration(999_500), "1.0ms"},
		{formatDuration(12_345_678), "12.3ms"},
		{formatDuration(999_999_999), "1.0s"},
		{formatDuration(1<<64 - 1), "18446744074s"},
		{formatBytes(1023), "1023B"},
		{formatBytes(1024), "1.0KiB"},
		{formatBytes(1<<20 - 1), "1.0MiB"},
		{formatBytes(1_258_291), "1.2MiB"},
		{formatBytes(1<<64 - 1), "16.0EiB"},
		{formatShare(1, 0), "-"},
		{formatShare(1, 8), "12.5%"},
		{formatCoverage(1), "100.0%"},
		{formatCoverage(0.99999), "99.9%"},
		{formatCoverage(1 - 1e-15), "99.9%"},
		{formatCoverage(0.998), "99.8%"},
		{formatCoverage(0), "0.0%"},
		{formatWaste(3, 4), "25.0%"},
		{formatWaste(5, 4), "0.0%"},
		{formatCount(1, "load"), "1 load"},
		{printable(""), "-"},
		{printable(`a "b" c\`), `a "b" c\\`},
		{printable("kworker/é"), "kworker/é"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// A cell that is too wide must not shift what comes after it for good.
func TestLayoutRecovers(t *testing.T) {
	l := layout{{"A", 3, true}, {"B", 6, false}, {"C", 3, false}}
	for _, c := range []struct{ got, want string }{
		{l.line("x", "1", "2"), "x         1    2\n"},
		{l.line("xxxxx", "1", "2"), "xxxxx     1    2\n"},
		{l.line("xxxxxxxxxxxx", "1", "2"), "xxxxxxxxxxxx 1 2\n"},
		{l.line("x", "", "2"), "x              2\n"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
