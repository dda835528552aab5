package tracer

import (
	"fmt"
	"unsafe"

	"github.com/verialloc/verialloc/bpf"
	"github.com/verialloc/verialloc/tracer/assemble"
)

// decodeLog decodes the end of a log.
func (d *decoder) decodeLog(raw []byte) error {
	e, err := view[bpf.VeriallocLogEvent](raw)
	if err != nil {
		return err
	}
	if int(e.Len) > len(e.Text) {
		return fmt.Errorf("log of %d bytes: want %d at most", e.Len, len(e.Text))
	}
	d.words = assemble.Words{Log: string(e.Text[:e.Len]), Cut: e.Cut != 0}
	d.event.Words = &d.words
	return nil
}

// decodeCalls decodes the calls that write a log, of which there are as many as fit.
func (d *decoder) decodeCalls(raw []byte) error {
	const head = unsafe.Offsetof(bpf.VeriallocCallsEvent{}.Calls)
	if len(raw) <= int(head) {
		return fmt.Errorf("event of %d bytes: want more than %d for its kind", len(raw), head)
	}
	d.words = assemble.Words{Cut: raw[unsafe.Offsetof(bpf.VeriallocCallsEvent{}.Cut)] != 0}
	for rest := raw[head:]; len(rest) > 0; {
		h, err := view[bpf.VeriallocLogCall](rest)
		if err != nil {
			return err
		}
		if int(h.Size) > len(rest) || h.Size%8 != 0 {
			return fmt.Errorf("call of %d bytes in %d", h.Size, len(rest))
		}
		call, err := decodeCall(h, rest[:h.Size])
		if err != nil {
			return err
		}
		d.words.Calls = append(d.words.Calls, call)
		rest = rest[h.Size:]
	}
	d.event.Words = &d.words
	return nil
}

func decodeCall(h *bpf.VeriallocLogCall, raw []byte) (call assemble.Call, err error) {
	if len(raw) < int(unsafe.Sizeof(*h)) {
		return call, fmt.Errorf("call of %d bytes: want %d at least", len(raw), unsafe.Sizeof(*h))
	}
	behind := raw[unsafe.Sizeof(*h):]
	take := func(n uint8) string {
		if int(n) > len(behind) {
			err = fmt.Errorf("text of %d bytes in %d of a call", n, len(behind))
			n = 0
		}
		s := text(behind[:n])
		behind = behind[n:]
		return s
	}
	call.Format = take(h.FormatLen)
	call.Cut = h.FormatLen == 0 || bpf.VeriallocCallLimit(h.FormatLen) == bpf.VeriallocCallLimitCALL_FORMAT_LEN
	for i, word := range h.Args {
		n := h.TextLen[i]
		call.Args = append(call.Args, assemble.Arg{Word: word, Text: take(n), Read: n > 0, Cut: bpf.VeriallocCallLimit(n) == bpf.VeriallocCallLimitCALL_TEXT_LEN})
	}
	return call, err
}
