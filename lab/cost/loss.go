package main

import (
	"time"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/generate"
)

// pace is how fast programs were loaded when a tracer first lost an event; Lost is 0
// for one that lost none even at full speed.
type pace struct {
	LoadsPerS float64 `json:"loads_per_s"`
	Lost      uint64  `json:"lost"`
}

// settling is the time in which a tracer does what is left to do after a load, and the
// kernel what is left of booting: on 7.3 that doubled the time of the first loads.
const settling = time.Second

// firstLoss loads the stress program faster and faster, up to back to back, until the
// tracer says that it lost something.
func firstLoss(lost func() (uint64, error)) (*pace, error) {
	const loads = 4
	p := generate.Stress(1000)
	before, err := lost()
	if err != nil {
		return nil, err
	}
	var at pace
	for _, slower := range []int{16, 8, 4, 2, 1} {
		begin := time.Now()
		for range loads {
			start := time.Now()
			if _, err := load.Load(p.Spec, load.Options{}); err != nil {
				return nil, err
			}
			time.Sleep(time.Duration(slower-1) * time.Since(start))
		}
		at.LoadsPerS = loads / time.Since(begin).Seconds()
		time.Sleep(settling)
		now, err := lost()
		if err != nil {
			return nil, err
		}
		if at.Lost = now - before; at.Lost > 0 {
			break
		}
	}
	return &at, nil
}
