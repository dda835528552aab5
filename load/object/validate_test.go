package object

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"
)

// libraryObject returns one of the library's test objects.
func libraryObject(t *testing.T, name string) []byte {
	t.Helper()
	paths := libraryObjects(t)
	if paths == nil {
		t.Skip("no go command to ask for the library's directory")
	}
	for _, path := range paths {
		if filepath.Base(path) == name {
			image, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return image
		}
	}
	t.Fatalf("the library has no %s any more", name)
	return nil
}

// image is an object that a test changes.
type image struct {
	t    *testing.T
	data []byte
	file *elf.File
}

func newImage(t *testing.T, name string) image {
	data := libraryObject(t, name)
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return image{t, data, file}
}

// btfType returns the record of a named type with its trailer, in place.
func (i image) btfType(kind uint32, name string) []byte {
	i.t.Helper()
	types, names, err := splitBTF(sectionBytes(i.data, i.file.Section(".BTF")))
	if err != nil {
		i.t.Fatal(err)
	}
	for record, err := range btfRecords(types) {
		if err == nil && btfKind(record) == kind && stringAt(names, binary.LittleEndian.Uint32(record)) == name {
			return record
		}
	}
	i.t.Fatalf("no type %s", name)
	return nil
}

// header returns the header of a section, in place.
func (i image) header(name string) []byte {
	i.t.Helper()
	n := slices.IndexFunc(i.file.Sections, func(s *elf.Section) bool { return s.Name == name })
	if n < 0 {
		i.t.Fatalf("no section %s", name)
	}
	return i.data[int(binary.LittleEndian.Uint64(i.data[40:]))+n*64:]
}

// compress says of a section that it is compressed, and that it has 1 TiB.
func (i image) compress(name string) {
	chdr := sectionBytes(i.data, i.file.Section(name))
	binary.LittleEndian.PutUint32(chdr, uint32(elf.COMPRESS_ZLIB))
	binary.LittleEndian.PutUint64(chdr[8:], 1<<40)
	flags := i.header(name)[8:]
	binary.LittleEndian.PutUint64(flags, binary.LittleEndian.Uint64(flags)|uint64(elf.SHF_COMPRESSED))
}

// symbol returns the record of a symbol, in place.
func (i image) symbol(name string) []byte {
	i.t.Helper()
	symbols, err := i.file.Symbols()
	if err != nil {
		i.t.Fatal(err)
	}
	n := slices.IndexFunc(symbols, func(s elf.Symbol) bool { return s.Name == name })
	return i.data[int(i.file.SectionByType(elf.SHT_SYMTAB).Offset)+(n+1)*elf.Sym64Size:]
}

// Headers, symbols and types that lie: each is an error, before anything is read by them.
func TestOpenHostile(t *testing.T) {
	useFakeKernel(t)
	word := binary.LittleEndian.PutUint32
	long := binary.LittleEndian.PutUint64
	const (
		ops  = "struct_ops-el.elf"
		vars = "variables-el.elf"
	)
	// Of a member: name, type and offset in bits, 12 bytes each, after 12 of the structure.
	const data = 12 + 2*12
	for _, c := range []struct {
		name, object, want string
		change             func(image)
	}{
		{"type that is not there", ops, "its BTF is broken: type", func(i image) {
			word(i.btfType(kindStruct, "bpf_testmod_ops")[data+4:], 1<<20)
		}},
		{"member beyond the structure", ops, "member data has 4 bytes from 131072 on, in a structure of 24", func(i image) {
			word(i.btfType(kindStruct, "bpf_testmod_ops")[data+8:], 1<<20)
		}},
		{"member that ends beyond the structure", ops, "in a structure of 24", func(i image) {
			word(i.btfType(kindStruct, "bpf_testmod_ops")[data+8:], 21*8)
		}},
		{"structure smaller than its members", ops, "in a structure of 8", func(i image) {
			word(i.btfType(kindStruct, "bpf_testmod_ops")[8:], 8)
		}},
		{"member of a size that wraps around", ops, "member data has", func(i image) {
			word(i.btfType(kindStruct, "bpf_testmod_ops")[data+8:], math.MaxUint32)
		}},
		{"structure larger than the section", ops, "within the section", func(i image) {
			word(i.btfType(kindStruct, "bpf_testmod_ops")[8:], math.MaxUint32)
		}},
		{"section beyond the file", vars, "section .data: it ends beyond the file", func(i image) {
			long(i.header(".data")[32:], math.MaxUint32)
		}},
		{"section that begins beyond the file", vars, "its ELF headers: ", func(i image) {
			long(i.header(".data")[24:], math.MaxUint64-8)
		}},
		{"data of 4 GiB that are not in the file", vars, "section .bss: the object's variables have more than 67108864 bytes", func(i image) {
			long(i.header(".bss")[32:], math.MaxUint32)
		}},
		{"data of a size that wraps around", vars, "its ELF headers: ", func(i image) {
			long(i.header(".bss")[32:], math.MaxUint64)
		}},
		{"variables of more than 64 MiB together", vars, "section .bss: the object's variables have more than 67108864 bytes", func(i image) {
			long(i.header(".bss")[32:], maxData)
			copy(i.header(".text"), i.header(".data.array")[:64]) // ahead of it, and in the file
		}},
		{"sections that are the same bytes", vars, ": with those before it, it has more than the", func(i image) {
			array := i.header(".data.array")[24:40] // where it begins, and how much it has
			for _, name := range []string{".data", ".rodata", ".data.weak", ".data.atomic"} {
				copy(i.header(name)[24:], array)
			}
		}},
		{"references that are the same bytes", vars, ": with those before it, it has more than the", func(i image) {
			long(i.header(".rel.BTF")[24:], 64)
			long(i.header(".rel.BTF")[32:], 10000)
		}},
		{"compressed section", vars, "section .data.array: it is compressed", func(i image) {
			i.compress(".data.array")
		}},
		{"compressed symbols", vars, "section .symtab: it is compressed", func(i image) {
			i.compress(".symtab")
		}},
		{"compressed names", vars, "the section of section names: it is compressed", func(i image) {
			i.compress(".strtab")
		}},
		{"compressed names that end beyond the file", vars, "the section of section names: it is compressed", func(i image) {
			i.compress(".strtab")
			long(i.header(".strtab")[32:], 1<<40)
		}},
		{"compressed names, whose number is in the first header", vars, "the section of section names: it is compressed", func(i image) {
			i.compress(".strtab")
			n := binary.LittleEndian.Uint16(i.data[62:])
			binary.LittleEndian.PutUint16(i.data[62:], uint16(elf.SHN_XINDEX))
			word(i.data[binary.LittleEndian.Uint64(i.data[40:])+40:], uint32(n))
		}},
		{"compressed program of a debugger's section", vars, "section .debug_abc: it is compressed", func(i image) {
			i.compress("socket")
			copy(i.header("socket"), i.header(".relsocket")[:4]) // the name
			copy(i.data[bytes.Index(i.data, []byte(".relsocket\x00")):], ".debug_abc")
		}},
		{"names of symbols that are no strings", vars, "no table of strings", func(i image) {
			const socket = 3
			word(i.header(".symtab")[40:], socket)
		}},
		{"symbol of more bytes than its section", vars, "more bytes than it holds", func(i image) {
			long(i.symbol("var_array")[16:], math.MaxUint32)
		}},
		{"symbol of a size that wraps around", vars, "more bytes than it holds", func(i image) {
			long(i.symbol("var_array")[16:], math.MaxUint64-7)
		}},
		{"symbols that cover a section many times", vars, "more bytes than it holds", func(i image) {
			size := i.file.Section("socket").Size
			table := sectionBytes(i.data, i.file.SectionByType(elf.SHT_SYMTAB))
			for ; len(table) >= elf.Sym64Size; table = table[elf.Sym64Size:] {
				long(table[16:], size)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := newImage(t, c.object)
			c.change(i)
			path := filepath.Join(t.TempDir(), "hostile.o")
			if err := os.WriteFile(path, i.data, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path, Options{})
			if err == nil || !strings.HasPrefix(err.Error(), path+" is not a readable BPF object: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that begins with the object and says %q", err, c.want)
			}
		})
	}
}

// Types that refer to themselves, as no compiler makes them, end all the same.
func TestCyclicTypes(t *testing.T) {
	cycle := &btf.Const{}
	cycle.Type = &btf.Volatile{Type: cycle}
	if got := withoutQualifiers(cycle); got == nil {
		t.Error("no type")
	}
	itself := &btf.Struct{Name: "itself", Size: 8}
	for range 40 { // without a memory of those seen, 40 to the power of any depth
		itself.Members = append(itself.Members, btf.Member{Type: itself})
	}
	if _, _, err := memberOf(itself, "a", map[btf.Type]bool{}); err == nil {
		t.Error("a member that is not there was found")
	}
	itself.Members = append(itself.Members, btf.Member{Name: "a", Type: itself, Offset: 64})
	if _, offset, err := memberOf(itself, "a", map[btf.Type]bool{}); err != nil || offset != 8 {
		t.Errorf("offset %d, error %v", offset, err)
	}
}

// A panic is an error that names the object or the program, and leaves the object's lock and
// nothing open.
func TestGuard(t *testing.T) {
	obj := &object{loaded: &loadedObject{}} // of which nothing can be used
	p := &program{object: obj}
	p.known.Name = "prog"
	for range 2 {
		_, err := p.Prepare()
		if err == nil || !strings.HasPrefix(err.Error(), "prepare prog: reading it failed: a library panicked: ") {
			t.Errorf("error %v", err)
		}
		if obj.users != 0 || obj.loaded != nil {
			t.Errorf("%d users, loaded %v", obj.users, obj.loaded)
		}
	}
}

// Whatever is the same bytes many times takes no memory each time.
func TestOpenManyTimes(t *testing.T) {
	const most = 100 << 20
	long := strings.Repeat("x", 1<<20)
	for _, c := range []struct {
		what string
		many sameBytes
		want string
	}{
		{"sections", sameBytes{sections: 150, symbols: 150, size: 2 << 20}, "they overlap"},
		{"names of sections", sameBytes{sections: 150, symbols: 1, size: 8, suffix: long}, "the section of section names: its names have more"},
		{"names of symbols", sameBytes{sections: 1, symbols: 150, size: 1 << 10, suffix: long}, "section .symtab: its names have more"},
	} {
		path := filepath.Join(t.TempDir(), "many.o")
		if err := os.WriteFile(path, c.many.image(), 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Open(path, Options{})
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %.200v, want %q", c.what, err, c.want)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > most {
			t.Errorf("%s: it took %d bytes, want %d at most", c.what, took, most)
		}
	}
}

// sameBytes is an object with a program, and with sections of data that are all the same
// bytes.
type sameBytes struct {
	sections, symbols int // of data
	size              int // of each section, in bytes
	suffix            string
}

// image returns the object. Sections and symbols of data have one name, which ends in the
// suffix; each symbol has an equal part of its section.
func (b sameBytes) image() []byte {
	const fixed = 4 // the null section, names, symbols and code ahead of those of data
	names := []byte("\x00socket\x00.symtab\x00.strtab\x00.data.x" + b.suffix + "\x00")
	name := func(s string) uint32 { return uint32(bytes.Index(names, []byte("\x00"+s))) + 1 }
	code := []byte{0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0} // r0 = 0; exit
	symbols := []elf.Sym64{{}, {
		Name: name("socket"), Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC), Shndx: 3, Size: uint64(len(code)),
	}}
	each := b.size / max(1, b.symbols/b.sections)
	for n := range b.symbols {
		symbols = append(symbols, elf.Sym64{
			Name: name(".data.x"), Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_OBJECT), Shndx: uint16(fixed + n%b.sections),
			Value: uint64(n / b.sections * each), Size: uint64(each),
		})
	}
	var body bytes.Buffer // of the file, after the header
	place := func(content any) (offset, length uint64) {
		offset = 64 + uint64(body.Len())
		_ = binary.Write(&body, binary.LittleEndian, content) // to memory, of sizes that are known
		return offset, 64 + uint64(body.Len()) - offset
	}
	namesAt, namesSize := place(names)
	symbolsAt, symbolsSize := place(symbols)
	codeAt, codeSize := place(code)
	dataAt, dataSize := place(make([]byte, b.size))
	headers := []elf.Section64{
		{},
		{Name: name(".strtab"), Type: uint32(elf.SHT_STRTAB), Off: namesAt, Size: namesSize},
		{Name: name(".symtab"), Type: uint32(elf.SHT_SYMTAB), Off: symbolsAt, Size: symbolsSize, Link: 1, Info: 1, Entsize: elf.Sym64Size},
		{Name: name("socket"), Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC | elf.SHF_EXECINSTR), Off: codeAt, Size: codeSize},
	}
	for range b.sections {
		headers = append(headers, elf.Section64{
			Name: name(".data.x"), Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC | elf.SHF_WRITE), Off: dataAt, Size: dataSize,
		})
	}
	headersAt, _ := place(headers)
	header := elf.Header64{
		Type: uint16(elf.ET_REL), Machine: uint16(elf.EM_BPF), Version: uint32(elf.EV_CURRENT),
		Shoff: headersAt, Ehsize: 64, Shentsize: 64, Shnum: uint16(len(headers)), Shstrndx: 1,
	}
	copy(header.Ident[:], "\x7fELF\x02\x01\x01")
	var image bytes.Buffer
	_ = binary.Write(&image, binary.LittleEndian, header)
	return append(image.Bytes(), body.Bytes()...)
}
