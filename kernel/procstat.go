package kernel

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// procStat is what is used of /proc/PID/stat.
type procStat struct {
	Process
	state      string
	startTicks int64 // since boot, in units of clockTick
}

// runs is false for a process that has ended and waits for its parent to take note.
func (s procStat) runs() bool { return !strings.ContainsAny(s.state, "ZXx") }

// parseStat reads "pid (name) state parent ...", where the name may hold anything and the
// start is the 22nd field.
func parseStat(stat []byte) (p procStat, err error) {
	first, last := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if first < 0 || last < first {
		return p, fmt.Errorf("no name in %q", stat)
	}
	fields := strings.Fields(string(stat[last+1:]))
	const state, parent, start = 0, 1, 22 - 3
	if len(fields) <= start {
		return p, fmt.Errorf("no time of the start in %q", stat)
	}
	p.Name, p.state = string(stat[first+1:last]), fields[state]
	if p.PID, err = strconv.Atoi(strings.TrimSpace(string(stat[:first]))); err != nil {
		return p, err
	}
	if p.Parent, err = strconv.Atoi(fields[parent]); err != nil {
		return p, err
	}
	p.startTicks, err = strconv.ParseInt(fields[start], 10, 64)
	return p, err
}
