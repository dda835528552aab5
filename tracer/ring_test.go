package tracer

import "testing"

func TestAutoRing(t *testing.T) {
	for _, c := range []struct {
		cpus        int
		memory      uint64
		first, most int
	}{
		{1, 8 << 30, 8 << 20, 256 << 20},
		{2, 8 << 30, 8 << 20, 256 << 20},
		{3, 8 << 30, 16 << 20, 256 << 20},
		{8, 8 << 30, 32 << 20, 256 << 20},
		{256, 1 << 40, 64 << 20, 256 << 20},
		{2, 512 << 20, 8 << 20, 32 << 20},
		{2, 500 << 20, 8 << 20, 16 << 20},
		{64, 64 << 20, 4 << 20, 4 << 20},
		{1, 0, 64 << 10, 64 << 10}, // not known
	} {
		if first, most := autoRing(c.cpus, c.memory); first != c.first || most != c.most {
			t.Errorf("%d CPUs, %d bytes: %d to %d, want %d to %d", c.cpus, c.memory, first, most, c.first, c.most)
		}
	}
}
