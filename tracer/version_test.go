package tracer

import (
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	own := func(version string) debug.Module { return debug.Module{Path: modulePath, Version: version} }
	consumer := debug.Module{Path: "example.com/consumer", Version: "v9.9.9"}
	imported := own("v1.2.0")
	replaced, forked := own("v1.2.0"), own("v1.2.0")
	replaced.Replace = &debug.Module{Path: "../verialloc"}
	forked.Replace = &debug.Module{Path: "example.com/fork", Version: "v1.2.1"}
	other := &debug.Module{Path: "example.com/other", Version: "v3.0.0"}
	for _, c := range []struct {
		name string
		info debug.BuildInfo
		want string
	}{
		{"verialloc", debug.BuildInfo{Main: own("v1.2.0")}, "v1.2.0"},
		{"a test of verialloc", debug.BuildInfo{Main: own("")}, "(devel)"},
		{"imported", debug.BuildInfo{Main: consumer, Deps: []*debug.Module{other, &imported}}, "v1.2.0"},
		{"replaced by a directory", debug.BuildInfo{Main: consumer, Deps: []*debug.Module{&replaced}}, "(devel)"},
		{"replaced by a fork", debug.BuildInfo{Main: consumer, Deps: []*debug.Module{&forked}}, "v1.2.1"},
		{"copied", debug.BuildInfo{Main: consumer, Deps: []*debug.Module{other}}, "(devel)"},
	} {
		if got := versionIn(&c.info); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
