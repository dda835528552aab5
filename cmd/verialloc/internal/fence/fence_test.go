package fence

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer/record"
)

// raiseEnv makes the test binary raise a fence, and say what it can do behind it.
const raiseEnv = "VERIALLOC_TEST_RAISE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(raiseEnv); dir != "" {
		if err := json.NewEncoder(os.Stdout).Encode(behind(dir)); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(m.Run())
}

// outcome is what a process behind a fence says.
type outcome struct {
	Fence  record.Fence
	Failed string
	Status []string          // of each thread: capabilities and new privileges
	Done   map[string]string // what was tried, and its error
}

// behind raises a fence that leaves a directory writable, and tries what it can.
func behind(dir string) (o outcome) {
	before, err := os.Create(filepath.Join(dir, "before"))
	if err != nil {
		return outcome{Failed: err.Error()}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return outcome{Failed: err.Error()}
	}
	open := filepath.Join(dir, "open")
	removable := filepath.Join(dir, "removable")
	o.Fence, err = Raise(Limits{
		Capabilities: kernel.CapabilitiesOf(unix.CAP_KILL), Writable: []string{open}, Removable: []string{removable},
	})
	if err != nil {
		o.Failed = err.Error()
	}
	threads, _ := filepath.Glob("/proc/self/task/*/status")
	for _, thread := range threads {
		status, _ := os.ReadFile(thread) // empty of one that has ended: not what is wanted
		var values []string
		for line := range strings.Lines(string(status)) {
			if name, value, _ := strings.Cut(line, ":"); slices.Contains([]string{"CapInh", "CapPrm", "CapEff", "NoNewPrivs"}, name) {
				values = append(values, strings.TrimSpace(value))
			}
		}
		o.Status = append(o.Status, strings.Join(values, " "))
	}
	o.Done = map[string]string{}
	try := func(what string, err error) {
		o.Done[what] = ""
		if err != nil {
			o.Done[what] = err.Error()
			if errors.Is(err, syscall.EACCES) {
				o.Done[what] = "denied"
			}
		}
	}
	_, err = before.WriteString("x")
	try("write what is open", errors.Join(err, before.Truncate(0)))
	_, err = os.ReadFile(filepath.Join(dir, "before"))
	try("read", err)
	try("write", os.WriteFile(filepath.Join(dir, "after"), nil, 0o600))
	try("overwrite", os.WriteFile(filepath.Join(dir, "before"), nil, 0o600))
	try("remove", os.Remove(filepath.Join(dir, "before")))
	try("rename", os.Rename(filepath.Join(dir, "before"), filepath.Join(dir, "renamed")))
	try("make a directory", os.Mkdir(filepath.Join(dir, "directory"), 0o700))
	try("make a writable directory", os.Mkdir(filepath.Join(open, "directory"), 0o700))
	try("overwrite in a writable directory", os.WriteFile(filepath.Join(open, "file"), []byte("x"), 0o600))
	try("remove a writable directory", os.Remove(filepath.Join(open, "directory")))
	try("overwrite in a removable directory", os.WriteFile(filepath.Join(removable, "file"), nil, 0o600))
	try("remove in a removable directory", os.Remove(filepath.Join(removable, "file")))
	try("execute", exec.Command("/proc/self/exe").Run())
	connection, err := net.Dial("tcp", listener.Addr().String())
	if err == nil {
		err = connection.Close()
	}
	try("connect", err)
	return o
}

// What a process behind a fence has and can do is what the fence says.
func TestRaise(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"open", "removable"} {
		within := filepath.Join(dir, name)
		if err := errors.Join(os.Mkdir(within, 0o700), os.WriteFile(filepath.Join(within, "file"), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), raiseEnv+"="+dir)
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got outcome
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if got.Failed != "" {
		t.Fatal(got.Failed)
	}
	own, err := kernel.ReadCapabilities()
	if err != nil {
		t.Fatal(err)
	}
	kept := own & kernel.CapabilitiesOf(unix.CAP_KILL)
	if !slices.Equal(got.Fence.Capabilities, kept.Names()) || !got.Fence.NoNewPrivileges {
		t.Errorf("fence %+v, want %v", got.Fence, kept.Names())
	}
	want := fmt.Sprintf("%016x %016x %016x 1", 0, uint64(kept), uint64(kept))
	for _, status := range got.Status {
		if status != want {
			t.Errorf("a thread has %s, want %s", status, want)
		}
	}
	if len(got.Status) < 2 {
		t.Errorf("%d threads: want several", len(got.Status))
	}
	t.Logf("Landlock ABI %d %s", got.Fence.LandlockABI, got.Fence.LandlockAbsent)
	if (got.Fence.LandlockABI == 0) != (got.Fence.LandlockAbsent != "") {
		t.Errorf("Landlock %d, absent %q", got.Fence.LandlockABI, got.Fence.LandlockAbsent)
	}
	for what, from := range map[string]int{
		"write what is open": 0, "read": 0, "make a writable directory": 0, "overwrite in a writable directory": 0,
		"remove a writable directory": 0, "remove in a removable directory": 0, "overwrite in a removable directory": 1,
		"write": 1, "overwrite": 1, "remove": 1, "rename": 1, "make a directory": 1, "execute": 1, "connect": 4,
	} {
		result, tried := got.Done[what]
		denied := from > 0 && got.Fence.LandlockABI >= from
		if !tried || denied && result != "denied" || !denied && result == "denied" {
			t.Errorf("%s: %q, want denied: %v", what, result, denied)
		}
	}
}
