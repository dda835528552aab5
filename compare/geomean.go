package compare

import (
	"math"
	"slices"

	"github.com/verialloc/verialloc/compare/stats"
)

// geometricMean judges all rows of a metric as one; nil where fewer than two can be.
func (m method) geometricMean(metric *metric, trials []*trial) *GeometricMean {
	var pairs []stats.Pair
	// Rows are measured together, and what disturbs one disturbs the others: the mean may
	// be off by as much as all rows are together, each by its floor.
	enough, floor := true, 0.0
	for _, t := range trials {
		judged := t.P != nil || t.Deterministic || t.Reason == ReasonOneSample
		pair := stats.Pair{A: t.a, B: t.b}
		if !judged || slices.Min(pair.A) <= 0 || slices.Min(pair.B) <= 0 {
			continue
		}
		pairs = append(pairs, pair)
		if !t.Deterministic {
			floor += math.Log1p(max(t.floor, t.within.bound) / t.median)
		}
		enough = enough && (t.Deterministic || min(len(t.a), len(t.b)) >= halvesFloor)
	}
	if len(pairs) < 2 {
		return nil
	}
	g := &GeometricMean{Metric: metric.name, Rows: len(pairs), Percent: 100 * (stats.GeometricMean(pairs) - 1), Verdict: Inconclusive}
	if !enough {
		return g
	}
	mean := stats.GeometricMeanInterval(pairs, m.confidence, stats.Random(m.seed, "geomean", metric.name))
	lo, hi := 100*(mean.Lo-1), 100*(mean.Hi-1)
	g.LoPercent, g.HiPercent = &lo, &hi
	floor = 100 * math.Expm1(floor/float64(len(pairs)))
	g.FloorPercent = finite(floor)
	switch {
	case math.IsNaN(floor):
	case (lo > 0 || hi < 0) && math.Abs(g.Percent) > floor:
		g.Verdict = direction(metric, g.Percent)
	case floor <= m.maxFloor && lo >= -floor && hi <= floor:
		g.Verdict = Same
	}
	return g
}

// Unremarkable reports whether it is of rows that are all the same.
func (g *GeometricMean) Unremarkable() bool {
	return g.Verdict == Same && g.FloorPercent != nil && *g.FloorPercent == 0
}
