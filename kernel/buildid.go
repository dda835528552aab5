package kernel

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"github.com/verialloc/verialloc/internal/input"
)

// notesPath has the notes of the kernel's image.
const notesPath = "sys/kernel/notes"

// ntGNUBuildID is NT_GNU_BUILD_ID: the type of the note that the linker makes of what it
// links, so that no two images have the same.
const ntGNUBuildID = 3

// readBuildID reads which image the kernel was booted from, in hexadecimal. It is absent
// from an image that was linked without.
func readBuildID(root fs.FS) Fact[string] {
	notes, err := input.Kernel.ReadFileIn(root, notesPath)
	switch {
	case errors.Is(err, fs.ErrNotExist) && exists(root, "sys/kernel"):
		return Absent[string](errors.New("the kernel's image has no notes"))
	case err != nil:
		return Unknown[string](named(err))
	}
	return buildID(notes)
}

// buildID finds it among ELF notes: sizes of name and content and a type, of 32 bits each,
// then name and content, each padded to 4 bytes.
func buildID(notes []byte) Fact[string] {
	const header = 12
	for len(notes) >= header {
		nameSize, size := binary.NativeEndian.Uint32(notes), binary.NativeEndian.Uint32(notes[4:])
		kind := binary.NativeEndian.Uint32(notes[8:])
		content := header + pad4(nameSize)
		end := content + pad4(size)
		if content+uint64(size) > uint64(len(notes)) {
			return Unknown[string](fmt.Errorf("/%s: a note of %d and %d bytes where %d are left", notesPath, nameSize, size, len(notes)-header))
		}
		name := notes[header:][:nameSize]
		if kind == ntGNUBuildID && bytes.Equal(name, []byte("GNU\x00")) {
			return Known(hex.EncodeToString(notes[content:][:size]))
		}
		notes = notes[min(end, uint64(len(notes))):]
	}
	return Absent[string](errors.New("the kernel's image was linked without a build id"))
}

func pad4(size uint32) uint64 { return (uint64(size) + 3) &^ 3 }

// exists reports whether there is such a file.
func exists(root fs.FS, path string) bool {
	_, err := fs.Stat(root, path)
	return err == nil
}
