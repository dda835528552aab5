package verifierlog

import (
	"regexp"
	"slices"
	"strings"
)

// reportHead begins the first line of a report: the kind of failure and the problem follow.
const reportHead = "Verification failed: "

// title is a line that begins a section of a report.
var title = regexp.MustCompile(`^[A-Z][A-Za-z ]*:$`)

// isReport reports whether a line may be of a report, behind its first one.
func isReport(line string) bool {
	return isBlank(line) || strings.HasPrefix(line, "  ") || title.MatchString(line)
}

func isBlank(line string) bool { return strings.TrimSpace(line) == "" }

// statisticsHeads begin the first line of the statistics: with BPF_LOG_STATS, and without.
var statisticsHeads = []string{"verification time ", "processed "}

// isStatistic reports whether a line is of the statistics.
func isStatistic(line string) bool {
	switch head, rest, _ := strings.Cut(line, " "); head {
	case "verification":
		return strings.HasPrefix(rest, "time ")
	case "stack":
		return strings.HasPrefix(rest, "depth ")
	case "insns":
		return strings.HasPrefix(rest, "processed ")
	case "subprog":
		return strings.Contains(rest, " insns_self ")
	case "processed":
		return strings.Contains(rest, " insns ")
	}
	return false
}

// beginsWith reports whether a line, or what there is of it, begins with one of the heads.
// Seven letters are enough: no words of the verifier begin as these heads do.
func beginsWith(line string, heads ...string) bool {
	return slices.ContainsFunc(heads, func(head string) bool {
		return strings.HasPrefix(line, head) || len(line) >= 7 && strings.HasPrefix(head, line)
	})
}

// trace matches lines by which the verifier says what it does and knows, not what is wrong:
// instructions, their source, states, and what the passes over the program found.
var trace = regexp.MustCompile(`^(` + strings.Join([]string{
	`\s|$`,
	`\d+:( |$)`,                // an instruction, a state ahead of one, or its source
	`; `,                       // source
	`from \d+ to \d+`,          // another branch
	`(R\d+|fp-\d+)(_[a-z]+)?=`, // a state
	`frame\d+: `,               // a state, or what precision needs
	`(caller|callee):$`,        // states at a call
	`returning from callee:$`,  //
	`to caller at \d+:$`,       //
	`(cur|old) state:`,         // of an infinite loop
	`Validating .* func#\d+\.`, // a global function
	`[Ff]unc#\d+ .*(@|is global and assumed valid|is safe for any args)`,
	`mark_precise: |last_idx |regs=|parent (already had|didn't have) regs=|propagating `,
	`Live regs before insn:`, //
	`topo_order\[|subprog#\d+|stack use/def |SCC (enter|exit) |\(\d+\) (frame|live) `, // 6.18 and later
	`Verification failed: `, //
}, "|") + `)`)

// isWords reports whether a line may be the verifier's words for a rejection.
func isWords(line string) bool { return !trace.MatchString(line) }
