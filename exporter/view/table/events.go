package table

import (
	"fmt"
	"strconv"

	"github.com/verialloc/verialloc/exporter/view/text"
	"github.com/verialloc/verialloc/tracer/record"
)

var eventColumns = text.Layout{
	text.Left("TIME", 18),
	text.Right("VERIFICATION", 12),
	text.Right("TID", 7),
	text.Right("CPU", 3),
	text.Left("OP", 5),
	text.Right("LATENCY", 7),
	text.Left("POINTER", 18),
	text.Right("REQUESTED", 9),
	text.Right("ALLOCATED", 9),
	text.Left("CACHE", 16),
	text.Left("GFP", 10),
	text.Right("NODE", 4),
	text.Left("PATH", 8),
	text.Left("OBJECT", 28),
	text.Right("LIFETIME", 8),
	text.Left("CALL SITE", 0),
}

// eventCells are exact where a table of loads rounds: events are for matching
// against other tools. Flags of allocations stay numbers, because their bits
// differ between kernels.
func eventCells(e *record.Event) []string {
	latency, node, gfp, path, lifetime, object := text.None, text.None, text.None, text.None, text.None, text.Printable(e.Type)
	if e.LatencyNS != nil {
		latency = text.Duration(*e.LatencyNS)
	}
	if e.LifetimeNS != nil {
		lifetime = text.Duration(*e.LifetimeNS)
	}
	requested, allocated := strconv.FormatUint(e.Requested, 10), strconv.FormatUint(e.Allocated, 10)
	switch {
	case e.Op == record.OpAlloc:
		gfp, path, node = fmt.Sprintf("%#x", e.GFP), text.Printable(e.Path), "any"
		if e.Node != nil && *e.Node >= 0 {
			node = strconv.Itoa(*e.Node)
		}
	case e.Foreign:
		requested, allocated, object = text.None, text.None, "foreign"
	}
	return []string{
		text.Time(e.TimeUnixNS, "15:04:05.000000000"),
		strconv.FormatUint(e.Verification, 10),
		strconv.FormatUint(uint64(e.TID), 10),
		strconv.FormatUint(uint64(e.CPU), 10),
		text.Printable(e.Op),
		latency,
		fmt.Sprintf("%#x", uint64(e.Pointer)),
		requested,
		allocated,
		text.Printable(e.Cache),
		gfp,
		node,
		path,
		object,
		lifetime,
		text.Printable(e.CallSite),
	}
}
