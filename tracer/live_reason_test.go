package tracer

import (
	"fmt"
	"testing"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/tracer/record"
	"github.com/verialloc/verialloc/tracer/record/verifierlog"
)

// logKinds are what loaders ask for of the verifier's log.
var logKinds = []struct {
	name       string
	options    load.Options
	needsCalls bool // the log may not have the words
}{
	{"none", load.Options{NoLog: true}, true},
	{"whole", load.Options{LogLevel: load.LogBasic, LogSize: 4 << 20}, false},
	{"all", load.Options{LogLevel: load.LogAll, LogSize: 4 << 20}, false},
	{"short", load.Options{LogLevel: load.LogBasic, LogSize: 128}, true},
	{"short_all", load.Options{LogLevel: load.LogAll, LogSize: 128}, true},
	{"page", load.Options{LogLevel: load.LogBasic, LogSize: 5000}, true}, // before 6.4 it keeps its beginning
	{"fixed", load.Options{LogLevel: load.LogBasic | load.LogFixed, LogSize: 300}, true},
}

// TestLiveRejections compares the reason in each record with the one of the verifier's whole
// log of the same program, whatever log the loader asks for.
func TestLiveRejections(t *testing.T) {
	requireLive(t)
	running, err := kernel.RunningVersion()
	if err != nil {
		t.Fatal(err)
	}
	programs, release, err := generate.Rejections()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	keepsEnd := running.AtLeast(kernel.Version{Major: 6, Minor: 4})

	s := trace(t, Config{IncludeSelf: true, Latency: LatencyOff})
	want := map[string]string{}
	for i, p := range programs {
		if !running.AtLeast(p.Since) {
			continue
		}
		oracle, err := load.Load(p.Spec, load.Options{Name: fmt.Sprintf("oracle_%d", i)})
		if err != nil {
			t.Fatal(err)
		}
		words := verifierlog.Reason(oracle.Log, oracle.LogCut)
		if oracle.Errno == 0 || oracle.LogCut || words == "" {
			t.Fatalf("%s: error %d, log:\n%s", p.Spec.Name, oracle.Errno, oracle.Log)
		}
		want[fmt.Sprintf("oracle_%d", i)] = words
		for _, k := range logKinds {
			// A trace of a million instructions takes minutes.
			if p.Spec.Name == "too_complex" && k.options.LogLevel != 0 || k.options.LogLevel&load.LogFixed != 0 && !keepsEnd {
				continue
			}
			o := k.options
			o.Name = fmt.Sprintf("%s_%d", k.name, i)
			want[o.Name] = words
			if _, err := load.Load(p.Spec, o); err != nil {
				t.Errorf("%s: %v", o.Name, err)
			}
		}
	}
	records := s.finish()

	calls := s.served("log calls")
	for i, p := range programs {
		for _, k := range logKinds {
			name := fmt.Sprintf("%s_%d", k.name, i)
			words, loaded := want[name]
			if !loaded {
				continue
			}
			v := one(t, records, name)
			if v.Outcome != record.OutcomeRejected {
				t.Errorf("%s: %s, log %s: error %d", p.Spec.Name, v.Outcome, k.name, v.Errno)
			}
			switch {
			case v.Reason == words:
			case k.needsCalls && !calls && (v.Reason == "" || v.ReasonFrom == record.ReasonFromLog):
			default:
				t.Errorf("%s, log %s: reason %q from %s, want %q", p.Spec.Name, k.name, v.Reason, v.ReasonFrom, words)
			}
		}
		if v := named(records, fmt.Sprintf("oracle_%d", i)); len(v) == 1 && v[0].Reason != want[v[0].ProgName] {
			t.Errorf("%s: reason %q, want %q", p.Spec.Name, v[0].Reason, want[v[0].ProgName])
		}
	}
	for _, h := range s.Environment().Hooks {
		if h.Kind == record.HookReason {
			t.Logf("%d loads; log calls %s %s", len(want), h.State, h.Reason)
		}
	}
}
