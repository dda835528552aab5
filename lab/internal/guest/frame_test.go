package guest

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
)

func TestFramesRoundTrip(t *testing.T) {
	long := bytes.Repeat([]byte{0, 1, '\n', '\r', 0x7f, 0xff, 'V', 'M', 'F', 'R'}, MaxPayload/4)
	var line bytes.Buffer
	w := NewWriter(&line)
	for _, err := range []error{
		w.Send(Started, nil),
		w.Send(Stdout, []byte("out\n")),
		w.Send(Stderr, long),
		w.SendExit(137),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}

	got := map[Kind][]byte{}
	r := NewReader(&line)
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got[f.Kind] = append(got[f.Kind], f.Payload...)
		if f.Kind != Exit {
			continue
		}
		if code, err := f.ExitCode(); code != 137 || err != nil {
			t.Errorf("exit code %d, %v, want 137", code, err)
		}
	}
	if string(got[Stdout]) != "out\n" || !bytes.Equal(got[Stderr], long) {
		t.Errorf("got %d bytes of stdout and %d of stderr, want 4 and %d", len(got[Stdout]), len(got[Stderr]), len(long))
	}
	if _, ok := got[Started]; !ok {
		t.Error("the frame without a payload is missing")
	}
}

// TestStreamsShareALine checks that frames of several goroutines stay whole.
func TestStreamsShareALine(t *testing.T) {
	const writes = 200
	var (
		line bytes.Buffer
		wg   sync.WaitGroup
	)
	w := NewWriter(&line)
	for _, kind := range []Kind{Stdout, Stderr} {
		wg.Go(func() {
			for range writes {
				if _, err := w.Stream(kind).Write([]byte{byte(kind)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	r := NewReader(&line)
	for i := range 2 * writes {
		f, err := r.Next()
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if len(f.Payload) != 1 || f.Payload[0] != byte(f.Kind) {
			t.Fatalf("frame %d of kind %d carries % x", i, f.Kind, f.Payload)
		}
	}
}

// TestDamageIsNoticed drops and changes every single byte of a stream.
func TestDamageIsNoticed(t *testing.T) {
	var line bytes.Buffer
	w := NewWriter(&line)
	for _, s := range []string{"one", "two"} {
		if err := w.Send(Stdout, []byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	whole := line.Bytes()
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 0x20
		dropped := append(bytes.Clone(whole[:i]), whole[i+1:]...)
		for name, damaged := range map[string][]byte{"changed": changed, "dropped": dropped} {
			if err := readAll(damaged); !errors.Is(err, ErrLost) {
				t.Errorf("byte %d %s: got error %v, want ErrLost", i, name, err)
			}
		}
	}
	second := whole[len(whole)/2:]
	if err := readAll(second); !errors.Is(err, ErrLost) {
		t.Errorf("first frame dropped: got error %v, want ErrLost", err)
	}
}

func TestExitCodeOfOtherFrames(t *testing.T) {
	for _, f := range []Frame{{Kind: Stdout, Payload: make([]byte, 4)}, {Kind: Exit}} {
		if _, err := f.ExitCode(); !errors.Is(err, ErrLost) {
			t.Errorf("%+v: got error %v, want ErrLost", f, err)
		}
	}
}

// FuzzReader checks that whatever arrives is read as frames that a Writer sends
// just so, or is an error.
func FuzzReader(f *testing.F) {
	var line bytes.Buffer
	w := NewWriter(&line)
	w.Send(Stdout, []byte("text"))
	w.SendExit(1)
	f.Add(line.Bytes())
	f.Add([]byte("VMFR"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		var again bytes.Buffer
		w := NewWriter(&again)
		for r := NewReader(bytes.NewReader(data)); ; {
			frame, err := r.Next()
			if errors.Is(err, io.EOF) && again.Len() != len(data) {
				t.Fatalf("EOF after %d of %d bytes", again.Len(), len(data))
			}
			if err != nil {
				break
			}
			if err := w.Send(frame.Kind, frame.Payload); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.HasPrefix(data, again.Bytes()) {
			t.Fatalf("read % x as % x", data, again.Bytes())
		}
	})
}

func readAll(line []byte) error {
	for r := NewReader(bytes.NewReader(line)); ; {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
