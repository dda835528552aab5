package object

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// The ebpf library refuses objects that libbpf accepts: with typed __ksym variables, weak
// __kconfig variables, weak maps, a .struct_ops section, arena variables, jump tables, or a
// .bss section of another name. This package hides those from the library under names of
// the same length, and handles them itself. The names do not reach the kernel.
const (
	ksymsSection   = ".ksyms"
	kconfigSection = ".kconfig"
	hiddenKsyms    = ".ksymx"
	hiddenKconfig  = ".kconfix"

	structOpsSection = ".struct_ops"
	hiddenStructOps  = "_struct_ops" // struct_ops may be its tail
	arenaSection     = ".addr_space.1"
	hiddenArena      = ".data.arena_1"
	bssPrefix        = ".bss."
	hiddenBSS        = ".data"
	// The library does not return functions of the section .text that no instruction
	// refers to. Exception callbacks are such functions.
	textSection = ".text"
	hiddenText  = ".texu"
)

var errTruncated = errors.New("it ends in the middle of its BTF")

// hide renames, in the image of an object, what the library must not see: sections, and
// the data sections of the BTF that have no section of their own. The library treats what
// those declare as references by name, and leaves the references as they are. It requires
// a size of them.
func hide(image []byte, file *elf.File) error {
	index := int(binary.LittleEndian.Uint16(image[62:])) // e_shstrndx
	if index >= len(file.Sections) {
		return fmt.Errorf("section %d has the names of the sections, but there are %d", index, len(file.Sections))
	}
	hideSections(sectionBytes(image, file.Sections[index]))
	hideSymbols(image, file)

	section := file.Section(".BTF")
	if section == nil {
		return nil
	}
	types, strings, err := splitBTF(sectionBytes(image, section))
	if err != nil {
		return err
	}
	hideSections(strings)
	rename(strings, "\x00"+ksymsSection+"\x00", "\x00"+hiddenKsyms+"\x00")
	rename(strings, "\x00"+kconfigSection+"\x00", "\x00"+hiddenKconfig+"\x00")
	return sizeDatasecs(types, strings, hiddenKsyms, hiddenKconfig)
}

// hideSections renames sections in a table of strings, the ELF file's or the BTF's.
func hideSections(names []byte) {
	rename(names, structOpsSection, hiddenStructOps)
	rename(names, arenaSection+"\x00", hiddenArena+"\x00")
	rename(names, "\x00"+bssPrefix, "\x00"+hiddenBSS)
	rename(names, textSection+"\x00", hiddenText+"\x00")
}

// hideSymbols turns weak maps, such as libbpf's own for USDT, into global ones, and jump
// tables into externs.
func hideSymbols(image []byte, file *elf.File) {
	const record = elf.Sym64Size
	for _, table := range file.Sections {
		if table.Type != elf.SHT_SYMTAB {
			continue
		}
		symbols := sectionBytes(image, table)
		for ; len(symbols) >= record; symbols = symbols[record:] {
			index := int(binary.LittleEndian.Uint16(symbols[6:])) // st_shndx
			if index >= len(file.Sections) {
				continue
			}
			info := symbols[4] // st_info
			switch section := file.Sections[index].Name; {
			case section == ".maps" && elf.ST_BIND(info) == elf.STB_WEAK:
				symbols[4] = elf.ST_INFO(elf.STB_GLOBAL, elf.ST_TYPE(info))
			case section == jumpTableSection:
				symbols[4] = elf.ST_INFO(elf.STB_GLOBAL, elf.STT_NOTYPE)
				binary.LittleEndian.PutUint16(symbols[6:], uint16(elf.SHN_UNDEF))
			}
		}
	}
}

// sectionBytes returns the bytes of the section in the image, none if it is not within the
// image.
func sectionBytes(image []byte, section *elf.Section) []byte {
	size := uint64(len(image))
	if section.Type == elf.SHT_NOBITS || section.Offset > size || section.FileSize > size-section.Offset {
		return nil
	}
	return image[section.Offset : section.Offset+section.FileSize]
}

// rename replaces a name by one of the same length, in place.
func rename(table []byte, name, hidden string) {
	for at := 0; ; {
		n := bytes.Index(table[at:], []byte(name))
		if n < 0 {
			return
		}
		at += n
		at += copy(table[at:], hidden) - 1 // names share their NULs
	}
}

// splitBTF returns the records and the strings of raw BTF.
func splitBTF(raw []byte) (types, strings []byte, err error) {
	if len(raw) < 24 {
		return nil, nil, errTruncated
	}
	word := func(at int) uint64 { return uint64(binary.LittleEndian.Uint32(raw[at:])) }
	header, size := word(4), uint64(len(raw))
	typesAt, stringsAt := header+word(8), header+word(16)
	typesEnd, stringsEnd := typesAt+word(12), stringsAt+word(20)
	if typesEnd > size || stringsEnd > size {
		return nil, nil, errTruncated
	}
	return raw[typesAt:typesEnd], raw[stringsAt:stringsEnd], nil
}

// The kinds of BTF types whose records have a trailer, from uapi/linux/btf.h.
const (
	kindInt       = 1
	kindArray     = 3
	kindStruct    = 4
	kindUnion     = 5
	kindEnum      = 6
	kindFuncProto = 13
	kindVar       = 14
	kindDatasec   = 15
	kindDeclTag   = 17
	kindEnum64    = 19
)

// btfRecords yields the records of BTF types, each with its trailer, or an error at last.
func btfRecords(types []byte) iter.Seq2[[]byte, error] {
	const common = 12
	return func(yield func([]byte, error) bool) {
		for len(types) > 0 {
			if len(types) < common {
				yield(nil, errTruncated)
				return
			}
			info := binary.LittleEndian.Uint32(types[4:])
			size := common + trailer(btfKind(types), int(info&0xffff))
			if size > len(types) {
				yield(nil, errTruncated)
				return
			}
			if !yield(types[:size], nil) {
				return
			}
			types = types[size:]
		}
	}
}

// btfKind returns the kind of a type by its record.
func btfKind(record []byte) uint32 { return binary.LittleEndian.Uint32(record[4:]) >> 24 & 0x1f }

// sizeDatasecs sets the size of the named data sections to 1 if they have none.
func sizeDatasecs(types, strings []byte, names ...string) error {
	for record, err := range btfRecords(types) {
		if err != nil {
			return err
		}
		if btfKind(record) != kindDatasec || binary.LittleEndian.Uint32(record[8:]) != 0 {
			continue
		}
		if slices.Contains(names, stringAt(strings, binary.LittleEndian.Uint32(record))) {
			record[8] = 1
		}
	}
	return nil
}

// trailer returns the number of bytes that follow the common part of a type's record.
func trailer(kind uint32, vlen int) int {
	switch kind {
	case kindInt, kindVar, kindDeclTag:
		return 4
	case kindArray:
		return 12
	case kindStruct, kindUnion, kindDatasec, kindEnum64:
		return 12 * vlen
	case kindEnum, kindFuncProto:
		return 8 * vlen
	}
	return 0
}

func stringAt(strings []byte, offset uint32) string {
	if int64(offset) >= int64(len(strings)) {
		return ""
	}
	text, _, _ := bytes.Cut(strings[offset:], []byte{0})
	return string(text)
}
