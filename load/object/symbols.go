package object

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// lookUpSymbols sets the addresses of the kernel's symbols of those names, and tells
// which there are.
func lookUpSymbols(addresses map[string]uint64) (map[string]bool, error) {
	file, err := os.Open("/proc/kallsyms")
	if err != nil {
		return nil, err
	}
	defer file.Close()

	found := make(map[string]bool)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		// 0000000000000000 T name [module]
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 {
			continue
		}
		before, wanted := addresses[fields[2]]
		if !wanted {
			continue
		}
		address, err := strconv.ParseUint(fields[0], 16, 64)
		if err != nil {
			return nil, fmt.Errorf("/proc/kallsyms: %w", err)
		}
		if found[fields[2]] && before != address {
			return nil, fmt.Errorf("symbol %s: this kernel has several", fields[2])
		}
		addresses[fields[2]], found[fields[2]] = address, true
	}
	return found, lines.Err()
}
