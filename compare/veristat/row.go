package veristat

import (
	"fmt"
	"strconv"
	"strings"
)

// A Row is one program.
type Row struct {
	File, Prog string // File is a base name where veristat wrote it

	numbers [statCount]int64
	present [statCount]bool
}

// A Value is what a row has for a stat.
type Value struct {
	Text   string // as veristat prints it
	Number int64  // what sorting and filtering go by; 0 of a key
}

// Value returns the row's value, and false if it was given none. The value is then
// that of 0, as veristat has it.
func (r *Row) Value(s Stat) (Value, bool) {
	switch s {
	case FileName:
		return Value{Text: r.File}, true
	case ProgName:
		return Value{Text: r.Prog}, true
	}
	return Value{r.text(s), r.numbers[s]}, r.present[s]
}

// Set gives the row a number for a stat that is no key.
func (r *Row) Set(s Stat, number int64) {
	r.numbers[s], r.present[s] = number, true
}

func (r *Row) text(s Stat) string {
	number := r.numbers[s]
	switch s {
	case FileName:
		return r.File
	case ProgName:
		return r.Prog
	case Verdict:
		if number == 0 {
			return "failure"
		}
		return "success"
	case ProgType:
		return typeName(progTypes, number)
	case AttachType:
		return typeName(attachTypes, number)
	default:
		return strconv.FormatInt(number, 10)
	}
}

// parse gives the row the value that text stands for in CSV.
func (r *Row) parse(s Stat, text string) error {
	switch s {
	case FileName:
		r.File = parseName(text)
	case ProgName:
		r.Prog = parseName(text)
	case Verdict:
		if text != "success" && text != "failure" {
			return fmt.Errorf("%s is %q: want success or failure", s, text)
		}
		r.Set(s, words[text])
	case ProgType:
		return r.parseType(s, progTypes, text)
	case AttachType:
		return r.parseType(s, attachTypes, text)
	default:
		number, err := strconv.ParseInt(strings.Trim(text, cSpace), 10, 64)
		if err != nil {
			return fmt.Errorf("%s is %q: want an integer of 64 bits", s, text)
		}
		if number < 0 && (s != MemPeak || number != notMeasured) {
			return fmt.Errorf("%s is %d: less than 0", s, number)
		}
		r.Set(s, number)
	}
	return nil
}

// notMeasured is the peak memory where there is no cgroup to ask.
const notMeasured = -1

func (r *Row) parseType(s Stat, names []string, text string) error {
	number, ok := typeNumber(names, text)
	if !ok && text != notAvailable {
		return fmt.Errorf("%s is %q: libbpf 1.7 knows no such type", s, text)
	}
	r.Set(s, number)
	return nil
}

// compareKeys orders rows by file and program.
func compareKeys(a, b *Row) int {
	if c := strings.Compare(a.File, b.File); c != 0 {
		return c
	}
	return strings.Compare(a.Prog, b.Prog)
}
