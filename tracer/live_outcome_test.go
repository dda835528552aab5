package tracer

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/bpf"
	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
	"github.com/verialloc/verialloc/tracer/record"
)

// endEnv makes the test binary load a program until its end comes: how it comes, and the
// program's name.
const endEnv = "VERIALLOC_TEST_END"

// loadToTheEnd is a loader that says so once it is in the middle of a verification: its log
// has begun. The end is its parent's, or another of its threads'.
func loadToTheEnd(how, name string) {
	program := generate.TooComplex()
	switch how {
	case "terminated":
		byDefault(unix.SIGTERM)
	case "dumped":
		byDefault(unix.SIGQUIT)
	case "oom":
		program = generate.Stress(8000)
	}
	insns, err := load.Encode(program.Spec.Instructions)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var pins runtime.Pinner
	log := make([]uint32, 1<<18)
	attr := bpf.VeriallocLoadAttr{
		ProgType: uint32(program.Spec.Type), InsnCnt: uint32(len(insns) / asm.InstructionSize), Insns: address(&pins, insns),
		License: address(&pins, []byte("GPL\x00")), LogLevel: load.LogBasic, LogSize: uint32(4 * len(log)), LogBuf: address(&pins, log),
	}
	copy(attr.ProgName[:], name)
	go func() {
		for {
			rawLoad(&attr, unsafe.Sizeof(attr))
		}
	}()
	for atomic.LoadUint32(&log[0]) == 0 {
		runtime.Gosched()
	}
	fmt.Println("loading")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	switch how {
	case "exec":
		fmt.Fprintln(os.Stderr, unix.Exec("/proc/self/exe", []string{"loader", "-test.list=^$"}, nil))
		os.Exit(1)
	case "exit":
		os.Exit(7)
	}
	select {}
}

// byDefault has the kernel deal with a signal, and not Go.
func byDefault(signal unix.Signal) {
	action := [4]uint64{} // struct sigaction: SIG_DFL
	if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signal), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0); errno != 0 {
		fmt.Fprintln(os.Stderr, errno)
		os.Exit(1)
	}
}

// endLoader starts such a loader, in a cgroup if one is given, ends it in the middle of a
// verification and returns how its process ended.
func endLoader(t *testing.T, how, name string, cgroup *os.File, end func(pid int)) syscall.WaitStatus {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), endEnv+"="+how+" "+name)
	cmd.Stderr = os.Stderr
	if cgroup != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(cgroup.Fd())}
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "loading\n" {
		t.Fatalf("%s: %q, %v", how, line, err)
	}
	end(cmd.Process.Pid)
	_, _ = io.WriteString(in, "\n") // it may have ended
	_ = cmd.Wait()                  // that is what is returned
	return cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// A load whose task dies is not one that its loader repeats. How the process ended is what
// its parent sees.
func TestLiveKilled(t *testing.T) {
	requireLive(t)
	send := func(signal unix.Signal) func(int) {
		return func(pid int) { _ = unix.Kill(pid, signal) }
	}
	none := func(int) {}
	s := trace(t, Config{Follow: true})
	ends := map[string]syscall.WaitStatus{}
	for how, end := range map[string]func(int){
		"killed": send(unix.SIGKILL), "terminated": send(unix.SIGTERM), "dumped": send(unix.SIGQUIT), "exec": none, "exit": none,
	} {
		for n := range 3 {
			name := fmt.Sprintf("%s_%d", how, n)
			ends[name] = endLoader(t, how, name, nil, end)
		}
	}
	records := s.finish()
	for how, want := range map[string]struct {
		by     record.KilledBy
		signal unix.Signal
		ended  func(syscall.WaitStatus) bool
	}{
		"killed":     {record.KilledBySignal, unix.SIGKILL, func(w syscall.WaitStatus) bool { return w.Signal() == unix.SIGKILL }},
		"terminated": {record.KilledBySignal, unix.SIGTERM, func(w syscall.WaitStatus) bool { return w.Signal() == unix.SIGTERM }},
		"dumped":     {record.KilledBySignal, unix.SIGQUIT, func(w syscall.WaitStatus) bool { return w.Signal() == unix.SIGQUIT }},
		"exec":       {record.KilledByExec, 0, func(w syscall.WaitStatus) bool { return w.ExitStatus() == 0 }},
		"exit":       {record.KilledByExit, 0, func(w syscall.WaitStatus) bool { return w.ExitStatus() == 7 }},
	} {
		killed := 0
		for n := range 3 {
			name := fmt.Sprintf("%s_%d", how, n)
			if !want.ended(ends[name]) {
				t.Errorf("%s: ended with %#x", name, ends[name])
			}
			of := named(records, name)
			for i, v := range of {
				if v.Outcome != record.OutcomeKilled {
					if v.Outcome == record.OutcomeRestarted && i == len(of)-1 {
						t.Errorf("%s: the last load is said to be repeated", name)
					}
					continue
				}
				killed++
				if i != len(of)-1 || v.Verdict != record.VerdictKilled || v.KilledBy != want.by || v.Signal != int(want.signal) || v.Errno != int(unix.EAGAIN) {
					t.Errorf("%s: load %d of %d: verdict %s, by %q, signal %d, error %d", name, i+1, len(of), v.Verdict, v.KilledBy, v.Signal, v.Errno)
				}
			}
		}
		if killed == 0 {
			t.Errorf("%s: no load is said to be killed", how)
		}
	}
}

// filesEnv makes the test binary load a program of that name with no file to be opened.
const filesEnv = "VERIALLOC_TEST_FILES"

// loadWithoutFiles exits with the error of the load.
func loadWithoutFiles(name string) {
	insns, err := load.Encode(asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()})
	if err == nil {
		err = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(-1)
	}
	var pins runtime.Pinner
	attr := bpf.VeriallocLoadAttr{
		ProgType: uint32(ebpf.SocketFilter), InsnCnt: uint32(len(insns) / asm.InstructionSize), Insns: address(&pins, insns),
		License: address(&pins, []byte("GPL\x00")),
	}
	copy(attr.ProgName[:], name)
	os.Exit(int(rawLoad(&attr, unsafe.Sizeof(attr))))
}

// A program that the verifier accepts and that gets no file descriptor was not rejected by
// the verifier.
func TestLiveNoDescriptor(t *testing.T) {
	requireLive(t)
	s := trace(t, Config{Follow: true})
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), filesEnv+"=no_files")
	cmd.Stderr = os.Stderr
	_ = cmd.Run() // it fails, and how is what counts
	if got := syscall.Errno(cmd.ProcessState.ExitCode()); got != unix.EMFILE {
		t.Errorf("the load failed with %v, want EMFILE", got)
	}
	v := one(t, s.finish(), "no_files")
	if v.Outcome != record.OutcomeNoDescriptor || v.Verdict != record.VerdictRejected || v.Errno != int(unix.EMFILE) || v.Reason != "" {
		t.Errorf("outcome %s, verdict %s, error %d, reason %q", v.Outcome, v.Verdict, v.Errno, v.Reason)
	}
	if !v.ReachedVerifier || v.InsnsProcessed != 2 {
		t.Errorf("reached %v, %d instructions processed", v.ReachedVerifier, v.InsnsProcessed)
	}
}

// A loader in a control group that has not the memory for its load. The group's own count
// tells that it was killed for that, where the verifier's memory is charged (from 6.18).
func TestLiveOutOfMemory(t *testing.T) {
	requireLive(t)
	if !cgroupMemory() {
		t.Skip("cgroup v2 does not count memory on this machine")
	}
	running, err := kernel.RunningVersion()
	if err != nil {
		t.Fatal(err)
	}
	if !running.AtLeast(kernel.Version{Major: 6, Minor: 18}) {
		t.Skip("up to 6.17 the verifier's memory is not charged to the loader's cgroup")
	}
	dir, err := os.MkdirTemp("/sys/fs/cgroup", "verialloc-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	}()
	cgroup, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer cgroup.Close()
	s := trace(t, Config{Follow: true})
	ended := endLoader(t, "oom", "oom", cgroup, func(int) {
		// Less than a load takes.
		if err := os.WriteFile(filepath.Join(dir, "memory.max"), []byte("12M"), 0); err != nil {
			t.Error(err)
		}
	})
	records := named(s.finish(), "oom")
	if len(records) == 0 || ended.Signal() != unix.SIGKILL {
		t.Fatalf("%d records, ended with %#x", len(records), ended)
	}
	last := records[len(records)-1]
	kills := cgroupEvent(t, dir, "oom_kill")
	t.Logf("oom_kill %d; %s by %q, signal %d, error %d, %d failed allocations, first %+v", kills,
		last.Outcome, last.KilledBy, last.Signal, last.Errno, last.FailedAllocs, last.FirstFailedAlloc)
	if last.Outcome != record.OutcomeKilled || last.Signal != int(unix.SIGKILL) {
		t.Errorf("the last load is %s, signal %d", last.Outcome, last.Signal)
	}
	if kills == 0 || last.KilledBy != record.KilledByOOM {
		t.Errorf("%d processes killed for memory, the load by %q", kills, last.KilledBy)
	}
	if last.Errno == int(unix.ENOMEM) && (last.FailedAllocs == 0 || last.FirstFailedAlloc == nil || last.FirstFailedAlloc.Requested == 0) {
		t.Errorf("ENOMEM with %d failed allocations, first %+v", last.FailedAllocs, last.FirstFailedAlloc)
	}
}

func cgroupEvent(t *testing.T, dir, name string) uint64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "memory.events"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && key == name {
			n, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return 0
}
