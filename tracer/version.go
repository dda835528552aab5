package tracer

import (
	"cmp"
	"runtime/debug"
)

// modulePath is the module of this package.
const modulePath = "github.com/verialloc/verialloc"

// development is the version of what was built from a source tree without one.
const development = "(devel)"

// Version returns the version of verialloc, also where another module imports it: such
// as v1.2.0, or (devel) for a build that has none. Where a replace directive takes the
// place of verialloc, it is the version of the replacement.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return development // built without module support
	}
	return versionIn(info)
}

// versionIn finds verialloc among the modules of a build.
func versionIn(info *debug.BuildInfo) string {
	for _, module := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if module.Path != modulePath {
			continue
		}
		if module.Replace != nil {
			module = module.Replace
		}
		return cmp.Or(module.Version, development)
	}
	return development
}
