package main

import (
	"bytes"
	"context"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
)

// fakeTracer yields what a test gives it, and then waits for its context unless
// it is finite.
type fakeTracer struct {
	openErr   error
	yieldErr  error // after the loads
	finite    bool
	loads     []*record.Verification
	events    []*record.Event // ahead of the loads
	losses    []record.Loss
	lossTimes int // how often they are reported, beyond once
	latency   string
	missing   []string
	diagnosis record.Diagnosis

	ctx    context.Context
	config tracer.Config
	opened bool
	closed bool
}

func (f *fakeTracer) open(ctx context.Context, config tracer.Config) (source, error) {
	f.ctx, f.config, f.opened = ctx, config, true
	if f.openErr != nil {
		return nil, f.openErr
	}
	return f, nil
}

func (f *fakeTracer) diagnose(context.Context) (record.Diagnosis, error) {
	return f.diagnosis, f.openErr
}

func (f *fakeTracer) Environment() record.Environment {
	return record.Environment{Head: record.NewHead(record.KindEnvironment), Kernel: "6.12.117", Latency: f.latency, Missing: f.missing, RingBytes: uint64(f.config.RingBytes)}
}

func (f *fakeTracer) Verifications() iter.Seq2[*record.Verification, error] {
	return func(yield func(*record.Verification, error) bool) {
		if f.config.OnEvent != nil {
			for _, e := range f.events {
				f.config.OnEvent(e)
			}
		}
		for range min(len(f.losses), 1) * (1 + f.lossTimes) {
			f.config.OnLoss(record.LossReport{Head: record.NewHead(record.KindLoss), Losses: f.losses})
		}
		for _, v := range f.loads {
			if !yield(v, nil) {
				return
			}
		}
		if f.yieldErr != nil {
			yield(nil, f.yieldErr)
			return
		}
		if !f.finite {
			<-f.ctx.Done()
		}
	}
}

func (f *fakeTracer) Summary() record.Summary {
	return record.Summary{Head: record.NewHead(record.KindSummary), Losses: f.losses}
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
