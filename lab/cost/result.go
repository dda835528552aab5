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
	// Events is how many allocations and frees the load made, where verialloc
	// counted them.
	Events uint64 `json:"events,omitempty"`
	// Lost is what verialloc says that it lost.
	Lost uint64 `json:"lost,omitempty"`
	// Inexact counts verialloc's records that were not exact.
	Inexact uint64 `json:"inexact,omitempty"`
	// ReadyNS is from the tracer's start until its probes are live, RSS its peak
	// resident memory in bytes, Binary the size of its program without libraries.
	ReadyNS uint64 `json:"ready_ns,omitempty"`
	RSS     uint64 `json:"rss_bytes,omitempty"`
	Binary  uint64 `json:"binary_bytes,omitempty"`
	// Failure is why the variant could not run.
	Failure string `json:"failure,omitempty"`
}
