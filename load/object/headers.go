package object

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
)

var (
	errNoELF      = errors.New("it is no ELF file")
	errCompressed = errors.New("it is compressed: want sections as the compiler leaves them")
)

// readHeaders reads the headers of an object, and refuses those that say that there is more
// in it than an object may have.
func readHeaders(image []byte) (*elf.File, error) {
	if !bytes.HasPrefix(image, []byte(elf.ELFMAG)) {
		return nil, errNoELF
	}
	if err := checkNames(image); err != nil {
		return nil, err
	}
	file, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, fmt.Errorf("its ELF headers: %w", err)
	}
	return file, validateSections(file, uint64(len(image)))
}

// checkNames refuses an object whose section of section names is compressed: debug/elf
// unpacks it, to whatever length, before it shows any header. Other faults are left to it.
func checkNames(image []byte) error {
	var order binary.ByteOrder = binary.LittleEndian
	if len(image) > elf.EI_DATA && elf.Data(image[elf.EI_DATA]) == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	var header elf.Header64
	if _, err := binary.Decode(image, order, &header); err != nil {
		return fmt.Errorf("its ELF headers: %w", err)
	}
	if class := elf.Class(header.Ident[elf.EI_CLASS]); class != elf.ELFCLASS64 {
		return fmt.Errorf("it is of %v", class)
	}
	section := func(n uint64) (s elf.Section64, ok bool) {
		// Neither wraps around: the number has 32 bits and the size of a header 16.
		at := n * uint64(header.Shentsize)
		if header.Shoff > uint64(len(image)) || at > uint64(len(image))-header.Shoff {
			return s, false
		}
		_, err := binary.Decode(image[header.Shoff+at:], order, &s)
		return s, err == nil
	}
	n := uint64(header.Shstrndx)
	if header.Shstrndx == uint16(elf.SHN_XINDEX) { // the number is in the first section's header
		first, _ := section(0)
		n = uint64(first.Link)
	}
	if names, ok := section(n); ok && names.Flags&uint64(elf.SHF_COMPRESSED) != 0 {
		return fmt.Errorf("the section of section names: %w", errCompressed)
	}
	return nil
}
