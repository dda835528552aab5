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
		"by_type.txt":      {By: []*record.Dimension{record.ByType}},
		"by_all.txt":       {By: record.Dimensions},
		"histogram.txt":    {Histogram: true},
		"by_type_hist.txt": {By: []*record.Dimension{record.ByType, record.ByCache}, Histogram: true},
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

// The whole name is shown, and that the loader's bpf_attr named another.
func TestTableIdentity(t *testing.T) {
	v := sample.Accepted()
	v.ProgName, v.FullName = "tail_nodeport_n", "tail_nodeport_nat_egress_ipv4"
	var b bytes.Buffer
	if err := New(&b, Options{}).Verification(v); err != nil || !strings.HasSuffix(b.String(), "\n  program "+v.FullName+"\n") {
		t.Errorf("%v: %s", err, b.String())
	}
	for _, c := range []struct {
		asked record.AskedFor
		want  string
	}{
		{record.AskedFor{ProgName: "other", ProgType: "xdp"}, "asked for other, xdp, and changed"},
		{record.AskedFor{ProgType: "xdp", AttachType: 3}, "asked for -, xdp, attach type 3, and"},
		{record.AskedFor{ProgName: "o", ProgType: "xdp", AttachType: 3, AttachTypeName: "cgroup_device"}, "asked for o, xdp, attach type cgroup_device, and"},
		{record.AskedFor{ProgName: sample.Hostile, ProgType: sample.Hostile, AttachType: 3, AttachTypeName: sample.Hostile}, "asked for evil"},
	} {
		b.Reset()
		v.AskedFor = &c.asked
		if err := New(&b, Options{}).Verification(v); err != nil {
			t.Fatal(err)
		}
		if lines := strings.SplitAfter(b.String(), "\n"); len(lines) != 4 || !strings.Contains(lines[2], c.want) {
			t.Errorf("want %q in %q", c.want, lines)
		}
		sample.Shown(t, "table", b.String())
	}
}

// What is known of a load beside its columns has lines of its own.
func TestTableLines(t *testing.T) {
	for want, change := range map[string]func(*record.Verification){
		"  in container 0123abcd\n": func(v *record.Verification) { v.ContainerID = "0123abcd" },
		"  loader /bin/sh: sh -c \"a \\\"b\\\"; c\" \"\"\n": func(v *record.Verification) {
			v.Loader = &record.Loader{Executable: "/bin/sh", CommandLine: []string{"sh", "-c", `a "b"; c`, ""}}
		},
		"  loader: x ...\n": func(v *record.Verification) { v.Loader = &record.Loader{CommandLine: []string{"x"}, Cut: true} },
		"  allocation failed: func_state, 1.2KiB at push_stack+0x42; 2 more allocations failed\n": func(v *record.Verification) {
			v.FailedAllocs, v.FirstFailedAlloc = 3, &record.FailedAlloc{Type: "func_state", CallSite: "push_stack+0x42", Requested: 1280}
		},
		"  allocation failed: unknown, 8B\n": func(v *record.Verification) {
			v.FailedAllocs, v.FirstFailedAlloc = 1, &record.FailedAlloc{Type: "unknown", Requested: 8}
		},
	} {
		v := sample.Accepted()
		change(v)
		var b bytes.Buffer
		if err := New(&b, Options{}).Verification(v); err != nil || !strings.HasSuffix(b.String(), "\n"+want) {
			t.Errorf("want %q, got %q, %v", want, b.String(), err)
		}
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
	handlers := sample.Environment()
	handlers.ProbeFloor = "handlers"
	var b strings.Builder
	if err := WriteEnvironment(&b, handlers); err != nil || !strings.Contains(b.String(), "at least 184ns of probe overhead (that of the handlers, without what it takes to reach them)\n") {
		t.Errorf("%v\n%s", err, b.String())
	}
	untimed := sample.Summary()
	untimed.LatencyCoverage, untimed.AllocTimeNS, untimed.Losses = 0, 0, nil
	sample.Golden(t, "summary_untimed.txt", func(b *bytes.Buffer) error { return WriteSummary(b, untimed) })
	sample.Golden(t, "summary_empty.txt", func(b *bytes.Buffer) error { return WriteSummary(b, &record.Summary{DurationNS: 1}) })
	cutOff := sample.Summary()
	cutOff.ResultsUnread, cutOff.TotalStates, cutOff.AllocTimeNS, cutOff.DurationSumNS = 1, 0, 0, 0
	sample.Golden(t, "summary_cut_off.txt", func(b *bytes.Buffer) error { return WriteSummary(b, cutOff) })
	unseen := sample.Summary()
	unseen.Losses, unseen.UnseenLoads = nil, record.LoadClasses
	unseen.StandInsAbsent = "attach: device or resource busy"
	sample.Golden(t, "summary_unseen.txt", func(b *bytes.Buffer) error { return WriteSummary(b, unseen) })
	for name, ok := range map[string]bool{"doctor_ok.txt": true, "doctor_not_ok.txt": false} {
		d := &record.Diagnosis{
			Kernel: "6.12.117", Build: "#1 SMP", Architecture: "x86_64", OK: ok, Hooks: sample.Hooks(),
			Lacks: []record.Lack{{Name: "fentry is refused", Why: "latencies come from kprobes"}},
			Fence: &record.Fence{Capabilities: []string{}, NoNewPrivileges: true, LandlockABI: 6},
		}
		if !ok {
			d.UnseenLoads = []record.LoadClass{record.LoadsOfKernel, "later\n"}
		}
		d.Hooks[2].Required = !ok
		if !ok {
			d.Fence = &record.Fence{Capabilities: []string{"CAP_KILL"}, LandlockAbsent: "this kernel is built without Landlock"}
		}
		sample.Golden(t, name, func(b *bytes.Buffer) error { return WriteDiagnosis(b, d) })
	}
	if got, want := LossText(sample.Loss()), "lost: ring_full 120: make the ring larger with --ring-size"; got != want {
		t.Errorf("LossText = %q, want %q", got, want)
	}
}

// Bytes that anyone may choose must not reach a terminal as they are.
func TestHostile(t *testing.T) {
	outlets := map[string]func(*bytes.Buffer) error{
		"environment": func(b *bytes.Buffer) error { return WriteEnvironment(b, sample.Poison(sample.Environment())) },
		"summary":     func(b *bytes.Buffer) error { return WriteSummary(b, sample.Poison(sample.Summary())) },
		"doctor": func(b *bytes.Buffer) error {
			return WriteDiagnosis(b, sample.Poison(&record.Diagnosis{
				Kernel: "k", Hooks: sample.Hooks(), Lacks: []record.Lack{{Name: "m", Why: "w"}},
				Fence: &record.Fence{Capabilities: []string{"c"}, LandlockAbsent: "l"},
			}))
		},
		"loss text": func(b *bytes.Buffer) error {
			_, err := b.WriteString(LossText(sample.Poison(sample.Loss())))
			return err
		},
		"loads, groups and histograms": func(b *bytes.Buffer) error {
			table := New(b, Options{By: record.Dimensions, Histogram: true, Events: true})
			return errors.Join(table.Verification(sample.Poison(sample.Accepted())), table.Verification(sample.Poison(sample.Lossy())),
				table.Verification(sample.Poison(sample.Unverified())))
		},
		"events": func(b *bytes.Buffer) error {
			var err error
			for _, e := range sample.Events() {
				err = errors.Join(err, New(b, Options{Events: true}).Event(sample.Poison(e)))
			}
			return err
		},
	}
	for name, write := range outlets {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		sample.Shown(t, name, b.String())
		if !strings.Contains(b.String(), `evil\x1b[2J`) {
			t.Errorf("%s: nothing was escaped: %s", name, b.String())
		}
	}
}

// A load that shared its CPU took most of its time for others.
func TestContended(t *testing.T) {
	for _, c := range []struct {
		cpu  uint64
		want string
	}{
		{109e6, "\n  on a CPU 3.1% of the time: 109ms of 3.5s\n"},
		{2790e6, "\n  on a CPU 79.9% of the time: 2.8s of 3.5s\n"},
		{2800e6, ""},
		{3490e6, ""},
		{0, ""},
	} {
		v := sample.Accepted()
		v.DurationNS, v.CPUTimeNS = 3490e6, c.cpu
		var b strings.Builder
		if err := New(&b, Options{}).Verification(v); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "on a CPU") != (c.want != "") || !strings.Contains(b.String(), c.want) {
			t.Errorf("%d ns of 3.49 s:\n%s", c.cpu, b.String())
		}
	}
}
