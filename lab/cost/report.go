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

	"github.com/verialloc/verialloc/internal/input"
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
	f, err := input.Recording.Open(name)
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
	old, err := input.List.ReadFile(name)
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
	notes    []string             // below the tables, by their number less one
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
		m.footnotes(&b)
	}
	return strings.TrimSpace(b.String()) + "\n"
}

const bare = "bare"

// times shows each load's time under each variant over its bare time.
func (m *measured) times(w io.Writer) {
	header := append([]string{"time over bare"}, m.loads...)
	first := []string{"bare, ms"}
	for _, l := range m.loads {
		first = append(first, fmt.Sprintf("%.2f", float64(m.by[[2]string{bare, l}].NS)/1e6))
	}
	rows := [][]string{first}
	for _, v := range m.variants {
		if v == bare {
			continue
		}
		row := []string{v}
		for _, l := range m.loads {
			cell := fmt.Sprintf("%.3f", m.ratio(v, l))
			if m.ratio(v, l) == 0 {
				cell = m.note(m.failure(v, l))
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	writeTable(w, header, rows)
}

// failure is why a variant has no time for a load.
func (m *measured) failure(variant, load string) string {
	why := cmp.Or(m.by[[2]string{variant, load}].Failure, m.by[[2]string{variant, ""}].Failure, "it was not measured")
	return variant + ": " + telling(why)
}

// note makes a cell without a figure, with the number of the footnote that says why.
func (m *measured) note(text string) string {
	i := slices.Index(m.notes, text)
	if i < 0 {
		i = len(m.notes)
		m.notes = append(m.notes, text)
	}
	return fmt.Sprintf("– [%d]", i+1)
}

func (m *measured) footnotes(w io.Writer) {
	for i, text := range m.notes {
		fmt.Fprintf(w, "- [%d] %s\n", i+1, text)
	}
	if len(m.notes) > 0 {
		fmt.Fprintln(w)
	}
}

// ratio is 0 where there is none.
func (m *measured) ratio(variant, load string) float64 {
	r, b := m.by[[2]string{variant, load}], m.by[[2]string{bare, load}]
	if r.NS == 0 || b.NS == 0 {
		return 0
	}
	return float64(r.NS) / float64(b.NS)
}

// least is what a variant must add to be the divisor of a quotient.
const least = 0.005

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
			if m.ratio(c.of, l) == 0 || m.ratio(c.over, l) == 0 || over < least {
				row = append(row, m.note(fmt.Sprintf("what it is set against adds less than %g%%, or was not measured: a quotient says nothing", 100*least)))
				continue
			}
			row = append(row, fmt.Sprintf("%.2f", of/over))
		}
		rows = append(rows, row)
	}
	writeTable(w, header, rows)
}

// model shows instructions: of the programs for an allocation, a free and a visit, of
// the kernel's hooking for each of those events, of both by the line through two sizes
// of the stress program, of a bpf(2) that loads beside its events, and of a bystander's
// system call.
func (m *measured) model(w io.Writer) {
	var rows [][]string
	for _, v := range []string{"verialloc, ledger", "verialloc, ledger + latency"} {
		small, large := m.by[[2]string{v, "stress-100"}], m.by[[2]string{v, stressLoad}]
		if small.Events >= large.Events {
			continue
		}
		empty := strings.Replace(v, "verialloc", "empty", 1)
		added := func(variant, load string) float64 {
			return float64(m.by[[2]string{variant, load}].NS) - float64(m.by[[2]string{bare, load}].NS)
		}
		event := (added(v, stressLoad) - added(v, "stress-100")) / float64(large.Events-small.Events)
		row := []string{v}
		for _, purpose := range []string{purposeAlloc, purposeFree, purposeVisit} {
			row = append(row, m.handler(v, empty, purpose))
		}
		rows = append(rows, append(row,
			fmt.Sprintf("%.0f", added(empty, stressLoad)/float64(large.Events)), fmt.Sprintf("%.0f", event),
			m.beside(v, added(v, leastLoad), event),
			fmt.Sprintf("%.0f", added(v, bystanderXattr)/xattrCalls), fmt.Sprintf("%.0f", added(empty, bystanderXattr)/xattrCalls)))
	}
	writeTable(w, []string{
		"instructions", "programs, " + purposeAlloc, "programs, " + purposeFree, "programs, " + purposeVisit,
		"hooking, an allocation or free", "in all, an allocation or free",
		"a load beside those", "a bystander's setxattr(2)", "of that by empty programs",
	}, rows)
}

// beside is what is added to a bpf(2) that loads the least program, without its events.
func (m *measured) beside(variant string, added, event float64) string {
	r := m.by[[2]string{variant, leastLoad}]
	if r.NS == 0 {
		return m.note(m.failure(variant, leastLoad))
	}
	return fmt.Sprintf("%.0f", added-event*float64(r.Events))
}

// handler is what verialloc's programs take for an event, as the kernel times them, less
// what it finds an empty program to take, which is its reading of the clock.
func (m *measured) handler(variant, empty, purpose string) string {
	r := m.by[[2]string{variant, stressLoad}]
	events := map[string]float64{purposeAlloc: float64(r.Allocs), purposeFree: float64(r.Events - r.Allocs)}
	var clock, runs float64
	for _, p := range m.by[[2]string{empty, stressLoad}].Programs {
		clock, runs = clock+float64(p.NS), runs+float64(p.Runs)
	}
	clock /= max(runs, 1)
	var took, visits float64
	for _, p := range r.Programs {
		if purposeOf(p.Name) == purpose {
			took += float64(p.NS) - clock*float64(p.Runs)
			visits = max(visits, float64(p.Runs))
		}
	}
	events[purposeVisit] = visits
	if took == 0 {
		return m.note("no program runs for it")
	}
	return fmt.Sprintf("%.0f", took/events[purpose])
}

// resources shows what a tracer takes, and what it lost.
func (m *measured) resources(w io.Writer) {
	var rows [][]string
	for _, v := range m.variants {
		r := m.first(v)
		if r.Binary == 0 {
			continue
		}
		row := []string{
			v, fmt.Sprintf("%.2f", float64(r.ReadyNS)/1e9), fmt.Sprintf("%.0f", float64(r.RSS)/1e6),
			fmt.Sprintf("%.1f", float64(r.Binary)/1e6), m.ownTime(v), m.pace(r), m.lost(r),
		}
		if strings.HasPrefix(v, "verialloc") {
			row = append(row, fmt.Sprint(r.Inexact))
		} else {
			row = append(row, m.note("n/a: this tracer keeps no per-verification record"))
		}
		rows = append(rows, row)
	}
	writeTable(w, []string{
		"tracer", "time to ready, s", "peak RSS, MB", "program, MB", "own time an event, ns",
		"first loss at, events/s", "events lost", "records not exact",
	}, rows)
}

// first is any result of a variant: what is the tracer's own is the same in all.
func (m *measured) first(variant string) result {
	for _, l := range m.loads {
		if r := m.by[[2]string{variant, l}]; r.Variant != "" {
			return r
		}
	}
	return result{}
}

// events is how many events a run of a load makes.
func (m *measured) events(load string) float64 {
	return float64(m.by[[2]string{"verialloc, ledger", load}].Events)
}

// ownTime is the time of the tracer's own process for an event, of the loaders' load
// and its first run, which does not count elsewhere.
func (m *measured) ownTime(variant string) string {
	r := m.by[[2]string{variant, loadersLoad}]
	runs, events := float64(r.Runs), m.events(loadersLoad)
	if runs == 0 || events == 0 {
		return m.note(m.failure(variant, loadersLoad))
	}
	return fmt.Sprintf("%.0f", float64(r.CPU)/(runs*events))
}

func (m *measured) pace(r result) string {
	switch {
	case r.Pace == nil:
		return m.note(sums)
	case r.Pace.Lost == 0:
		return fmt.Sprintf("none at %.0f", r.Pace.LoadsPerS*m.events(stressLoad))
	default:
		return fmt.Sprintf("%.0f", r.Pace.LoadsPerS*m.events(stressLoad))
	}
}

func (m *measured) lost(r result) string {
	if r.Pace == nil {
		return m.note(sums)
	}
	return fmt.Sprint(r.Lost)
}

const sums = "it sends no events but sums in the kernel, and does not count what it misses"

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
