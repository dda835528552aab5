package object

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
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
	if err := validateSections(file, uint64(len(image))); err != nil {
		return nil, err
	}
	return file, checkSymbolNames(image, file)
}

// checkNames refuses an object whose section of section names is compressed, or whose
// sections have too long names: debug/elf unpacks the one, to whatever length, and copies
// the others, before it shows any header. Other faults are left to it.
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
	const headerSize = 64 // of a section; no header may be smaller
	size := uint64(len(image))
	section := func(n uint64) (s elf.Section64, ok bool) {
		// Neither wraps around: the number has 32 bits and the size of a header 16.
		at := n * uint64(header.Shentsize)
		if header.Shoff > size || at > size-header.Shoff {
			return s, false
		}
		_, err := binary.Decode(image[header.Shoff+at:], order, &s)
		return s, err == nil
	}
	number, count := uint64(header.Shstrndx), uint64(header.Shnum)
	first, _ := section(0)
	if header.Shstrndx == uint16(elf.SHN_XINDEX) {
		number = uint64(first.Link)
	}
	if count == 0 {
		count = first.Size
	}
	names, ok := section(number)
	switch {
	case header.Shentsize < headerSize || number == 0 || !ok:
		return nil
	case names.Flags&uint64(elf.SHF_COMPRESSED) != 0: // also where it ends beyond the file
		return fmt.Errorf("the section of section names: %w", errCompressed)
	case names.Off > size || names.Size > size-names.Off:
		return nil
	}
	err := limitNames(image[names.Off:names.Off+names.Size], func(yield func(uint32) bool) {
		for n := range min(count, size/headerSize) {
			if s, ok := section(n); !ok || !yield(s.Name) {
				return
			}
		}
	})
	if err != nil {
		return fmt.Errorf("the section of section names: %w", err)
	}
	return nil
}

// checkSymbolNames refuses an object whose symbols have too long names.
func checkSymbolNames(image []byte, file *elf.File) error {
	table := file.SectionByType(elf.SHT_SYMTAB)
	if table == nil || int(table.Link) >= len(file.Sections) {
		return nil // file.Symbols says so
	}
	records := sectionBytes(image, table)
	err := limitNames(sectionBytes(image, file.Sections[table.Link]), func(yield func(uint32) bool) {
		for len(records) >= elf.Sym64Size && yield(file.ByteOrder.Uint32(records)) {
			records = records[elf.Sym64Size:]
		}
	})
	if err != nil {
		return fmt.Errorf("section %s: %w", table.Name, err)
	}
	return nil
}

var errNames = fmt.Errorf("its names have more than %d bytes together", maxNames)

// limitNames refuses names at offsets of a table that together have too many bytes: any
// number may be the same bytes, and each is copied.
func limitNames(table []byte, offsets iter.Seq[uint32]) error {
	left := maxNames
	for offset := range offsets {
		if uint64(offset) >= uint64(len(table)) {
			continue
		}
		name := table[offset:]
		if end := bytes.IndexByte(name, 0); end >= 0 {
			name = name[:end]
		}
		if left -= len(name); left < 0 {
			return errNames
		}
	}
	return nil
}
