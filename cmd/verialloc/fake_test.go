package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
)

// fakeTracer hands on what a test gives it, and then waits for its context unless
// it is finite.
type fakeTracer struct {
	openErr   error
	runErr    error // after the loads
	finite    bool
	loads     []*record.Verification
	events    []*record.Event // ahead of the loads
	losses    []record.Loss
	lossTimes int // how often they are reported, beyond once
	latency   string
	lacks     []record.Lack
	unseen    []record.LoadClass
	diagnosis record.Diagnosis
	summary   record.Summary // what is not counted here

	config tracer.Config
	opened bool
	closed bool
}

func (f *fakeTracer) open(config tracer.Config) (source, error) {
	f.config, f.opened = config, true
	if f.openErr != nil {
		return nil, f.openErr
	}
	return f, nil
}

func (f *fakeTracer) diagnose(context.Context) (record.Diagnosis, error) {
	return f.diagnosis, f.openErr
}

func (f *fakeTracer) Run(ctx context.Context, sink record.Sink) error {
	err := sink.Begin(&record.Environment{
		Head: record.NewHead(record.KindEnvironment), Kernel: "6.12.117", Latency: f.latency, Lacks: f.lacks, UnseenLoads: f.unseen,
		RingBytes: uint64(cmp.Or(f.config.RingBytes, tracer.DefaultRingBytes)),
	})
	if err == nil && f.config.Live != nil {
		f.config.Live()
	}
	if err == nil {
		err = f.give(ctx, sink)
	}
	if errors.Is(err, record.ErrStop) {
		err = nil
	}
	summary := f.summary
	summary.Head, summary.Losses, summary.UnseenLoads = record.NewHead(record.KindSummary), f.losses, f.unseen
	endErr := sink.End(&summary)
	if errors.Is(endErr, record.ErrStop) {
		endErr = nil
	}
	return errors.Join(err, endErr)
}

func (f *fakeTracer) give(ctx context.Context, sink record.Sink) error {
	if f.config.Events {
		for _, e := range f.events {
			if err := sink.Event(e); err != nil {
				return err
			}
		}
	}
	for range min(len(f.losses), 1) * (1 + f.lossTimes) {
		if err := sink.Loss(&record.LossReport{Head: record.NewHead(record.KindLoss), Losses: f.losses}); err != nil {
			return err
		}
	}
	for _, v := range f.loads {
		if err := sink.Verification(v); err != nil {
			return err
		}
	}
	if f.runErr != nil {
		return f.runErr
	}
	if !f.finite {
		<-ctx.Done()
	}
	return nil
}

func (f *fakeTracer) Close() error {
	f.closed = true
	return nil
}

// verification is a record of a program load that is exact or not.
func verification(name string, exact bool) *record.Verification {
	return &record.Verification{
		Head: record.NewHead(record.KindVerification), ProgName: name, Verdict: record.VerdictAccepted,
		ReachedVerifier: true, Exact: exact,
	}
}

// lockedBuffer is a buffer that a command and verialloc write to at once.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// outcome is what a run of verialloc left behind.
type outcome struct {
	code           int
	stdout, stderr string
}

// runFake runs a command line on a fake tracer.
func runFake(ctx context.Context, f *fakeTracer, args ...string) outcome {
	var stdout, stderr lockedBuffer
	a := &app{stdout: &stdout, stderr: &stderr, open: f.open, diagnose: f.diagnose}
	code := a.run(ctx, args)
	return outcome{code, stdout.String(), stderr.String()}
}

// want checks an exit code, and that stderr holds text.
func (o outcome) want(t *testing.T, code int, text string) {
	t.Helper()
	if o.code != code || !strings.Contains(o.stderr, text) {
		t.Errorf("exit code %d, want %d and %q in stderr\nstdout: %s\nstderr: %s", o.code, code, text, o.stdout, o.stderr)
	}
}
