// Package feed has what all feeds share. A feed is a [record.Sink] in a package of its
// own below this one, with the dependencies that it alone needs.
package feed

import "github.com/verialloc/verialloc/tracer/record"

var _ record.Sink = Fan(nil)
