package load

import (
	"encoding/binary"
	"os"
	"testing"
)

// TestCounterMultiplexed checks that a load during which an event did not always count
// leaves the next one its count.
func TestCounterMultiplexed(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	e := openEvent{name: "cycles", fd: int(read.Fd())}
	for n, times := range [][2]uint64{{10, 10}, {20, 15}, {30, 25}} { // enabled and running
		var buf []byte
		for _, word := range []uint64{7, times[0], times[1]} {
			buf = binary.NativeEndian.AppendUint64(buf, word)
		}
		if _, err := write.Write(buf); err != nil {
			t.Fatal(err)
		}
		c, err := e.read()
		if err != nil || (c.Absent != "") != (n == 1) || c.Absent == "" && c.Value != 7 {
			t.Errorf("load %d: %+v, error %v", n, c, err)
		}
	}
}
