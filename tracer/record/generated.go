package record

import (
	"strconv"
	"strings"
)

// Generated is what a generated program was made as.
type Generated struct {
	Kind string `json:"kind"` // such as branches
	Size int    `json:"size"` // from 1; what it counts depends on the kind
}

// GeneratedAs returns the kind and size of a generated program; ok is false for a program
// of an object. In a recording that was written before there was a member generated, it
// reads them from the name, such as branches_100, of a program without a path.
func (p *Program) GeneratedAs() (g Generated, ok bool) {
	if p.Generated != nil {
		return *p.Generated, true
	}
	kind, text, ok := strings.Cut(p.Name, "_")
	size, err := strconv.Atoi(text)
	if p.Path != "" || !ok || err != nil {
		return Generated{}, false
	}
	return Generated{Kind: kind, Size: size}, true
}
