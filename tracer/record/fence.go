package record

// Fence is what a process has given up, and what it has kept.
type Fence struct {
	// Capabilities are those kept, such as CAP_KILL; empty: none; nil: not known.
	Capabilities []string `json:"capabilities"`
	// NoNewPrivileges is set where no program that the process starts can gain any.
	NoNewPrivileges bool `json:"no_new_privileges"`
	// LandlockABI is the version of Landlock that keeps files from being written, and from
	// 4 (Linux 6.7) TCP from being used; 0: nothing does, and LandlockAbsent is why.
	LandlockABI    int    `json:"landlock_abi"`
	LandlockAbsent string `json:"landlock_absent,omitempty"`
}
