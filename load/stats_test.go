package load

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/verialloc/verialloc/tracer/record"
)

func TestParseStats(t *testing.T) {
	for _, tt := range []struct {
		name string
		log  string
		want Stats
	}{
		{
			name: "accepted",
			log: "verification time 25231 usec\n" +
				"stack depth 0\n" +
				"processed 4001 insns (limit 1000000) max_states_per_insn 1 total_states 874 peak_states 873 mark_read 2\n",
			want: Stats{
				Verified:         true,
				VerificationTime: 25231 * time.Microsecond,
				StackDepth:       []int{0},
				InsnsProcessed:   4001,
				MaxStatesPerInsn: 1,
				TotalStates:      874,
				PeakStates:       873,
				MarkRead:         2,
			},
		},
		{
			name: "rejected",
			log: "invalid bpf_context access off=4096 size=4\n" +
				"verification time 12 usec\n" +
				"stack depth 16+0+512\n" +
				"processed 3 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n",
			want: Stats{
				Verified:         true,
				VerificationTime: 12 * time.Microsecond,
				StackDepth:       []int{16, 0, 512},
				InsnsProcessed:   3,
			},
		},
		{
			name: "7.2",
			log: "verification time 9602 usec\n" +
				"stack depth 0+16+8 max 24\n" +
				"insns processed 6+150+146\n" +
				"processed 302 insns (limit 1000000) max_states_per_insn 1 total_states 35 peak_states 35 mark_read 0\n",
			want: Stats{
				Verified:         true,
				VerificationTime: 9602 * time.Microsecond,
				StackDepth:       []int{0, 16, 8},
				MaxStackDepth:    new(24),
				InsnsProcessed:   302,
				MaxStatesPerInsn: 1,
				TotalStates:      35,
				PeakStates:       35,
			},
		},
		{
			name: "7.3",
			log: "verification time 34983 usec\n" +
				"stack depth max 24\n" +
				"subprog 0 (<unknown>) main insns_self 12 insns_total 150 stack 8\n" +
				"subprog 1 (stack) static insns_self 138 insns_total 138 stack 16\n" +
				"processed 150 insns (limit 1000000) max_states_per_insn 3 total_states 16 peak_states 16 mark_read 0\n",
			want: Stats{
				Verified:         true,
				VerificationTime: 34983 * time.Microsecond,
				StackDepth:       []int{8, 16},
				MaxStackDepth:    new(24),
				Functions: []record.Function{
					{Kind: "main", InsnsSelf: 12, InsnsTotal: 150, StackDepth: 8},
					{Name: "stack", Kind: "static", InsnsSelf: 138, InsnsTotal: 138, StackDepth: 16},
				},
				InsnsProcessed:   150,
				MaxStatesPerInsn: 3,
				TotalStates:      16,
				PeakStates:       16,
			},
		},
		{
			name: "more and fewer fields",
			log: "stack depth 8\n" +
				"live regs 12 blocks\n" +
				"processed 7 insns (limit 1000000) new_key 5 peak_states 2 total_states 3 flag",
			want: Stats{Verified: true, StackDepth: []int{8}, InsnsProcessed: 7, TotalStates: 3, PeakStates: 2},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseStats(tt.log)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestParseStatsMissing(t *testing.T) {
	for _, log := range []string{
		"",
		"\n",
		"processed",
		"processed 5 bytes",
		"verification time",
		"verification time 5 usec\nstack depth 0\n",
	} {
		if _, err := ParseStats(log); !errors.Is(err, ErrNoStats) {
			t.Errorf("%q: error %v, want %v", log, err, ErrNoStats)
		}
	}
}

func TestParseStatsMalformed(t *testing.T) {
	for _, log := range []string{
		"verification time soon usec",
		"verification time 18446744073709551615 usec",
		"stack depth 1+",
		"stack depth 1 max x",
		"stack depth max -1",
		"processed x insns",
		"processed 1 insns total_states -1",
	} {
		if stats, err := ParseStats(log); err == nil || errors.Is(err, ErrNoStats) {
			t.Errorf("%q: %+v, error %v, want a number's", log, stats, err)
		}
	}
}

// FuzzParseStats checks that what was parsed, written as the verifier writes it,
// is parsed to the same.
func FuzzParseStats(f *testing.F) {
	f.Add("verification time 25231 usec\nstack depth 0+8\nprocessed 4001 insns (limit 1000000) " +
		"max_states_per_insn 1 total_states 874 peak_states 874 mark_read 1\n")
	f.Add("subprog 0 (f) main insns_self 1 insns_total 2 stack 8\nprocessed 7 insns total_states")
	f.Fuzz(func(t *testing.T, log string) {
		stats, err := ParseStats(log)
		if err != nil {
			return
		}
		again, err := ParseStats(formatStats(stats))
		if err != nil || !reflect.DeepEqual(again, stats) {
			t.Errorf("%q: parsed %+v, then %+v, %v", log, stats, again, err)
		}
	})
}

// formatStats writes the statistics as the verifier does.
func formatStats(s Stats) string {
	var b strings.Builder
	fmt.Fprintf(&b, "verification time %d usec\n", s.VerificationTime.Microseconds())
	list := s.StackDepth[:len(s.StackDepth)-len(s.Functions)]
	if len(list) > 0 || s.MaxStackDepth != nil {
		b.WriteString("stack depth")
	}
	for i, depth := range list {
		b.WriteString([]string{" ", "+"}[min(i, 1)])
		fmt.Fprint(&b, depth)
	}
	if s.MaxStackDepth != nil {
		fmt.Fprintf(&b, " max %d", *s.MaxStackDepth)
	}
	for i, f := range s.Functions {
		fmt.Fprintf(&b, "\nsubprog %d (%s) %s insns_self %d insns_total %d stack %d", i, cmp.Or(f.Name, "<unknown>"), f.Kind, f.InsnsSelf, f.InsnsTotal, f.StackDepth)
	}
	fmt.Fprintf(&b, "\nprocessed %d insns (limit 1000000) max_states_per_insn %d total_states %d peak_states %d mark_read %d\n",
		s.InsnsProcessed, s.MaxStatesPerInsn, s.TotalStates, s.PeakStates, s.MarkRead)
	return b.String()
}
