package load_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/load/internal/loadtest"
)

func TestLoadStatsRepeat(t *testing.T) {
	loadtest.RequireRoot(t)
	p := generate.Stress(200)
	first, err := load.Load(p.Spec, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := load.Load(p.Spec, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if first.Errno != 0 || first.TotalStates == 0 || first.TotalStates != second.TotalStates || first.InsnsProcessed != second.InsnsProcessed {
		t.Errorf("%+v, then %+v", first, second)
	}
	if first.VerificationTime <= 0 || first.Wall < first.VerificationTime {
		t.Errorf("wall time %v, verification time %v", first.Wall, first.VerificationTime)
	}
}

// TestLoadInterrupted sends signals to a thread in the verifier: they restart a
// load that permits it, and no other.
func TestLoadInterrupted(t *testing.T) {
	loadtest.RequireRoot(t)
	for _, tt := range []struct {
		name      string
		options   load.Options
		restarted bool
	}{
		{"interruptible", load.Options{Interruptible: true}, true},
		{"blocked", load.Options{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stop := interruptThreads(t)
			stats, err := load.Load(generate.TooComplex().Spec, tt.options)
			stop()
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("errno %d, %d restarts", stats.Errno, stats.Restarts)
			if restarted := stats.Restarts > 0; restarted != tt.restarted {
				t.Errorf("%d restarts", stats.Restarts)
			}
			if !tt.restarted && stats.Errno != unix.E2BIG {
				t.Errorf("errno %v, want E2BIG", stats.Errno)
			}
		})
	}
}

func TestLoadNameTooLong(t *testing.T) {
	p := generate.Stress(1)
	if _, err := load.Load(p.Spec, load.Options{Name: "sixteen_letters_"}); err == nil {
		t.Error("no error")
	}
}

func TestLoadUnknownKfunc(t *testing.T) {
	loadtest.RequireRoot(t)
	call := asm.Instruction{OpCode: asm.OpCode(asm.JumpClass).SetJumpOp(asm.Call), Src: asm.PseudoKfuncCall}
	stats, err := load.Load(&ebpf.ProgramSpec{
		Name: "unknown", Type: ebpf.RawTracepoint, License: "GPL",
		Instructions: asm.Instructions{call.WithReference("no_such_kfunc"), asm.Return()},
	}, load.Options{})
	if err == nil {
		t.Errorf("%+v, want an error", stats)
	}
}

// interruptThreads sends SIGURG, which the Go runtime takes for its own, to all
// threads of the process every few milliseconds until stop is called.
func interruptThreads(t *testing.T) (stop func()) {
	t.Helper()
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
			tasks, err := os.ReadDir("/proc/self/task")
			if err != nil {
				t.Error(err)
				return
			}
			for _, task := range tasks {
				tid, _ := strconv.Atoi(task.Name())
				// A thread that has ended in the meantime is no concern.
				_ = unix.Tgkill(os.Getpid(), tid, unix.SIGURG)
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
