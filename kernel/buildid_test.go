package kernel

import (
	"encoding/binary"
	"slices"
	"testing"
	"testing/fstest"
)

// note returns an ELF note. The kernel's are padded to 4 bytes.
func note(kind uint32, name, content string) []byte {
	pad := func(b []byte) []byte { return append(b, make([]byte, (4-len(b)%4)%4)...) }
	name += "\x00"
	b := binary.NativeEndian.AppendUint32(nil, uint32(len(name)))
	b = binary.NativeEndian.AppendUint32(b, uint32(len(content)))
	b = binary.NativeEndian.AppendUint32(b, kind)
	return append(append(b, pad([]byte(name))...), pad([]byte(content))...)
}

func TestBuildID(t *testing.T) {
	id := note(ntGNUBuildID, "GNU", "\x01\xab")
	huge := note(ntGNUBuildID, "GNU", "\x01\xab")
	binary.NativeEndian.PutUint32(huge[4:], 1<<32-1)
	for name, c := range map[string]struct {
		notes   []byte
		want    string
		unknown bool
	}{
		"alone":                 {id, "01ab", false},
		"after others":          {slices.Concat(note(ntGNUBuildID, "Linux", "x"), note(4, "GNU", "gold"), id), "01ab", false},
		"without padding":       {id[:len(id)-2], "01ab", false},
		"none":                  {note(0x100, "Linux", "6.12"), "", false},
		"empty":                 {nil, "", false},
		"cut off":               {id[:len(id)-4], "", true},
		"a size beyond the end": {huge, "", true},
	} {
		fact := buildID(c.notes)
		if got, ok := fact.Get(); got != c.want || ok != (c.want != "") || fact.IsUnknown() != c.unknown {
			t.Errorf("%s: %q, unknown %v (%v)", name, got, fact.IsUnknown(), fact.Why())
		}
	}
	if fact := readBuildID(fstest.MapFS{"sys/kernel/mm": file("")}); !fact.IsAbsent() {
		t.Errorf("a kernel without notes: %+v", fact)
	}
	if fact := readBuildID(fstest.MapFS{}); !fact.IsUnknown() {
		t.Errorf("without sysfs: %+v", fact)
	}
}

func FuzzBuildID(f *testing.F) {
	f.Add(note(ntGNUBuildID, "GNU", "\x01\xab"))
	f.Add(slices.Concat(note(6, "Linux", "x"), note(ntGNUBuildID, "GNU", "\x01\xab")))
	f.Fuzz(func(t *testing.T, notes []byte) {
		if id, ok := buildID(notes).Get(); ok && len(id) > 2*len(notes) {
			t.Errorf("%d bytes of %d", len(id)/2, len(notes))
		}
	})
}
