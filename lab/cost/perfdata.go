package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// perfData counts the events that perf record lost, in the file that it still writes.
type perfData struct {
	path string
	at   int64 // of the first record that was not looked at
	lost uint64
}

// The layout of perf.data: the offset of its records in its header, and of a record
// its type, two bytes of flags and its size. PERF_RECORD_LOST is an id and a count.
const (
	perfDataOffset   = 40
	perfRecordHeader = 8
	perfRecordLost   = 2
)

func (d *perfData) read() (uint64, error) {
	f, err := os.Open(d.path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var word [8]byte
	if d.at == 0 {
		if _, err := f.ReadAt(word[:], perfDataOffset); err != nil {
			return 0, fmt.Errorf("read %s: %w", d.path, err)
		}
		d.at = int64(binary.NativeEndian.Uint64(word[:]))
	}
	r := bufio.NewReaderSize(io.NewSectionReader(f, d.at, math.MaxInt64-d.at), 1<<16)
	for {
		record, err := r.Peek(perfRecordHeader)
		if errors.Is(err, io.EOF) {
			return d.lost, nil
		}
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", d.path, err)
		}
		kind, size := binary.NativeEndian.Uint32(record), binary.NativeEndian.Uint16(record[6:])
		if size < perfRecordHeader {
			return 0, fmt.Errorf("read %s: record of %d bytes at %d", d.path, size, d.at)
		}
		if kind == perfRecordLost && size >= perfRecordHeader+16 {
			if record, err = r.Peek(perfRecordHeader + 16); err != nil {
				return d.lost, nil // it is not all there yet
			}
			d.lost += binary.NativeEndian.Uint64(record[perfRecordHeader+8:])
		}
		if _, err := r.Discard(int(size)); err != nil {
			return d.lost, nil // likewise: what comes after it is read next time
		}
		d.at += int64(size)
	}
}
