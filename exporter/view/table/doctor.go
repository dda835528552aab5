package table

import (
	"fmt"
	"io"
	"strings"

	"github.com/verialloc/verialloc/exporter/view/text"
	"github.com/verialloc/verialloc/tracer/record"
)

// WriteDiagnosis shows people which hooks this kernel serves by which means, and
// below for those it does not why and what to do.
func WriteDiagnosis(w io.Writer, d *record.Diagnosis) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Linux %s %s %s\n\n", text.Printable(d.Kernel), text.Printable(d.Architecture), text.Printable(d.Build))
	writeHooks(&b, d.Hooks)
	writeRemedies(&b, d.Hooks)
	b.WriteByte('\n')
	writeLacks(&b, d.Lacks)
	writeUnseen(&b, d.UnseenLoads)
	writeFence(&b, d.Fence)
	if d.OK {
		b.WriteString("ok: verialloc can trace this kernel\n")
	} else {
		b.WriteString("not ok: verialloc cannot trace this kernel: see what is required and not attached\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// The first versions of Landlock that know truncate(2), from Linux 6.2, and TCP, from 6.7.
const (
	truncateABI = 3
	tcpABI      = 4
)

// writeFence writes what a trace keeps, and what keeps it from taking more.
func writeFence(b *strings.Builder, f *record.Fence) {
	if f == nil {
		return
	}
	kept := "no capability"
	switch {
	case f.Capabilities == nil:
		kept = "capabilities that could not be read"
	case len(f.Capabilities) > 0:
		kept = text.Printable(strings.Join(f.Capabilities, ", "))
	}
	gain := "and can gain no other"
	if !f.NoNewPrivileges {
		gain = "but could gain others"
	}
	fmt.Fprintf(b, "once live, trace keeps %s, %s\n", kept, gain)
	switch {
	case f.LandlockABI == 0:
		fmt.Fprintf(b, "  nothing keeps it from its user's files: %s\n", text.Printable(f.LandlockAbsent))
	case f.LandlockABI < truncateABI:
		fmt.Fprintf(b, "  Landlock (ABI %d) keeps it from opening files to write, not from cutting them short, nor from TCP\n", f.LandlockABI)
	case f.LandlockABI < tcpABI:
		fmt.Fprintf(b, "  Landlock (ABI %d) keeps it from writing files, not from TCP\n", f.LandlockABI)
	default:
		fmt.Fprintf(b, "  Landlock (ABI %d) keeps it from writing files and from TCP\n", f.LandlockABI)
	}
}

// writeHooks writes a row for each hook.
func writeHooks(b *strings.Builder, hooks []record.Hook) {
	grid := text.NewGrid(text.Left("HOOK", 0), text.Left("ATTACHED", 0), text.Left("MEANS", 0), text.Left("SERVED BY", 0), text.Left("PURPOSE", 0))
	for i := range hooks {
		h := &hooks[i]
		grid.Add(text.Printable(h.Name), attachedText(h), text.Printable(h.MeansText()), text.Printable(h.ServedBy()), text.Printable(h.Purpose))
	}
	b.WriteString(grid.String())
}

func attachedText(h *record.Hook) string {
	switch {
	case h.State == record.HookAttached:
		return "yes"
	case h.State == record.HookReady:
		return "ready"
	case h.Required:
		return "no, required"
	default:
		return "no"
	}
}

// writeRemedies writes why hooks are not attached and what to do, once for all
// that share both.
func writeRemedies(b *strings.Builder, hooks []record.Hook) {
	type remedy struct{ reason, advice string }
	names := map[remedy][]string{}
	var order []remedy
	for i := range hooks {
		h := &hooks[i]
		r := remedy{h.Reason, h.Advice}
		if r == (remedy{}) {
			continue
		}
		if names[r] == nil {
			order = append(order, r)
		}
		names[r] = append(names[r], text.Printable(h.Name))
	}
	for _, r := range order {
		fmt.Fprintf(b, "\n%s\n", strings.Join(names[r], ", "))
		if r.reason != "" {
			fmt.Fprintf(b, "  why: %s\n", text.Printable(r.reason))
		}
		if r.advice != "" {
			fmt.Fprintf(b, "  do:  %s\n", text.Printable(r.advice))
		}
	}
}
