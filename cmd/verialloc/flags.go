package main

import (
	"fmt"
	"math/bits"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/verialloc/verialloc/kernel"
	"github.com/verialloc/verialloc/tracer"
	"github.com/verialloc/verialloc/tracer/record"
)

// choice is a flag whose value is one of a few words.
type choice struct {
	value string
	of    []string
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.of, "|") }

func (c *choice) Set(text string) error {
	if !slices.Contains(c.of, text) {
		return fmt.Errorf("want %s", strings.Join(c.of, ", "))
	}
	c.value = text
	return nil
}

// dimensions is a flag that takes a list, and adds up when it is repeated.
type dimensions []*record.Dimension

func (d *dimensions) String() string {
	words := make([]string, len(*d))
	for i, by := range *d {
		words[i] = by.Name
	}
	return strings.Join(words, ",")
}

func (d *dimensions) Type() string { return strings.Join(record.DimensionNames(), "|") }

// dimensionTitles lists what loads can be grouped by.
func dimensionTitles() string {
	var b strings.Builder
	for i, d := range record.Dimensions {
		switch {
		case i == len(record.Dimensions)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(d.Title)
	}
	return b.String()
}

func (d *dimensions) Set(text string) error {
	for word := range strings.SplitSeq(text, ",") {
		by := record.DimensionNamed(word)
		if by == nil {
			return fmt.Errorf("want a list of %s", strings.Join(record.DimensionNames(), ", "))
		}
		if !slices.Contains(*d, by) {
			*d = append(*d, by)
		}
	}
	return nil
}

// number is a flag with a number from 1 up.
type number struct {
	value int
	want  string // what it has to be
}

func (n *number) String() string { return strconv.Itoa(n.value) }
func (n *number) Type() string   { return "N" }

func (n *number) Set(text string) error {
	value, err := strconv.Atoi(text)
	if err != nil || value < 1 {
		return fmt.Errorf("want %s", n.want)
	}
	n.value = value
	return nil
}

// natural is a flag with a number from 0 up.
type natural int

func (n *natural) String() string { return strconv.Itoa(int(*n)) }
func (n *natural) Type() string   { return "N" }

func (n *natural) Set(text string) error {
	value, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return fmt.Errorf("want a number from 0 up")
	}
	*n = natural(value)
	return nil
}

// cpuList is a flag with CPUs.
type cpuList []int

func (l *cpuList) Type() string { return "LIST" }

func (l *cpuList) String() string {
	words := make([]string, len(*l))
	for i, cpu := range *l {
		words[i] = strconv.Itoa(cpu)
	}
	return strings.Join(words, ",")
}

func (l *cpuList) Set(text string) (err error) {
	*l, err = kernel.ParseCPUs(text)
	return err
}

// seedBits is what a whole number has on which all readers of JSON agree.
const seedBits = 53

// seed is a flag with the seed of an order.
type seed struct {
	value uint64
	given bool
}

func (s *seed) Type() string { return "N" }

func (s *seed) String() string {
	if !s.given {
		return ""
	}
	return strconv.FormatUint(s.value, 10)
}

func (s *seed) Set(text string) error {
	value, err := strconv.ParseUint(text, 10, seedBits)
	if err != nil {
		return fmt.Errorf("want a number from 0 to %d", uint64(1)<<seedBits-1)
	}
	s.value, s.given = value, true
	return nil
}

// ringAuto leaves the size of the ring buffer to the tracer.
const ringAuto = "auto"

// ringSize is a flag with the size of a ring buffer in bytes; the kernel takes
// powers of two that are whole pages. 0 is ringAuto.
type ringSize int

func (r *ringSize) Type() string { return "SIZE" }

func (r *ringSize) grows() bool { return *r == 0 }

func (r *ringSize) String() string {
	switch n := int(*r); {
	case r.grows():
		return ringAuto
	case n >= 1<<20 && n%(1<<20) == 0:
		return strconv.Itoa(n>>20) + "M"
	case n >= 1<<10 && n%(1<<10) == 0:
		return strconv.Itoa(n>>10) + "K"
	default:
		return strconv.Itoa(n)
	}
}

func (r *ringSize) Set(text string) error {
	if text == ringAuto {
		*r = 0
		return nil
	}
	digits, shift := text, 0
	for unit, by := range map[string]int{"K": 10, "M": 20, "G": 30} {
		if rest, ok := strings.CutSuffix(text, unit); ok {
			digits, shift = rest, by
		}
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil {
		return fmt.Errorf("want auto, bytes, or a number with K, M or G such as 32M")
	}
	n <<= shift
	if page := uint64(os.Getpagesize()); bits.OnesCount64(n) != 1 || n < page || n > tracer.MaxRingBytes {
		return fmt.Errorf("want a power of two from %d to 1G", page)
	}
	*r = ringSize(n)
	return nil
}
