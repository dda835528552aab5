package tracer

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// symbolTable holds the kernel's text symbols, ordered by address. There are some
// hundred thousand: their names lie in one piece of memory.
type symbolTable struct {
	addresses []uint64
	starts    []uint32 // of the names, in names
	names     []byte   // each with a zero before and after it
	variables []string // those of perCPUVariables that the kernel can name
}

// What a distribution's kernel has at most: growing the table piece by piece leaves
// three times as much behind, at the time when this process is largest.
const (
	usualSymbols = 1 << 17
	usualName    = 32 // bytes
)

func readSymbols() (*symbolTable, error) {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return nil, fmt.Errorf("read kernel symbols: %w", err)
	}
	defer f.Close()
	return parseSymbols(f)
}

// parseSymbols reads the form of /proc/kallsyms: address, type and name, and a
// module in brackets. Only text of the kernel proper is kept: the verifier and
// the allocators are not modules. Addresses that are all zero are hidden
// (kernel.kptr_restrict): the table then has names but nothing resolves.
func parseSymbols(r io.Reader) (*symbolTable, error) {
	t := &symbolTable{
		addresses: make([]uint64, 0, usualSymbols),
		starts:    make([]uint32, 0, usualSymbols),
		names:     make([]byte, 1, usualSymbols*usualName),
	}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if err := t.parseLine(lines.Bytes()); err != nil {
			return nil, err
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read kernel symbols: %w", err)
	}
	// The kernel's own order is that of the addresses, mostly.
	sort.Stable(byAddress{t})
	return t, nil
}

func (t *symbolTable) parseLine(line []byte) error {
	digits, rest, ok := bytes.Cut(line, []byte{' '})
	if !ok || len(rest) < 3 || rest[1] != ' ' || bytes.IndexByte(rest, 0) >= 0 {
		return fmt.Errorf("read kernel symbols: malformed line %q", line)
	}
	kind, name := rest[0], rest[2:]
	switch {
	case bytes.IndexByte(name, '\t') >= 0:
		return nil
	case !bytes.ContainsRune([]byte("tTwW"), rune(kind)):
		if slices.Contains(perCPUVariables, string(name)) {
			t.variables = append(t.variables, string(name))
		}
		return nil
	}
	address, err := strconv.ParseUint(string(digits), 16, 64)
	if err != nil {
		return fmt.Errorf("read kernel symbols: malformed line %q", line)
	}
	t.addresses = append(t.addresses, address)
	t.starts = append(t.starts, uint32(len(t.names)))
	t.names = append(append(t.names, name...), 0)
	return nil
}

// byAddress sorts a table.
type byAddress struct{ *symbolTable }

func (t byAddress) Len() int           { return len(t.addresses) }
func (t byAddress) Less(i, j int) bool { return t.addresses[i] < t.addresses[j] }

func (t byAddress) Swap(i, j int) {
	t.addresses[i], t.addresses[j] = t.addresses[j], t.addresses[i]
	t.starts[i], t.starts[j] = t.starts[j], t.starts[i]
}

func (t *symbolTable) name(i int) string {
	name, _, _ := bytes.Cut(t.names[t.starts[i]:], []byte{0})
	return string(name)
}

// hidden tells that the kernel does not show addresses to this process.
func (t *symbolTable) hidden() bool {
	return len(t.addresses) == 0 || t.addresses[len(t.addresses)-1] == 0
}

func (t *symbolTable) has(name string) bool {
	return bytes.Contains(t.names, []byte("\x00"+name+"\x00"))
}

// variant returns the symbol of a function that the compiler may have renamed
// (.isra.0, .constprop.0), or "". Its cold part is not it.
func (t *symbolTable) variant(name string) string {
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

// Symbol implements assemble.Symbols. A call site is a return address, which a
// call at the very end of a function puts into the next one: hence the byte
// before it is looked up, and the offset is still the return address's.
func (t *symbolTable) Symbol(address uint64) (string, uint64) {
	i := sort.Search(len(t.addresses), func(i int) bool { return t.addresses[i] >= address }) - 1
	// The last symbol's end is not known: beyond lie modules and programs.
	if i < 0 || i == len(t.addresses)-1 || t.hidden() {
		return "", 0
	}
	return t.name(i), address - t.addresses[i]
}
