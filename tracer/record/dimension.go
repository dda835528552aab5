package record

import "slices"

// Dimension is one way to group a verification's allocations.
type Dimension struct {
	Name   string                       // such as type
	Title  string                       // such as object type
	Groups func(*Verification) *[]Group // where a verification has its groups
}

// The dimensions.
var (
	ByType  = &Dimension{"type", "object type", func(v *Verification) *[]Group { return &v.Types }}
	ByCache = &Dimension{"cache", "slab cache", func(v *Verification) *[]Group { return &v.Caches }}
	BySite  = &Dimension{"site", "call site", func(v *Verification) *[]Group { return &v.Sites }}
	ByPath  = &Dimension{"path", "allocator path", func(v *Verification) *[]Group { return &v.Paths }}
)

// Dimensions lists all of them, in the order in which they are shown. Package assemble
// has what an allocation's name is in each.
var Dimensions = []*Dimension{ByType, ByCache, BySite, ByPath}

// DimensionNamed returns the dimension of that name; nil: there is none.
func DimensionNamed(name string) *Dimension {
	i := slices.IndexFunc(Dimensions, func(d *Dimension) bool { return d.Name == name })
	if i < 0 {
		return nil
	}
	return Dimensions[i]
}

// DimensionNames lists their names.
func DimensionNames() []string {
	names := make([]string, len(Dimensions))
	for i, d := range Dimensions {
		names[i] = d.Name
	}
	return names
}

// DropGroups gives up the groups of all dimensions, which are most of a record.
func (v *Verification) DropGroups() {
	for _, d := range Dimensions {
		*d.Groups(v) = nil
	}
}
