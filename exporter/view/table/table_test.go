package table

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/verialloc/verialloc/exporter/internal/sample"
	"github.com/verialloc/verialloc/tracer/record"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Exit(m.Run())
}

func TestTable(t *testing.T) {
	for name, options := range map[string]Options{
		"table.txt":        {},
		"by_type.txt":      {By: []Dimension{ByType}},
		"by_all.txt":       {By: Dimensions},
		"histogram.txt":    {Histogram: true},
		"by_type_hist.txt": {By: []Dimension{ByType, ByCache}, Histogram: true},
	} {
		t.Run(name, func(t *testing.T) {
			sample.Golden(t, name, func(b *bytes.Buffer) error {
				table := New(b, options)
				return errors.Join(
					table.Begin(sample.Environment()),
					table.Verification(sample.Accepted()),
					table.Verification(sample.Lossy()),
					table.Verification(sample.Unverified()),
					table.Verification(sample.CutOff()),
					table.Verification(sample.Incomplete()),
					table.End(sample.Summary()),
				)
			})
		})
	}
}

func TestTableEvents(t *testing.T) {
	sample.Golden(t, "events.txt", func(b *bytes.Buffer) error {
		table := New(b, Options{Events: true})
		err := table.Begin(sample.Environment())
		for _, e := range sample.Events() {
			err = errors.Join(err, table.Event(e))
		}
		return errors.Join(err, table.Verification(sample.Accepted()))
	})
}

func TestForPeople(t *testing.T) {
	sample.Golden(t, "environment.txt", func(b *bytes.Buffer) error { return WriteEnvironment(b, sample.Environment()) })
	sample.Golden(t, "summary.txt", func(b *bytes.Buffer) error { return WriteSummary(b, sample.Summary()) })
	untimed := sample.Summary()
	untimed.LatencyCoverage, untimed.AllocTimeNS, untimed.Losses = 0, 0, nil
	sample.Golden(t, "summary_untimed.txt", func(b *bytes.Buffer) error { return WriteSummary(b, untimed) })
	sample.Golden(t, "summary_empty.txt", func(b *bytes.Buffer) error { return WriteSummary(b, &record.Summary{DurationNS: 1}) })
	cutOff := sample.Summary()
	cutOff.ResultsUnread, cutOff.TotalStates, cutOff.AllocTimeNS, cutOff.DurationSumNS = 1, 0, 0, 0
	sample.Golden(t, "summary_cut_off.txt", func(b *bytes.Buffer) error { return WriteSummary(b, cutOff) })
	for name, ok := range map[string]bool{"doctor_ok.txt": true, "doctor_not_ok.txt": false} {
		d := &record.Diagnosis{
			Kernel: "6.12.117", Build: "#1 SMP", Architecture: "x86_64", OK: ok, Hooks: sample.Hooks(),
			Missing: []string{"fentry is refused: latencies come from kprobes"},
		}
		d.Hooks[2].Required = !ok
		sample.Golden(t, name, func(b *bytes.Buffer) error { return WriteDiagnosis(b, d) })
	}
	if got, want := LossText(sample.Loss()), "lost: ring_full 120: make the ring larger with --ring-size"; got != want {
		t.Errorf("LossText = %q, want %q", got, want)
	}
}

// Bytes that anyone may choose must not reach a terminal as they are.
func TestNoControlCharacters(t *testing.T) {
	const evil = "a\x1b[2J\r\n\x00\u202e\u009b\x7f"
	var b bytes.Buffer
	table := New(&b, Options{By: Dimensions, Histogram: true, Events: true})
	v, e := sample.Accepted(), sample.Events()[0]
	v.Comm, v.ProgName, v.ProgType, v.IncompleteReason, v.Exact = evil, evil, evil, evil, false
	v.Verdict = evil
	v.Lossy = []record.Loss{{Reason: evil}}
	for _, by := range Dimensions {
		groupsOf(v, by)[0].Name = evil
	}
	e.Op, e.Cache, e.Type, e.CallSite, e.Path = evil, evil, evil, evil, evil
	environment := sample.Environment()
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
