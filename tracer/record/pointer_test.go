package record

import (
	"encoding/json"
	"math"
	"testing"
)

func TestPointerRoundTrip(t *testing.T) {
	for p, want := range map[Pointer]string{
		0:                  `"0x0"`,
		0xffff8881002a3c00: `"0xffff8881002a3c00"`,
		math.MaxUint64:     `"0xffffffffffffffff"`,
	} {
		text, err := json.Marshal(p)
		if err != nil || string(text) != want {
			t.Errorf("Marshal(%d) = %s, %v, want %s", uint64(p), text, err, want)
		}
		var back Pointer
		if err := json.Unmarshal(text, &back); err != nil || back != p {
			t.Errorf("Unmarshal(%s) = %d, %v", text, uint64(back), err)
		}
	}
}

func TestPointerRefuses(t *testing.T) {
	for _, text := range []string{"", "0x", "12", "0xg", "0x-1", "0x10000000000000000"} {
		p := Pointer(7)
		if err := p.UnmarshalText([]byte(text)); err == nil || p != 7 {
			t.Errorf("UnmarshalText(%q) = %d, %v, want an error and no change", text, uint64(p), err)
		}
	}
}

func FuzzPointer(f *testing.F) {
	f.Add("0xffff8881002a3c00")
	f.Fuzz(func(t *testing.T, text string) {
		var p, back Pointer
		if p.UnmarshalText([]byte(text)) != nil {
			return
		}
		again, err := p.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if err := back.UnmarshalText(again); err != nil || back != p {
			t.Errorf("%q gives %s, which gives %d, %v", text, again, uint64(back), err)
		}
	})
}
