package bench

import (
	"math/rand/v2"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/tracer/record"
)

// Plan says how often to load and how.
type Plan struct {
	Repeat   int // bare loads of each program that count
	Traced   int // the same of traced loads
	Warmup   int // loads of each program ahead of the bare ones, and of the traced ones
	Parallel int // loaders at once
	// CPUs are what loaders are pinned to: one CPU each, in turn. Empty: they are not.
	CPUs []int
	Seed uint64 // of the order within rounds

	// Options of each load, but for name and counters.
	Options load.Options
	// GrowLog makes a load again with a larger log where Options.LogSize is too little
	// for it: the kernel rejects such a load with ENOSPC, whatever the program.
	GrowLog bool
	// Counters opens the counters of the calling thread, for bare loads; nil: none
	// are taken.
	Counters func() *load.Counters
	// Loaded, if not nil, is told of each load after it, warm-ups included.
	Loaded func()
	// Logged, if not nil, is given the log of each bare sample, ahead of the sample: see
	// load.Stats.
	Logged func(p *record.Program, s *record.Sample, log string)
}

// Loads is how many loads there are in all for so many programs, if all of them can be
// loaded.
func (p *Plan) Loads(programs int) int {
	loads := p.warmed(p.Repeat) + p.warmed(p.Traced)
	return loads * programs
}

// warmed adds the warm-up to loads of a mode, if there are any.
func (p *Plan) warmed(loads int) int {
	if loads == 0 {
		return 0
	}
	return loads + p.Warmup
}

// job is one load to make. It holds no pointers, so that a long run's are no work for
// the garbage collector.
type job struct {
	program int // index
	round   int // below 0: warming up
}

// rounds returns the loads of so many counted rounds, warm-up first. A single load of
// each program is made in the order given, so that those of an object come together.
func (p *Plan) rounds(random *rand.Rand, programs, counted int) []job {
	order := make([]int, programs)
	for i := range order {
		order[i] = i
	}
	jobs := make([]job, 0, p.warmed(counted)*programs)
	if counted == 0 {
		return jobs
	}
	for round := -p.Warmup; round < counted; round++ {
		if p.Loads(1) > 1 {
			random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		for _, program := range order {
			jobs = append(jobs, job{program: program, round: round})
		}
	}
	return jobs
}

const (
	// maxLeg and maxLogs keep small what a leg leaves behind: each load has a log.
	maxLeg  = 64
	maxLogs = 64 << 20 // bytes
	// perLoader is how many loads of a leg there are for each of several loaders, at
	// least: the last ones of a leg have fewer others beside them.
	perLoader = 8
)

// leg is how many loads make a leg: those of a round, more with several loaders, fewer
// where rounds are long.
func (p *Plan) leg(programs int) int {
	least := 1
	if p.Parallel > 1 {
		least = perLoader * p.Parallel
	}
	rounds := (least + programs - 1) / programs
	most := maxLeg
	if size := p.Options.LogSize; size > 0 {
		most = min(most, max(1, maxLogs/size))
	}
	return min(rounds*programs, max(most, least))
}
