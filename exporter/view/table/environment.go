package table

import (
	"fmt"
	"io"
	"strings"

	"github.com/verialloc/verialloc/exporter/view/text"
	"github.com/verialloc/verialloc/tracer/record"
)

// WriteEnvironment shows people what is traced by which means and what is not.
func WriteEnvironment(w io.Writer, e *record.Environment) error {
	var b strings.Builder
	fmt.Fprintf(&b, "verialloc %s on Linux %s %s, %s\n",
		text.Printable(e.Version), text.Printable(e.Kernel), text.Printable(e.Architecture), text.Count(e.CPUs, "CPU"))
	fmt.Fprintf(&b, "  ledger %s; latency %s; is_state_visited %s\n",
		text.Printable(e.Ledger), text.Printable(e.Latency), text.Printable(e.Visits))
	if e.ProbeFloorNS > 0 && e.Timed() {
		fmt.Fprintf(&b, "  each latency includes at least %s of probe overhead (%s)\n", floors(e), floorMeans(e))
	}
	writeMeans(&b, e.Hooks)
	writeLacks(&b, e.Lacks)
	writeUnseen(&b, e.UnseenLoads)
	_, err := io.WriteString(w, b.String())
	return err
}

// floors is the floor of latencies, of each hook where they are apart.
func floors(e *record.Environment) string {
	least := text.Duration(e.ProbeFloorNS)
	var each []string
	apart := false
	for _, f := range e.ProbeFloors {
		if string(f.Means) == e.ProbeFloor {
			each = append(each, text.Duration(f.FloorNS)+" at "+text.Printable(f.Hook))
			apart = apart || text.Duration(f.FloorNS) != least
		}
	}
	if !apart {
		return least
	}
	return strings.Join(each, ", ")
}

// floorMeans says how the floor of latencies was measured: what it takes to reach the
// handlers is in it only where probes measured it.
func floorMeans(e *record.Environment) string {
	if e.ProbeFloor == "handlers" {
		return "that of the handlers, without what it takes to reach them"
	}
	return "measured by " + text.Printable(e.ProbeFloor)
}

// writeMeans writes a line for each means with the hooks that it serves, and one
// for those that nothing does; doctor says why.
func writeMeans(b *strings.Builder, hooks []record.Hook) {
	const unserved = "not attached"
	names := map[string][]string{}
	var order []string
	for i := range hooks {
		means := unserved
		if hooks[i].State == record.HookAttached {
			means = text.Printable(hooks[i].MeansText())
		}
		if names[means] == nil && means != unserved {
			order = append(order, means)
		}
		names[means] = append(names[means], text.Printable(hooks[i].Name))
	}
	for _, means := range append(order, unserved) {
		if names[means] != nil {
			fmt.Fprintf(b, "  %s: %s\n", means, strings.Join(names[means], ", "))
		}
	}
}

func writeUnseen(b *strings.Builder, classes []record.LoadClass) {
	if len(classes) > 0 {
		fmt.Fprintf(b, "  %s\n", text.Unseen(classes))
	}
}

func writeLacks(b *strings.Builder, lacks []record.Lack) {
	for _, l := range lacks {
		fmt.Fprintf(b, "  missing: %s\n", text.Printable(l.String()))
	}
}
