package assemble

import (
	"math/rand/v2"
	"testing"
)

// A table does what a map does, whatever the order and however full.
func FuzzLiveTable(f *testing.F) {
	f.Add(uint64(1), uint16(20), uint16(500))
	f.Add(uint64(2), uint16(5000), uint16(10000))
	f.Fuzz(func(t *testing.T, seed uint64, pointers, steps uint16) {
		random := rand.New(rand.NewPCG(seed, 0))
		var table liveTable
		want := map[uint64]object{}
		for n := range uint64(steps) {
			// Some share their low bits, some all but those.
			pointer := 0xffff888000000000 + uint64(random.IntN(int(pointers)+1))<<(8*random.IntN(3))
			if random.IntN(100) == 0 {
				table.clear()
				clear(want)
			}
			if random.IntN(2) == 0 {
				old, had := table.put(pointer, object{timeNS: n})
				if wantOld, wantHad := want[pointer]; old != wantOld || had != wantHad {
					t.Fatalf("put %#x gives %v, %v, want %v, %v", pointer, old, had, wantOld, wantHad)
				}
				want[pointer] = object{timeNS: n}
			} else {
				got, had := table.take(pointer)
				if wantGot, wantHad := want[pointer]; got != wantGot || had != wantHad {
					t.Fatalf("take %#x gives %v, %v, want %v, %v", pointer, got, had, wantGot, wantHad)
				}
				delete(want, pointer)
			}
			if table.used != len(want) {
				t.Fatalf("%d objects, want %d", table.used, len(want))
			}
		}
		for pointer := range want {
			if _, had := table.take(pointer); !had {
				t.Fatalf("%#x is lost", pointer)
			}
		}
	})
}
