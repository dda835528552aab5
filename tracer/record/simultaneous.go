package record

// Simultaneous is the most that the verifier held at once, over all verifications of a feed
// that are exact. Each counts from env's allocation to the release of its env: of a load that is
// alone it is what its record has.
type Simultaneous struct {
	PeakLiveBytes uint64 `json:"peak_live_bytes"` // allocated bytes, as in Verification
	// PeakLiveAccountedBytes is the same of the objects that are charged to a cgroup. It
	// may be at another time.
	PeakLiveAccountedBytes uint64 `json:"peak_live_accounted_bytes"`
	Loads                  uint64 `json:"loads"`        // that were verified at the peak of the first
	TimeUnixNS             int64  `json:"time_unix_ns"` // of that peak
	LeftOut                uint64 `json:"left_out"`     // verifications that are not in it
	// Exact is false where verifications were left out, were not seen or still went on: the
	// peaks are then the least that there was.
	Exact bool `json:"exact"`
}
