package verifierlog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// entry is a log of a program that a kernel rejected, and the verifier's words.
type entry struct {
	name string // kernel, program and level
	want string
	log  string
}

// readLogs reads testdata. Its files, one for each kernel, are what
//
//	scripts/live.sh KERNEL --fetch-file /tmp/logs:tracer/record/verifierlog/testdata/KERNEL.txt \
//		-- load/generate:TestLiveReason -- -logs /tmp/logs
//
// writes, which compares the words with those that it expects of each program.
func readLogs(t testing.TB) []entry {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata has no logs: %v", err)
	}
	var entries []entry
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		kernel := strings.TrimSuffix(filepath.Base(file), ".txt")
		for section := range strings.SplitSeq(strings.TrimPrefix(string(data), "== "), "\n== ") {
			head, log, _ := strings.Cut(section, "\n")
			name, want, ok := strings.Cut(head, ": ")
			if !ok {
				t.Fatalf("%s: %q is no head of a log", file, head)
			}
			entries = append(entries, entry{kernel + ", " + name, want, strings.TrimSuffix(log, "\n") + "\n"})
		}
	}
	return entries
}

func TestReason(t *testing.T) {
	for _, e := range readLogs(t) {
		if got := Reason(e.log, false); got != e.want {
			t.Errorf("%s: %q, want %q", e.name, got, e.want)
		}
	}
}

// A loader that wants no statistics gets the last line of them alone.
func TestReasonWithoutStatistics(t *testing.T) {
	for _, e := range readLogs(t) {
		var b strings.Builder
		for line := range strings.Lines(e.log) {
			if !isStatistic(line) || strings.HasPrefix(line, "processed ") {
				b.WriteString(line)
			}
		}
		if got := Reason(b.String(), false); got != e.want {
			t.Errorf("%s: %q, want %q", e.name, got, e.want)
		}
	}
}

// Whatever is missing of a log, Reason gives the words or nothing; and the words, where what
// is left has them and what shows that they are whole and the last.
func TestReasonOfPart(t *testing.T) {
	for _, e := range readLogs(t) {
		words := strings.Index(e.log, strings.ReplaceAll(e.want, "; ", "\n"))
		for n := range len(e.log) {
			begin, end := e.log[:n], e.log[n:]
			for _, part := range []struct {
				name, text string
				has        bool // words and proof
			}{
				{"the first", begin, words >= 0 && strings.Contains(begin[min(words, n):], "\nverification") && !strings.Contains(e.log, reportHead)},
				{"the first", begin, strings.HasSuffix(begin, "\nprocessed")},
				{"the last", end, words > n && e.log[words-1] == '\n'},
			} {
				got := Reason(part.text, part.name == "the last")
				if part.has && got != e.want || !saysOf(got, e) {
					t.Fatalf("%s: %q of %s %d bytes, want %q:\n%s", e.name, got, part.name, len(part.text), e.want, part.text)
				}
			}
		}
	}
}

// saysOf reports whether a reason is nothing, some of the lines that it has to be, or the
// problem of the log's report.
func saysOf(reason string, e entry) bool {
	return reason == "" || strings.Contains("; "+e.want+"; ", "; "+reason+"; ") ||
		strings.Contains(e.log, "\n"+reportHead+reason+"\n")
}

// Where the verifier says nothing of a rejection, a line of something else is not its reason.
func TestReasonUnknown(t *testing.T) {
	for _, e := range readLogs(t) {
		if strings.Contains(e.log, "infinite loop") {
			continue // its words may stand in the line of an instruction
		}
		var b strings.Builder
		report := false
		for line := range strings.Lines(e.log) {
			report = !isStatistic(line) && (report || strings.HasPrefix(line, reportHead))
			if !report && !strings.Contains("; "+e.want+"; ", "; "+strings.TrimSuffix(line, "\n")+"; ") {
				b.WriteString(line)
			}
		}
		if got := Reason(b.String(), false); got != "" {
			t.Errorf("%s: %q without the words:\n%s", e.name, got, b.String())
		}
	}
}

func TestReasonForms(t *testing.T) {
	const statistics = "verification time 5 usec\nstack depth 0\nprocessed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n"
	for _, tt := range []struct {
		name, log string
		cut       bool
		want      string
	}{
		{"nothing", "", false, ""},
		{"refused ahead of the verifier", "\n", false, ""},
		{"accepted", "0: R1=ctx() R10=fp0\n0: (95) exit\n" + statistics, false, ""},
		{"no newline at the end", strings.TrimSuffix("R0 !read_ok\n"+statistics, "\n"), false, "R0 !read_ok"},
		{"words without a newline", "insn 3 cannot call exception cb directly" + statistics, false, "insn 3 cannot call exception cb directly"},
		{"and without statistics", "insn 3 cannot call exception cb directlyprocessed 1 insns (limit 1000000) max_states_per_insn 0\n", false, "insn 3 cannot call exception cb directly"},
		{"half of the words", "d_ok\n" + statistics, true, ""},
		{"the second line of two", "ess to packet, off=0\nR2 offset is outside of the packet\n" + statistics, true, "R2 offset is outside of the packet"},
		{"three lines", "invalid access to memory, mem_size=4 off=4 size=4\nR1 min value is outside of the allowed memory range\narg#0 arg#1 memory, len pair leads to invalid memory access\n" + statistics, false, "invalid access to memory, mem_size=4 off=4 size=4; R1 min value is outside of the allowed memory range; arg#0 arg#1 memory, len pair leads to invalid memory access"},
		{"no end", "R0 !read_ok\n", false, ""},
		{"cut in the statistics", "R0 !read_ok\nverific", false, "R0 !read_ok"},
		{"cut too early to know", "R0 !read_ok\nverifi", false, ""},
		{"cut in the head of a report", "R0 !read_ok\n\nVerificat", false, "R0 !read_ok"},
		{"cut in a report", "R0 !read_ok\n\nVerification failed: Policy: No\n\nReason:\n  R0 ha", false, "R0 !read_ok"},
		{"words lost ahead of a report", "ok\n\nVerification failed: Policy: No\n\nReason:\n  Because.\n\n" + statistics, true, "Policy: No"},
		{"half of the head of a report", "0: (95) exit\n\nVerification fai", false, ""},
		{"the trace goes on behind a report", "R0 !read_ok\n\nVerification failed: Policy: No\n\nReason:\n  Because.\n\nfrom 1 to 3: R0=0\n3: (95) exit\n", false, ""},
		{"half a report", "Because.\n\nSuggestion:\n  Do not.\n\n" + statistics, true, ""},
		{"a warning", "arg#0 reference type('FWD __sk_buff') size cannot be determined: -22\n" + statistics, false, ""},
		{"the same of a global function", "Validating f() func#1...\narg#0 reference type('FWD x') size cannot be determined: -2\n" + statistics, false, "arg#0 reference type('FWD x') size cannot be determined: -2"},
		{"a global function, and no words", "Func#1 ('f') is global and assumed valid.\nValidating f() func#1...\n" + statistics, false, ""},
	} {
		if got := Reason(tt.log, tt.cut); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// FuzzReason checks that a reason is made of whole lines of the log, or of what stands in
// one ahead of the statistics.
func FuzzReason(f *testing.F) {
	for _, e := range readLogs(f) {
		f.Add(e.log, false)
		f.Add(e.log[len(e.log)/2:], true)
	}
	f.Fuzz(func(t *testing.T, log string, cut bool) {
		reason := Reason(log, cut)
		at := len(log)
		for words := reason; words != ""; {
			line := words
			for !strings.Contains(log[:at], line) {
				i := strings.LastIndex(line, "; ")
				if i < 0 {
					t.Fatalf("%q is not from the log:\n%s", reason, log)
				}
				line = line[:i]
			}
			words = strings.TrimPrefix(words[len(line):], "; ")
		}
		if strings.Contains(reason, "\n") || strings.TrimSpace(reason) == "" && reason != "" {
			t.Errorf("%q of the log:\n%s", reason, log)
		}
	})
}

// FuzzReasonOfPart cuts real logs.
func FuzzReasonOfPart(f *testing.F) {
	entries := readLogs(f)
	f.Add(uint(0), uint(0), uint(100))
	f.Fuzz(func(t *testing.T, i, from, to uint) {
		e := entries[i%uint(len(entries))]
		to %= uint(len(e.log)) + 1
		from %= to + 1
		if got := Reason(e.log[from:to], from > 0); !saysOf(got, e) {
			t.Errorf("%s: %q of bytes %d to %d, want %q", e.name, got, from, to, e.want)
		}
	})
}
