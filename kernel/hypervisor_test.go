package kernel

import (
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"
)

// cpuidOf returns a CPU that shows a hypervisor of these signatures, one behind the other.
func cpuidOf(signatures ...string) func(uint32) (a, b, c, d uint32) {
	return func(leaf uint32) (a, b, c, d uint32) {
		if leaf == 1 {
			return 0, 0, hypervisorBit, 0
		}
		n := int(leaf-hypervisorLeaf) / hypervisorLeafs
		if leaf < hypervisorLeaf || leaf%hypervisorLeafs != 0 || n >= len(signatures) {
			return 0, 0, 0, 0
		}
		var text [12]byte
		copy(text[:], signatures[n])
		word := binary.LittleEndian.Uint32
		return leaf, word(text[:]), word(text[4:]), word(text[8:])
	}
}

// emulated is a CPU of TCG.
func emulated(loopTicks func(uint64) uint64) processor {
	return processor{cpuidOf("TCGTCGTCGTCG"), loopTicks}
}

// icountLoop is the time stamp counter under -icount shift=N. Each third run is interrupted.
func icountLoop(shift int) func(uint64) uint64 {
	runs := uint64(0)
	return func(n uint64) uint64 {
		runs++
		ticks := 2*n + 7
		if runs%3 == 0 {
			ticks += 1000 * runs
		}
		return ticks << shift
	}
}

func TestHypervisor(t *testing.T) {
	for signature, want := range map[string]string{
		"TCGTCGTCGTCG": "TCG", "KVMKVMKVM\x00\x00\x00": "KVM", "Microsoft Hv": "Hyper-V", "bhyve bhyve ": "bhyve",
		"SomethingNew": "SomethingNew", "": "",
	} {
		fact := processor{cpuid: cpuidOf(signature)}.hypervisor()
		if got, ok := fact.Get(); got != want || ok != (want != "") {
			t.Errorf("%q: %q (%v), want %q", signature, got, fact.Why(), want)
		}
	}
	// KVM with what Windows asks for.
	if got, _ := (processor{cpuid: cpuidOf("Microsoft Hv", "KVMKVMKVM")}).hypervisor().Get(); got != "KVM" {
		t.Errorf("KVM behind Hyper-V: %q", got)
	}
	bare := processor{cpuid: func(uint32) (a, b, c, d uint32) { return 0, 1 << 31, 1<<31 - 1, 1 << 31 }}
	if got, _ := bare.hypervisor().Get(); got != "none" {
		t.Errorf("without the bit: %q", got)
	}
	if fact := (processor{}).hypervisor(); !fact.IsUnknown() {
		t.Errorf("without CPUID: %+v", fact)
	}
}

func TestICount(t *testing.T) {
	for name, c := range map[string]struct {
		loop func(uint64) uint64
		want string
	}{
		"shift 0":             {icountLoop(0), "shift=0"},
		"shift 3":             {icountLoop(3), "shift=3"},
		"the host's clock":    {func(n uint64) uint64 { return 3*n + n%7 }, "off"},
		"a tick a round":      {func(n uint64) uint64 { return n }, "off"},
		"a clock that stands": {func(uint64) uint64 { return 0 }, "off"},
		"one size in time": {func(n uint64) uint64 {
			if n == 5*icountStep {
				return 2*n + 1
			}
			return 2 * n
		}, "off"},
	} {
		if got, _ := emulated(c.loop).icount(Known("TCG")).Get(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	p := processor{}
	if fact := p.icount(Known("KVM")); !fact.IsAbsent() {
		t.Errorf("KVM: %+v", fact)
	}
	if fact := p.icount(Unknown[string](nil)); !fact.IsUnknown() {
		t.Errorf("an unknown hypervisor: %+v", fact)
	}
}

// A guest of lab/vm runs under TCG, with -icount if its kernel is given the clock's rate.
func TestLiveEmulation(t *testing.T) {
	if os.Getenv("VERIALLOC_LIVE") == "" {
		t.Skip("set VERIALLOC_LIVE=1 to test on the running kernel")
	}
	system := ReadSystem()
	commandLine, ok := system.CommandLine.Get()
	if !ok {
		t.Fatal(system.CommandLine.Why())
	}
	if options := strings.Fields(commandLine); slices.Contains(options, "no_timer_check") {
		want := "off"
		if slices.Contains(options, "tsc_early_khz=1000000") {
			want = "shift=0"
		}
		if name, _ := system.Hypervisor.Get(); name != "TCG" {
			t.Errorf("hypervisor %q, want TCG", name)
		}
		if icount, _ := system.ICount.Get(); icount != want {
			t.Errorf("icount %q, want %q", icount, want)
		}
	}
	if !system.BuildID.IsKnown() || !system.ClockSource.IsKnown() || !system.BootID.IsKnown() {
		t.Errorf("build id: %v; clock source: %v; boot id: %v", system.BuildID.Why(), system.ClockSource.Why(), system.BootID.Why())
	}
}
