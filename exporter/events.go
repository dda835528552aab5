package exporter

import (
	"fmt"
	"strconv"

	"github.com/verialloc/verialloc/tracer/record"
)

var eventColumns = layout{
	{"TIME", 18, true},
	{"VERIFICATION", 12, false},
	{"TID", 7, false},
	{"CPU", 3, false},
	{"OP", 5, true},
	{"LATENCY", 7, false},
	{"POINTER", 18, true},
	{"REQUESTED", 9, false},
	{"ALLOCATED", 9, false},
	{"CACHE", 16, true},
	{"GFP", 10, true},
	{"NODE", 4, false},
	{"PATH", 8, true},
	{"OBJECT", 28, true},
	{"LIFETIME", 8, false},
	{"CALL SITE", 0, true},
}

// eventCells are exact where a table of loads rounds: events are for matching
// against other tools. Flags of allocations stay numbers, because their bits
// differ between kernels.
func eventCells(e *record.Event) []string {
	latency, node, gfp, path, lifetime, object := none, none, none, none, none, printable(e.Type)
	if e.LatencyNS != nil {
		latency = formatDuration(*e.LatencyNS)
	}
	if e.LifetimeNS != nil {
		lifetime = formatDuration(*e.LifetimeNS)
	}
	requested, allocated := strconv.FormatUint(e.Requested, 10), strconv.FormatUint(e.Allocated, 10)
	switch {
	case e.Op == record.OpAlloc:
		gfp, path, node = fmt.Sprintf("%#x", e.GFP), printable(e.Path), "any"
		if e.Node != nil && *e.Node >= 0 {
			node = strconv.Itoa(*e.Node)
		}
	case e.Foreign:
		requested, allocated, object = none, none, "foreign"
	}
	return []string{
		formatTime(e.TimeUnixNS, "15:04:05.000000000"),
		strconv.FormatUint(e.Verification, 10),
		strconv.FormatUint(uint64(e.TID), 10),
		strconv.FormatUint(uint64(e.CPU), 10),
		printable(e.Op),
		latency,
		fmt.Sprintf("%#x", uint64(e.Pointer)),
		requested,
		allocated,
		printable(e.Cache),
		gfp,
		node,
		path,
		object,
		lifetime,
		printable(e.CallSite),
	}
}
