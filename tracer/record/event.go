package record

// The operations of an event.
const (
	OpAlloc = "alloc"
	OpFree  = "free"
)

// Event is one slab object, page allocation or vmalloc area changing hands.
type Event struct {
	Head

	Verification uint64  `json:"verification"` // Verification.ID
	Op           string  `json:"op"`
	TimeUnixNS   int64   `json:"time_unix_ns"`
	TID          uint32  `json:"tid"`
	CPU          uint16  `json:"cpu"`
	Pointer      Pointer `json:"pointer"`
	Type         string  `json:"type"`      // object type, as in Verification.Types
	CallSite     string  `json:"call_site"` // symbol+0xoffset; empty: not known
	Requested    uint64  `json:"bytes_requested"`
	Allocated    uint64  `json:"bytes_allocated"`
	Cache        string  `json:"cache"`

	// Of allocations only.
	LatencyNS *uint64 `json:"latency_ns,omitempty"` // absent: not measured
	Path      string  `json:"path,omitempty"`
	GFP       uint32  `json:"gfp_flags,omitempty"`
	Node      *int    `json:"node,omitempty"` // NUMA node asked for; -1: any

	// Of frees only. A foreign free releases what was allocated outside the
	// verification: its sizes, type and lifetime are not known.
	LifetimeNS *uint64 `json:"lifetime_ns,omitempty"`
	Foreign    bool    `json:"foreign,omitempty"`
}
