package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func reportCommand() *cobra.Command {
	var into string
	cmd := &cobra.Command{
		Use:   "report --into DOCUMENT FILE...",
		Short: "Put measurements into a document, as tables between its markers",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			var results []result
			for _, name := range args {
				more, err := readResults(name)
				if err != nil {
					return err
				}
				results = append(results, more...)
			}
			return replace(into, tables(results))
		},
	}
	cmd.Flags().StringVar(&into, "into", "", "the document")
	cobra.CheckErr(cmd.MarkFlagRequired("into"))
	return cmd
}

func readResults(name string) ([]result, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var results []result
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var r result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		results = append(results, r)
	}
	return results, lines.Err()
}

const (
	beginMarker = "<!-- measured: make bench-cost -->\n"
	endMarker   = "<!-- end of measured -->\n"
)

// replace puts text between the markers of a document.
func replace(name, text string) error {
	old, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	head, rest, begun := strings.Cut(string(old), beginMarker)
	_, tail, ended := strings.Cut(rest, endMarker)
	if !begun || !ended {
		return fmt.Errorf("%s has no markers %q and %q", name, strings.TrimSpace(beginMarker), strings.TrimSpace(endMarker))
	}
	return os.WriteFile(name, []byte(head+beginMarker+"\n"+text+"\n"+endMarker+tail), 0o644)
}

// measured holds the results of one kernel.
type measured struct {
	kernel   string
	variants []string // in the order of their measurement
	loads    []string
	by       map[[2]string]result // by variant and load
}

func byKernel(results []result) []*measured {
	var all []*measured
	for _, r := range results {
		i := slices.IndexFunc(all, func(m *measured) bool { return m.kernel == r.Kernel })
		if i < 0 {
			all = append(all, &measured{kernel: r.Kernel, by: map[[2]string]result{}})
			i = len(all) - 1
		}
		m := all[i]
		if !slices.Contains(m.variants, r.Variant) {
			m.variants = append(m.variants, r.Variant)
		}
		if r.Load != "" && !slices.Contains(m.loads, r.Load) {
			m.loads = append(m.loads, r.Load)
		}
		m.by[[2]string{r.Variant, r.Load}] = r
	}
	return all
}

func tables(results []result) string {
	var b strings.Builder
	for _, m := range byKernel(results) {
		fmt.Fprintf(&b, "### %s\n\n", m.kernel)
		m.times(&b)
		m.goals(&b)
		m.model(&b)
		m.resources(&b)
		m.failures(&b)
	}
	return strings.TrimSpace(b.String()) + "\n"
}

const bare = "bare"

// times shows each load's time under each variant over its bare time.
func (m *measured) times(w io.Writer) {
	header := append([]string{"time over bare"}, m.loads...)
	rows := [][]string{}
	first := []string{"bare, ms"}
	for _, l := range m.loads {
		first = append(first, fmt.Sprintf("%.2f", float64(m.by[[2]string{bare, l}].NS)/1e6))
	}
	rows = append(rows, first)
	for _, v := range m.variants {
		if v == bare || !m.ran(v) {
			continue
		}
		row := []string{v}
		for _, l := range m.loads {
			row = append(row, m.number("%.3f", m.ratio(v, l)))
		}
		rows = append(rows, row)
	}
	writeTable(w, header, rows)
}

func (m *measured) ran(variant string) bool {
	return slices.ContainsFunc(m.loads, func(l string) bool { return m.by[[2]string{variant, l}].NS > 0 })
}

// ratio is 0 where there is none.
func (m *measured) ratio(variant, load string) float64 {
	r, b := m.by[[2]string{variant, load}], m.by[[2]string{bare, load}]
	if r.NS == 0 || b.NS == 0 {
		return 0
	}
	return float64(r.NS) / float64(b.NS)
}

func (m *measured) number(format string, n float64) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprintf(format, n)
}

// goals shows what is added over what others add.
func (m *measured) goals(w io.Writer) {
	header := append([]string{"added by verialloc"}, m.loads...)
	var rows [][]string
	for _, c := range []struct{ label, of, over string }{
		{"ledger + latency, over bpftrace's tracepoints", "verialloc, ledger + latency", "bpftrace, tracepoint"},
		{"ledger + latency, over empty programs", "verialloc, ledger + latency", "empty, ledger + latency"},
		{"ledger, over empty programs", "verialloc, ledger", "empty, ledger"},
	} {
		row := []string{c.label}
		for _, l := range m.loads {
			of, over := m.ratio(c.of, l)-1, m.ratio(c.over, l)-1
			// Where the other adds next to nothing a quotient says nothing.
			if of < 0 || over < 0.005 {
				row = append(row, "–")
				continue
			}
			row = append(row, fmt.Sprintf("%.2f", of/over))
		}
		rows = append(rows, row)
	}
	writeTable(w, header, rows)
}

// model shows instructions: of an event and of a verification without its events, from
// the line through two sizes of the stress program, and of a bystander's system call.
func (m *measured) model(w io.Writer) {
	var rows [][]string
	for _, v := range []string{"verialloc, ledger", "verialloc, ledger + latency"} {
		small, large := m.by[[2]string{v, "stress-100"}], m.by[[2]string{v, "stress-1000"}]
		if small.Events >= large.Events {
			continue
		}
		added := func(r result) float64 { return float64(r.NS) - float64(m.by[[2]string{bare, r.Load}].NS) }
		event := (added(large) - added(small)) / float64(large.Events-small.Events)
		row := []string{v, fmt.Sprintf("%.0f", event), fmt.Sprintf("%.0f", added(small)-event*float64(small.Events))}
		for _, variant := range []string{v, strings.Replace(v, "verialloc", "empty", 1)} {
			row = append(row, fmt.Sprintf("%.0f", added(m.by[[2]string{variant, bystanderXattr}])/xattrCalls))
		}
		rows = append(rows, row)
	}
	writeTable(w, []string{
		"instructions", "an allocation or free", "a verification beside", "a bystander's setxattr(2)", "of that by empty programs",
	}, rows)
}

// resources shows what a tracer takes, and what it lost.
func (m *measured) resources(w io.Writer) {
	var rows [][]string
	for _, v := range m.variants {
		var ready, rss, binary, lost, inexact uint64
		for _, l := range m.loads {
			r := m.by[[2]string{v, l}]
			if r.ReadyNS > 0 && (ready == 0 || r.ReadyNS < ready) {
				ready = r.ReadyNS
			}
			rss, binary = max(rss, r.RSS), max(binary, r.Binary)
			lost, inexact = lost+r.Lost, inexact+r.Inexact
		}
		if ready == 0 || binary == 0 {
			continue
		}
		losses := []string{"", ""}
		if strings.HasPrefix(v, "verialloc") {
			losses = []string{fmt.Sprint(lost), fmt.Sprint(inexact)}
		}
		rows = append(rows, append([]string{
			v, fmt.Sprintf("%.2f", float64(ready)/1e9), fmt.Sprintf("%.0f", float64(rss)/1e6), fmt.Sprintf("%.1f", float64(binary)/1e6),
		}, losses...))
	}
	writeTable(w, []string{"tracer", "time to ready, s", "peak RSS, MB", "program, MB", "events lost", "records not exact"}, rows)
}

func (m *measured) failures(w io.Writer) {
	var seen []string
	for key, r := range m.by {
		line := telling(r.Failure)
		if r.Failure != "" {
			seen = append(seen, fmt.Sprintf("- %s: %s\n", cmp.Or(key[0], "?"), line))
		}
	}
	slices.Sort(seen)
	for _, line := range slices.Compact(seen) {
		fmt.Fprint(w, line)
	}
}

// colour is what tools write to a terminal beside their words.
var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// telling returns the first line of a message with an error in it, or its first.
func telling(message string) string {
	message = colour.ReplaceAllString(message, "")
	for line := range strings.Lines(message) {
		if strings.Contains(line, "ERROR") {
			return strings.TrimSpace(line)
		}
	}
	line, _, _ := strings.Cut(message, "\n")
	return line
}

func writeTable(w io.Writer, header []string, rows [][]string) {
	fmt.Fprintf(w, "| %s |\n|%s\n", strings.Join(header, " | "), strings.Repeat("---|", len(header)))
	for _, row := range rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
	}
	fmt.Fprintln(w)
}
