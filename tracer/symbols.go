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

// symbolTable holds the kernel's text symbols, ordered by address.
type symbolTable struct {
	addresses []uint64
	names     []string
	variables []string // those of perCPUVariables that the kernel can name
}

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
	type symbol struct {
		address uint64
		name    string
	}
	var symbols []symbol
	t := &symbolTable{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Bytes()
		fields := bytes.SplitN(line, []byte{' '}, 3)
		if len(fields) != 3 || len(fields[1]) != 1 {
			return nil, fmt.Errorf("read kernel symbols: malformed line %q", line)
		}
		if bytes.IndexByte(fields[2], '\t') >= 0 {
			continue
		}
		if !bytes.Contains([]byte("tTwW"), fields[1]) {
			if slices.Contains(perCPUVariables, string(fields[2])) {
				t.variables = append(t.variables, string(fields[2]))
			}
			continue
		}
		address, err := strconv.ParseUint(string(fields[0]), 16, 64)
		if err != nil {
			return nil, fmt.Errorf("read kernel symbols: malformed line %q", line)
		}
		symbols = append(symbols, symbol{address, string(fields[2])})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read kernel symbols: %w", err)
	}
	slices.SortStableFunc(symbols, func(a, b symbol) int {
		if a.address < b.address {
			return -1
		}
		if a.address > b.address {
			return 1
		}
		return 0
	})
	for _, s := range symbols {
		t.addresses = append(t.addresses, s.address)
		t.names = append(t.names, s.name)
	}
	return t, nil
}

// hidden tells that the kernel does not show addresses to this process.
func (t *symbolTable) hidden() bool {
	return len(t.addresses) == 0 || t.addresses[len(t.addresses)-1] == 0
}

func (t *symbolTable) has(name string) bool { return slices.Contains(t.names, name) }

// variant returns the symbol of a function that the compiler may have renamed
// (.isra.0, .constprop.0), or "". Its cold part is not it.
func (t *symbolTable) variant(name string) string {
	for _, s := range t.names {
		base, suffix, _ := strings.Cut(s, ".")
		if base == name && !strings.HasPrefix(suffix, "cold") {
			return s
		}
	}
	return ""
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
	return t.names[i], address - t.addresses[i]
}
