package object

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// What an object may take, beside the bytes of its file, which input.Object limits. An object
// is read as a whole, so these also bound the memory that it takes, whatever its headers say.
const (
	maxTypes = 16 << 20 // bytes of its BTF, as in the kernel: BTF_MAX_SIZE
	maxData  = 64 << 20 // bytes of all its variables, those that are not in the file included
	maxNames = 64 << 20 // bytes of the names of all its sections, and of all its symbols
	// maxDepth is how many qualifiers a type may have around it, as in libbpf
	// (MAX_RESOLVE_DEPTH).
	maxDepth = 32
)

// validateSections refuses an object of a number of bytes whose sections would take more
// memory than an object may. What reads it, its symbols included, takes their sizes for
// granted, and reads each section on its own.
func validateSections(file *elf.File, bytes uint64) error {
	var data, held uint64 // bytes of variables, and of all that is in the file
	for _, s := range file.Sections {
		err := validateSection(s, bytes)
		if err == nil { // so that no sum wraps around
			if isVariables(s) {
				data += s.Size
			}
			if isHeld(s) {
				held += s.FileSize
			}
		}
		switch {
		case err != nil:
		case data > maxData:
			err = errData
		case held > bytes:
			err = fmt.Errorf("with those before it, it has more than the %d bytes of the file: they overlap", bytes)
		case s.Type == elf.SHT_SYMTAB && int(s.Link) < len(file.Sections) && file.Sections[s.Link].Type != elf.SHT_STRTAB:
			err = errors.New("what it has for the names of its symbols is no table of strings")
		}
		if err != nil {
			return fmt.Errorf("section %s: %w", s.Name, err)
		}
	}
	return nil
}

var errData = fmt.Errorf("the object's variables have more than %d bytes", maxData)

func validateSection(s *elf.Section, bytes uint64) error {
	switch {
	case isHeld(s) && (s.Offset > bytes || s.FileSize > bytes-s.Offset):
		return errors.New("it ends beyond the file")
	case s.Type == elf.SHT_NOBITS && s.Size > maxData:
		return errData
	case s.Flags&elf.SHF_COMPRESSED != 0 && !isDebug(s):
		return errCompressed // nobody reads those of the debugger
	case strings.HasPrefix(s.Name, ".BTF") && s.Size > maxTypes:
		return fmt.Errorf("it has %d bytes, more than the %d that the kernel takes", s.Size, maxTypes)
	}
	return nil
}

// validateTypes refuses an object some of whose types cannot be read, such as those that refer
// to one which is not there. The library says so of the type itself alone: others that refer
// to it and that it refers to have nil in its place, if they were read before.
func validateTypes(image []byte, file *elf.File) error {
	section := file.Section(".BTF")
	if section == nil {
		return nil
	}
	records, _, err := splitBTF(sectionBytes(image, section))
	if err != nil {
		return err
	}
	var last btf.TypeID
	for _, err := range btfRecords(records) {
		if err != nil {
			return err
		}
		last++
	}
	types, err := btf.LoadSpecFromReader(bytes.NewReader(image))
	if err != nil {
		return err
	}
	for id := range last {
		if _, err := types.TypeByID(id + 1); err != nil {
			return fmt.Errorf("its BTF is broken: type %d: %w", id+1, err)
		}
	}
	return nil
}

// isHeld reports whether the bytes of a section are in the file.
func isHeld(s *elf.Section) bool { return s.Type != elf.SHT_NOBITS && s.Type != elf.SHT_NULL }

// isVariables reports whether a section may have variables: it is neither code nor types.
func isVariables(s *elf.Section) bool {
	inFile := s.Type == elf.SHT_PROGBITS && s.Flags&elf.SHF_EXECINSTR == 0 && !isDebug(s) && !strings.HasPrefix(s.Name, ".BTF")
	return inFile || s.Type == elf.SHT_NOBITS
}

// isDebug reports whether a section is for a debugger alone, by more than its name.
func isDebug(s *elf.Section) bool {
	return s.Type == elf.SHT_PROGBITS && s.Flags&(elf.SHF_ALLOC|elf.SHF_EXECINSTR) == 0 && strings.HasPrefix(s.Name, ".debug")
}

// overlap is how many times over symbols may cover a section: each is read on its own, and
// no compiler makes more than an alias or two.
const overlap = 4

// validateSymbols refuses symbols of which a section holds too many times over.
func validateSymbols(file *elf.File, symbols []elf.Symbol) error {
	covered := make(map[elf.SectionIndex]uint64)
	for _, s := range symbols {
		if int(s.Section) >= len(file.Sections) || elf.ST_TYPE(s.Info) == elf.STT_SECTION {
			continue
		}
		section := file.Sections[s.Section]
		if s.Size > section.Size || covered[s.Section]+s.Size > overlap*section.Size {
			return fmt.Errorf("section %s: symbol %s has, or all of them together have, more bytes than it holds", section.Name, s.Name)
		}
		covered[s.Section] += s.Size
	}
	return nil
}
