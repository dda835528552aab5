package main

// result is one line of a measurement: a load under a variant. Times are guest time
// in nanoseconds, which under -icount shift=0 is instructions.
type result struct {
	Kernel  string `json:"kernel"`
	Load    string `json:"load"`
	Variant string `json:"variant"`
	// NS is the least of Samples.
	NS      uint64   `json:"ns"`
	Samples []uint64 `json:"samples"`
	// Runs counts those that are no sample as well.
	Runs uint64 `json:"runs"`
	// Events is how many allocations and frees one run of the load makes, and Allocs
	// how many allocations, where verialloc counted them. CPU is the tracer's own time in all runs.
	Events uint64 `json:"events,omitempty"`
	Allocs uint64 `json:"allocs,omitempty"`
	CPU    uint64 `json:"cpu_ns,omitempty"`
	// Lost is what the tracer says that it lost, from its start to its end, and
	// Inexact how many of verialloc's records were not exact.
	Lost    uint64 `json:"lost,omitempty"`
	Inexact uint64 `json:"inexact,omitempty"`
	// Programs are the BPF programs that run in it, of the variants whose cost is
	// broken down.
	Programs []programRuns `json:"programs,omitempty"`
	// Pace is nil for a tracer that sends no events.
	Pace *pace `json:"pace,omitempty"`
	// ReadyNS is from the tracer's start until its probes are live, RSS its peak
	// resident memory in bytes, Binary the size of its program without libraries.
	ReadyNS uint64 `json:"ready_ns,omitempty"`
	RSS     uint64 `json:"rss_bytes,omitempty"`
	Binary  uint64 `json:"binary_bytes,omitempty"`
	// Failure is why the variant could not run.
	Failure string `json:"failure,omitempty"`
}
