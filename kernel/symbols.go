package kernel

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/internal/input"
)

// ErrHidden is why addresses are unknown where /proc/kallsyms shows names alone: it takes
// CAP_SYSLOG, and kernel.kptr_restrict below 2.
var ErrHidden = errors.New("/proc/kallsyms hides addresses from who lacks CAP_SYSLOG (kernel.kptr_restrict, kernel.perf_event_paranoid)")

// errSeveral is why a name alone has no address.
var errSeveral = errors.New("this kernel has several")

// Symbols holds the text symbols of the kernel proper, ordered by address. There are some
// hundred thousand: their names lie in one piece of memory. It may be used by several
// goroutines.
type Symbols struct {
	addresses []uint64
	starts    []uint32 // of the names, in names
	names     []byte   // each with a zero before and after it
	variables []string // those of perCPUVariables that the kernel can name
}

// What a distribution's kernel has at most: growing the table piece by piece leaves
// three times as much behind, at the time when a tracer is largest.
const (
	usualSymbols = 1 << 17
	usualName    = 32 // bytes
)

// ReadSymbols reads /proc/kallsyms.
func ReadSymbols() (*Symbols, error) {
	f, err := input.Kernel.Open("/proc/kallsyms")
	if err != nil {
		return nil, fmt.Errorf("read kernel symbols: %w", err)
	}
	defer f.Close()
	return ParseSymbols(f)
}

// ParseSymbols reads the form of /proc/kallsyms. It keeps only text of the kernel proper:
// the verifier and the allocators are not modules. Addresses that are all zero are hidden:
// the table then has names but nothing resolves.
func ParseSymbols(r io.Reader) (*Symbols, error) {
	t := &Symbols{
		addresses: make([]uint64, 0, usualSymbols),
		starts:    make([]uint32, 0, usualSymbols),
		names:     make([]byte, 1, usualSymbols*usualName),
	}
	if err := eachSymbol(r, t.add); err != nil {
		return nil, err
	}
	// The kernel's own order is that of the addresses, mostly.
	sort.Stable(byAddress{t})
	return t, nil
}

func (t *Symbols) add(s *symbol) {
	switch {
	case len(s.module) > 0:
	case s.isText():
		t.addresses = append(t.addresses, s.address)
		t.starts = append(t.starts, uint32(len(t.names)))
		t.names = append(append(t.names, s.name...), 0)
	case slices.Contains(perCPUVariables, string(s.name)):
		t.variables = append(t.variables, string(s.name))
	}
}

// symbol is one line of /proc/kallsyms. Its slices are good until the next line.
type symbol struct {
	address uint64
	kind    byte // as nm(1) has it: T and t are text, W and w are weak text
	name    []byte
	module  []byte // in brackets; empty: the kernel proper
}

func (s *symbol) isText() bool { return bytes.IndexByte([]byte("tTwW"), s.kind) >= 0 }

// eachSymbol calls visit with each line of the form of /proc/kallsyms: address, type and
// name, and after a tab a module in brackets.
func eachSymbol(r io.Reader, visit func(*symbol)) error {
	lines := bufio.NewScanner(r)
	var s symbol
	for lines.Scan() {
		if err := s.parse(lines.Bytes()); err != nil {
			return err
		}
		visit(&s)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read kernel symbols: %w", err)
	}
	return nil
}

func (s *symbol) parse(line []byte) error {
	digits, rest, ok := bytes.Cut(line, []byte{' '})
	if !ok || len(rest) < 3 || rest[1] != ' ' || bytes.IndexByte(rest, 0) >= 0 {
		return fmt.Errorf("read kernel symbols: malformed line %q", line)
	}
	var err error
	if s.address, err = strconv.ParseUint(string(digits), 16, 64); err != nil {
		return fmt.Errorf("read kernel symbols: malformed line %q", line)
	}
	s.kind = rest[0]
	s.name, s.module, _ = bytes.Cut(rest[2:], []byte{'\t'})
	return nil
}

// FindSymbols looks up the addresses of symbols of any kind, modules' included. An address
// is unknown if the kernel hides it (ErrHidden) or has several symbols of that name.
func FindSymbols(names ...string) (map[string]Fact[uint64], error) {
	f, err := input.Kernel.Open("/proc/kallsyms")
	if err != nil {
		return nil, fmt.Errorf("read kernel symbols: %w", err)
	}
	defer f.Close()
	return findSymbols(f, names)
}

func findSymbols(r io.Reader, names []string) (map[string]Fact[uint64], error) {
	found := make(map[string]Fact[uint64], len(names))
	for _, name := range names {
		found[name] = Absent[uint64](errors.New("this kernel has none"))
	}
	shown := false
	err := eachSymbol(r, func(s *symbol) {
		shown = shown || s.address != 0
		before, wanted := found[string(s.name)]
		if !wanted {
			return
		}
		switch address, ok := before.Get(); {
		case before.IsAbsent():
			found[string(s.name)] = Known(s.address)
		case ok && address != s.address:
			found[string(s.name)] = Unknown[uint64](errSeveral)
		}
	})
	if err != nil {
		return nil, err
	}
	for name, fact := range found {
		if !shown && fact.IsKnown() {
			found[name] = Unknown[uint64](ErrHidden)
		}
	}
	return found, nil
}

// byAddress sorts a table.
type byAddress struct{ *Symbols }

func (t byAddress) Len() int           { return len(t.addresses) }
func (t byAddress) Less(i, j int) bool { return t.addresses[i] < t.addresses[j] }

func (t byAddress) Swap(i, j int) {
	t.addresses[i], t.addresses[j] = t.addresses[j], t.addresses[i]
	t.starts[i], t.starts[j] = t.starts[j], t.starts[i]
}

func (t *Symbols) name(i int) string {
	name, _, _ := bytes.Cut(t.names[t.starts[i]:], []byte{0})
	return string(name)
}

// Hidden reports whether the kernel does not show addresses to this process.
func (t *Symbols) Hidden() bool {
	return len(t.addresses) == 0 || t.addresses[len(t.addresses)-1] == 0
}

// Has reports whether the kernel has a function of this name. Its address may be hidden.
func (t *Symbols) Has(name string) bool {
	return bytes.Contains(t.names, []byte("\x00"+name+"\x00"))
}

// Address returns the address of a function. It is unknown if the kernel hides it
// (ErrHidden) or has several functions of that name.
func (t *Symbols) Address(name string) Fact[uint64] {
	symbol := []byte("\x00" + name + "\x00")
	first := bytes.Index(t.names, symbol)
	switch {
	case first < 0:
		return Absent[uint64](errors.New("this kernel has none"))
	case first != bytes.LastIndex(t.names, symbol):
		return Unknown[uint64](errSeveral)
	case t.Hidden():
		return Unknown[uint64](ErrHidden)
	}
	return Known(t.addresses[slices.Index(t.starts, uint32(first+1))])
}

// Variant returns the symbol of a function that the compiler may have renamed
// (.isra.0, .constprop.0), or "". It never returns the function's cold part.
func (t *Symbols) Variant(name string) string {
	for rest := t.names; ; {
		i := bytes.Index(rest, []byte("\x00"+name))
		if i < 0 {
			return ""
		}
		rest = rest[i+1:]
		symbol, _, _ := bytes.Cut(rest, []byte{0})
		base, suffix, _ := strings.Cut(string(symbol), ".")
		if base == name && !strings.HasPrefix(suffix, "cold") {
			return string(symbol)
		}
	}
}

// Symbol returns the function that a call site lies in, and its offset there; an empty
// name if that is not known. A call site is a return address, which a call at the very end
// of a function puts into the next one: hence the byte before it is looked up, and the
// offset is still the return address's.
func (t *Symbols) Symbol(address uint64) (name string, offset uint64) {
	i := sort.Search(len(t.addresses), func(i int) bool { return t.addresses[i] >= address }) - 1
	// The last symbol's end is not known: beyond lie modules and programs.
	if i < 0 || i == len(t.addresses)-1 || t.Hidden() {
		return "", 0
	}
	return t.name(i), address - t.addresses[i]
}
