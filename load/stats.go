package load

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/tracer/record"
)

// ErrNoStats is returned for a log without the verifier's statistics.
var ErrNoStats = errors.New("no verifier statistics in the log")

// Stats is the outcome of one load. The loader measures the first four fields; the rest,
// up to ProgSize, is what the verifier wrote into the log. A field that the kernel does not
// write is 0.
type Stats struct {
	// Errno is the error of the load, 0 if the program was accepted.
	Errno unix.Errno
	// Restarts counts how often a signal ended the verification with EAGAIN and the load
	// was repeated. Each is a verification of its own; all other fields are of the last.
	Restarts int
	// Wall is the duration of the system call.
	Wall time.Duration
	// Verified reports whether the load reached the verifier and the verifier wrote its
	// statistics. It is false for a program that the kernel rejects earlier.
	Verified bool

	// VerificationTime is the time that the verifier measured, a multiple of 1 µs.
	VerificationTime time.Duration
	// StackDepth is the stack use in bytes of each function, entry function first.
	StackDepth []int
	// MaxStackDepth is the stack use in bytes of the deepest chain of calls. The kernel
	// rounds each function up. nil before Linux 7.2, which does not write it.
	MaxStackDepth *int
	// Functions are what the verifier says of each function, entry function first; nil
	// before Linux 7.3.
	Functions []record.Function
	// InsnsProcessed counts instructions, each as often as the verifier walked it.
	InsnsProcessed int
	// MaxStatesPerInsn is the longest list of states kept for one instruction.
	MaxStatesPerInsn int
	// TotalStates counts all explored states that the verifier kept at some time.
	TotalStates int
	// PeakStates is the largest number of states kept at one time. From 6.17 it includes
	// the states at the back edges of loops ("bpf: include backedges in peak_states
	// stat"), which TotalStates does not: it can be the larger of the two.
	PeakStates int
	// MarkRead is the longest walk over parent states that marked a register read.
	// From 6.18, which does not mark states that way, it is 0.
	MarkRead int

	// ProgSize is the number of instructions that were loaded, which veristat calls
	// prog_size; ProgSizeJited is what the kernel compiled them to, in bytes: 0 if the
	// program was rejected or not compiled.
	ProgSize, ProgSizeJited int
	// Inputs is what the loader asked for; nil of a log that was parsed alone.
	Inputs *record.Inputs
	// Counters are those of the loading thread during bpf(2), by the names of
	// record.Sample.Counters; nil without Options.Counters.
	Counters map[string]record.Counter
	// Log is the verifier's log, if Options.LogLevel asked for more than statistics or the
	// program was rejected.
	Log string
	// LogCut reports whether the verifier wrote more than Log has: it did not fit the
	// buffer, and either the beginning or the end is missing.
	LogCut bool
}

// Stack returns the sum of StackDepth in bytes, as veristat shows it. Functions called one
// after the other are both in it, though they never use the stack at the same time: see
// MaxStackDepth.
func (s *Stats) Stack() int {
	sum := 0
	for _, depth := range s.StackDepth {
		sum += depth
	}
	return sum
}

// ParseStats reads the statistics from a verifier log. They are its last lines:
//
//	verification time 25231 usec
//	stack depth 0+16
//	processed 4001 insns (limit 1000000) max_states_per_insn 1 total_states 874 peak_states 874 mark_read 1
//
// Linux 7.2 adds the deepest sum to the second line, and another line; 7.3 writes a line
// for each function:
//
//	stack depth max 16
//	subprog 0 (entry) main insns_self 12 insns_total 150 stack 0
//	subprog 1 (other) static insns_self 28 insns_total 138 stack 16
//
// ParseStats skips lines and keys that it does not know, because newer kernels add some.
// It returns [ErrNoStats] if the log has no processed line, and another error if a number
// is malformed.
func ParseStats(log string) (Stats, error) {
	var s Stats
	for line := range strings.Lines(log) {
		if err := s.parseLine(strings.Fields(line)); err != nil {
			return Stats{}, fmt.Errorf("verifier statistics %q: %w", strings.TrimSpace(line), err)
		}
	}
	if !s.Verified {
		return Stats{}, ErrNoStats
	}
	return s, nil
}

func (s *Stats) parseLine(words []string) error {
	if len(words) < 3 {
		return nil
	}
	switch {
	case words[0] == "verification" && words[1] == "time":
		usec, err := parseNumber(words[2])
		s.VerificationTime = time.Duration(usec) * time.Microsecond
		return err
	case words[0] == "stack" && words[1] == "depth":
		return s.parseDepths(words[2:])
	case words[0] == "subprog" && slices.Contains(words, "insns_self"):
		return s.parseFunction(words)
	case words[0] == "processed" && words[2] == "insns":
		s.Verified = true
		return readKeys(words, map[string]*int{
			"processed":           &s.InsnsProcessed,
			"max_states_per_insn": &s.MaxStatesPerInsn,
			"total_states":        &s.TotalStates,
			"peak_states":         &s.PeakStates,
			"mark_read":           &s.MarkRead,
		})
	}
	return nil
}

// parseFunction reads the line of a function: its number, its name in parentheses, its kind
// and what was counted.
func (s *Stats) parseFunction(words []string) error {
	if len(words) < 4 {
		return nil
	}
	f := record.Function{Name: strings.Trim(words[2], "()"), Kind: words[3]}
	if f.Name == "<unknown>" {
		f.Name = ""
	}
	var self, total, depth int
	err := readKeys(words[4:], map[string]*int{"insns_self": &self, "insns_total": &total, "stack": &depth})
	f.InsnsSelf, f.InsnsTotal, f.StackDepth = uint64(self), uint64(total), uint64(depth)
	s.Functions = append(s.Functions, f)
	s.StackDepth = append(s.StackDepth, depth)
	return err
}

// parseDepths reads the depths of all functions, separated by plus signs, and the deepest
// chain of calls: "0+16 max 24", either part alone too.
func (s *Stats) parseDepths(words []string) error {
	if i := slices.Index(words, "max"); i >= 0 && i+1 < len(words) {
		deepest, err := parseNumber(words[i+1])
		if err != nil {
			return err
		}
		s.MaxStackDepth = &deepest
		if i == 0 {
			return nil
		}
	}
	s.StackDepth, s.Functions = nil, nil
	for depth := range strings.SplitSeq(words[0], "+") {
		n, err := parseNumber(depth)
		if err != nil {
			return err
		}
		s.StackDepth = append(s.StackDepth, n)
	}
	return nil
}

// readKeys reads the numbers that follow the keys among the words.
func readKeys(words []string, numbers map[string]*int) error {
	for i, key := range words[:max(0, len(words)-1)] {
		number := numbers[key]
		if number == nil {
			continue
		}
		n, err := parseNumber(words[i+1])
		if err != nil {
			return err
		}
		*number = n
	}
	return nil
}

// parseNumber reads a number of at most 53 bits: as microseconds it still fits
// into a time.Duration.
func parseNumber(word string) (int, error) {
	n, err := strconv.ParseUint(word, 10, 53)
	return int(n), err
}
