package assemble

import "strconv"

// site is what is known of a kind of allocation, worked out once: where it is
// called, of what size and from which allocator.
type site struct {
	index      int
	objectType string
	cache      string
	kernelName string // of the cache
	label      string // function+0xoffset of the call
	owned      bool   // freed where nothing else is
	temporary  bool   // freed before env
	accounted  bool   // charged to the cgroup
	states     stateKind
}

// stateKind is the part that an object plays in the verifier's count of states.
type stateKind uint8

const (
	stateNone     stateKind = iota
	stateList               // counts in total_states and peak_states
	stateBackedge           // counts in peak_states, where that is a maximum
	stateCurrent            // env->cur_state: its free ends a subprogram
)

// siteKey is all that decides about a site. Many keys lead to one site, as with
// arrays of any length.
type siteKey struct {
	callSite, requested, allocated, cache uint64
	gfp                                   uint32
	source                                Source
	env                                   bool
}

// siteOf returns the site of an allocation.
func (a *Assembler) siteOf(e *Event, env bool) *site {
	key := siteKey{e.CallSite, e.Requested, e.Allocated, 0, e.GFP, e.Source, env}
	if e.Source == SourceCache {
		key.cache = e.Cache
	}
	recent := &a.recent[key.hash()%recentSites]
	if recent.site != nil && recent.key == key {
		return recent.site
	}
	s := a.lookUpSite(key, e)
	*recent = recentSite{key, s}
	return s
}

// recentSites is how many sites are found without a lookup in the map of all: a
// verification has some dozens that matter.
const recentSites = 256

type recentSite struct {
	key  siteKey
	site *site
}

// hash need not be good: a miss costs a lookup in the map.
func (k *siteKey) hash() uint64 {
	return (k.callSite ^ k.requested<<3 ^ k.cache>>6) * 0x9e3779b97f4a7c15 >> 48
}

func (a *Assembler) lookUpSite(key siteKey, e *Event) *site {
	if s, ok := a.sites[key]; ok {
		return s
	}
	function, label := a.locate(e.CallSite)
	objectType := a.kernel.typeOf(function, e.Requested, e.Source)
	if key.env {
		objectType = typeEnv
	}
	s := &site{
		objectType: objectType,
		label:      label,
		owned:      owned[objectType],
		temporary:  temporary[objectType],
		accounted:  e.GFP&gfpAccount != 0,
	}
	s.kernelName = a.cacheName(e)
	s.cache = s.kernelName
	if e.Source == SourceCache {
		s.cache = askedFor(objectType, s.kernelName, a.options.Aliases[s.kernelName])
	}
	switch objectType {
	case typeStateList:
		s.states = stateList
	case typeSCCBackedge:
		s.states = stateBackedge
	case typeState:
		s.states = stateCurrent
	}
	// Sizes that lead to the same site share it, so that a verification has
	// one leaf for all.
	shared := sharedKey{s.objectType, s.cache, s.label, s.accounted}
	if old, ok := a.shared[shared]; ok {
		s = old
	} else {
		s.index = len(a.shared)
		a.shared[shared] = s
	}
	if len(a.sites) == maxSites {
		clear(a.sites)
	}
	a.sites[key] = s
	return s
}

// maxSites bounds what is kept: a loader that takes another size for each load would fill
// any memory. What a load needs is found again at the cost of one lookup each.
const maxSites = 4096

type sharedKey struct {
	objectType, cache, label string
	accounted                bool
}

// locate names a call site: its function, and function+0xoffset.
func (a *Assembler) locate(callSite uint64) (function, label string) {
	if callSite == 0 {
		return "", ""
	}
	if l, ok := a.located[callSite]; ok {
		return l.function, l.label
	}
	function, offset := a.symbols.Symbol(callSite)
	prefix := function + "+0x"
	if function == "" {
		prefix, offset = "0x", callSite
	}
	label = prefix + strconv.FormatUint(offset, 16)
	a.located[callSite] = location{function, label}
	return function, label
}

type location struct{ function, label string }

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
