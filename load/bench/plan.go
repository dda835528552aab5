package bench

import (
	"math/rand/v2"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/tracer/record"
)

// Plan says how often to load and how.
type Plan struct {
	Repeat   int // counted bare loads per program
	Traced   int // counted traced loads per program
	Warmup   int // loads per program before the bare ones, and before the traced ones
	Parallel int // loaders at a time
	// CPUs are the CPUs that loaders are pinned to, one each, in turn. Empty: none is
	// pinned.
	CPUs []int
	Seed uint64 // of the order within rounds

	// Options are those of each load, except for name and counters.
	Options load.Options
	// GrowLog repeats a load with a larger log where Options.LogSize is too small: the
	// kernel ends such a load with ENOSPC, even if the program is valid.
	GrowLog bool
	// Counters opens the counters of the calling thread, for bare loads; nil: bench counts
	// nothing.
	Counters func() *load.Counters
	// Loaded, if not nil, is called after each load, warm-ups included.
	Loaded func()
	// Logged, if not nil, is called with the log of each bare sample, before the recorder
	// gets the sample: see load.Stats.
	Logged func(p *record.Program, s *record.Sample, log string)
}

// Loads returns how many loads the plan makes of a number of programs, if all of them can
// be loaded.
func (p *Plan) Loads(programs int) int {
	loads := p.warmed(p.Repeat) + p.warmed(p.Traced)
	return loads * programs
}

// warmed adds the warm-up to the loads of a mode, unless it has none.
func (p *Plan) warmed(loads int) int {
	if loads == 0 {
		return 0
	}
	return loads + p.Warmup
}

// job is one load to make. It holds no pointers, so that the garbage collector does not
// scan the jobs of a long run.
type job struct {
	program int // index
	round   int // below 0: warming up
}

// rounds returns the loads of the counted rounds, warm-up first. A plan with a single load
// of each program keeps the order of the programs, so that those of an object follow each
// other.
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
	// maxLeg and maxLogs limit the garbage of a leg: each load has a log.
	maxLeg  = 64
	maxLogs = 64 << 20 // bytes
	// perLoader is the least number of loads that a leg has for each of several loaders:
	// the last loads of a leg run beside fewer others.
	perLoader = 8
)

// leg returns how many loads make a leg: as many as a round has, more with several
// loaders, fewer where rounds are long.
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
