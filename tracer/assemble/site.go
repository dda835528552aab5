package assemble

import "strconv"

// site is what is known of a kind of allocation, worked out once: where it is
// called, of what size and from which allocator.
type site struct {
	typeID, cacheID, siteID int
	owned                   bool
	accounted               bool
	states                  stateKind
}

// stateKind is the part that an object plays in the verifier's count of states.
type stateKind uint8

const (
	stateNone     stateKind = iota
	stateList               // counts in total_states and peak_states
	stateBackedge           // counts in peak_states, where that is a maximum
	stateCurrent            // env->cur_state: its free ends a subprogram
)

type siteKey struct {
	callSite, requested, allocated, cache uint64
	gfp                                   uint32
	source                                Source
}

// siteOf returns the site of an allocation.
func (a *Assembler) siteOf(e *Event) *site {
	key := siteKey{e.CallSite, e.Requested, e.Allocated, 0, e.GFP, e.Source}
	if e.Source == SourceCache {
		key.cache = e.Cache
	}
	if s, ok := a.sites[key]; ok {
		return s
	}
	function, label := a.locate(e.CallSite)
	objectType := a.kernel.typeOf(function, e.Requested, e.Source)
	s := &site{
		typeID:    a.types.id(objectType),
		cacheID:   a.caches.id(a.cacheName(e)),
		siteID:    a.callSites.id(label),
		owned:     owned[objectType],
		accounted: e.GFP&gfpAccount != 0,
	}
	switch objectType {
	case typeStateList:
		s.states = stateList
	case typeSCCBackedge:
		s.states = stateBackedge
	case typeState:
		s.states = stateCurrent
	}
	a.sites[key] = s
	return s
}

// locate names a call site: its function, and function+0xoffset.
func (a *Assembler) locate(callSite uint64) (function, label string) {
	if callSite == 0 {
		return "", ""
	}
	function, offset := a.symbols.Symbol(callSite)
	if function == "" {
		return "", "0x" + strconv.FormatUint(callSite, 16)
	}
	return function, function + "+0x" + strconv.FormatUint(offset, 16)
}

func (a *Assembler) cacheName(e *Event) string {
	switch e.Source {
	case SourceVmalloc:
		return "vmalloc"
	case SourceCache:
		if name, ok := a.cacheNames[e.Cache]; ok {
			return name
		}
		return "object size " + strconv.FormatUint(e.Requested, 10)
	default:
		return a.kernel.kmallocCache(e.Allocated, e.GFP)
	}
}
