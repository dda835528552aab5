package guest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
)

// Kind says what a frame carries.
type Kind byte

// The kinds of frames, in the order in which a run sends them.
const (
	// Started has no payload: the system is set up, the command starts now.
	Started Kind = iota + 1
	// Stdout and Stderr carry bytes that the command wrote.
	Stdout
	Stderr
	// FileStart opens a file to bring to the host; its payload is a JSON [File].
	FileStart
	// FileData carries bytes of the file that the last FileStart opened.
	FileData
	// Failure carries one line of text: the init could not do its part.
	Failure
	// Exit ends the stream; its payload is the exit code as a big-endian uint32.
	Exit
)

// MaxPayload is the largest payload of a frame, in bytes. It is small, so that
// a command's stdout and stderr interleave about as they were written.
const MaxPayload = 16 << 10

// A frame is, in big-endian order: magic (4 bytes), sequence number (4),
// kind (1), payload length (4), payload, and the CRC-32 of all before it (4).
// The line it travels on loses bytes when it overruns, and reports nothing: the
// checksum and the sequence number are there to notice.
const (
	magic      = 0x564d4652 // "VMFR"
	headerSize = 4 + 4 + 1 + 4
	sumSize    = 4
)

// ErrLost is in the chain of every error that means bytes were lost or changed
// on their way.
var ErrLost = errors.New("output was lost")

// Frame is one message from the guest.
type Frame struct {
	Kind    Kind
	Payload []byte // valid until the next call of Next
}

// Writer sends frames. It may be used by several goroutines.
type Writer struct {
	mu  sync.Mutex
	w   io.Writer
	seq uint32
	buf []byte
}

// NewWriter returns a Writer that sends to w, each frame in one Write.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Send sends payload as one frame, or as several when it is longer than
// [MaxPayload] bytes. It fails only when the underlying writer does.
func (w *Writer) Send(kind Kind, payload []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		n := min(len(payload), MaxPayload)
		b := binary.BigEndian.AppendUint32(w.buf[:0], magic)
		b = binary.BigEndian.AppendUint32(b, w.seq)
		b = append(b, byte(kind))
		b = binary.BigEndian.AppendUint32(b, uint32(n))
		b = append(b, payload[:n]...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
		w.buf = b
		if _, err := w.w.Write(b); err != nil {
			return err
		}
		w.seq++
		if payload = payload[n:]; len(payload) == 0 {
			return nil
		}
	}
}

// SendExit sends the frame that ends the stream.
func (w *Writer) SendExit(code int) error {
	return w.Send(Exit, binary.BigEndian.AppendUint32(nil, uint32(code)))
}

// Stream returns an io.Writer whose writes are sent as frames of one kind.
func (w *Writer) Stream(kind Kind) io.Writer { return stream{w, kind} }

type stream struct {
	w    *Writer
	kind Kind
}

func (s stream) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := s.w.Send(s.kind, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Reader receives frames.
type Reader struct {
	r   io.Reader
	seq uint32
	buf [headerSize + MaxPayload + sumSize]byte
}

// NewReader returns a Reader that receives from r.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Next returns the next frame. It returns io.EOF where the stream ends between
// two frames, and an error that wraps [ErrLost] when it ends within one or when
// a frame is not the one that was sent.
func (r *Reader) Next() (Frame, error) {
	head := r.buf[:headerSize]
	if _, err := io.ReadFull(r.r, head); err != nil {
		return Frame{}, r.broken(err)
	}
	if binary.BigEndian.Uint32(head) != magic {
		return Frame{}, fmt.Errorf("frame %d: no frame starts with % x: %w", r.seq, head[:4], ErrLost)
	}
	n := binary.BigEndian.Uint32(head[9:])
	if n > MaxPayload {
		return Frame{}, fmt.Errorf("frame %d: length %d is over %d: %w", r.seq, n, MaxPayload, ErrLost)
	}
	body := r.buf[headerSize : headerSize+n+sumSize]
	if _, err := io.ReadFull(r.r, body); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return Frame{}, r.broken(err)
	}
	if want, got := binary.BigEndian.Uint32(body[n:]), crc32.ChecksumIEEE(r.buf[:headerSize+n]); want != got {
		return Frame{}, fmt.Errorf("frame %d: checksum %08x, want %08x: %w", r.seq, got, want, ErrLost)
	}
	if seq := binary.BigEndian.Uint32(head[4:]); seq != r.seq {
		return Frame{}, fmt.Errorf("frame %d: got frame %d: %w", r.seq, seq, ErrLost)
	}
	r.seq++
	return Frame{Kind: Kind(head[8]), Payload: body[:n:n]}, nil
}

func (r *Reader) broken(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("frame %d: cut off: %w", r.seq, ErrLost)
	}
	return err
}

// ExitCode returns the exit code that an [Exit] frame carries.
func (f Frame) ExitCode() (int, error) {
	if f.Kind != Exit || len(f.Payload) != 4 {
		return 0, fmt.Errorf("kind %d with %d bytes is no exit code: %w", f.Kind, len(f.Payload), ErrLost)
	}
	return int(int32(binary.BigEndian.Uint32(f.Payload))), nil
}
