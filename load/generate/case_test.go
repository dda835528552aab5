package generate

import "testing"

func TestStressStates(t *testing.T) {
	small, large := loadCase(t, Stress(100)), loadCase(t, Stress(1000))
	if large.TotalStates != 874 || large.PeakStates != 874 {
		t.Errorf("total_states %d, peak_states %d, want 874", large.TotalStates, large.PeakStates)
	}
	if small.TotalStates >= large.TotalStates || small.InsnsProcessed >= large.InsnsProcessed {
		t.Errorf("100 branches: %+v, not less than 1000: %+v", small, large)
	}
}

func TestLoopWalksEveryIteration(t *testing.T) {
	const iterations = 1000

	stats := loadCase(t, Loop(iterations))
	if stats.InsnsProcessed < 3*iterations {
		t.Errorf("%d instructions processed, want 3 for each of %d iterations", stats.InsnsProcessed, iterations)
	}
}

func TestSubprogramsWalkEachCall(t *testing.T) {
	stats := loadCase(t, Subprograms(maxDepth))
	if walks := 1 << maxDepth; stats.InsnsProcessed < 3*walks {
		t.Errorf("%d instructions processed, want 3 for each of %d walks", stats.InsnsProcessed, walks)
	}
	if len(stats.StackDepth) != 1+maxDepth {
		t.Errorf("stack depth %v, want one for each of %d functions", stats.StackDepth, 1+maxDepth)
	}
}

func TestGlobalFunctionsVerifyEach(t *testing.T) {
	one, many := loadCase(t, GlobalFunctions(1)), loadCase(t, GlobalFunctions(16))
	if many.InsnsProcessed < 15*one.InsnsProcessed || len(many.StackDepth) != 17 {
		t.Errorf("16 functions: %+v, one: %+v", many, one)
	}
}

func TestStackUseDepth(t *testing.T) {
	stats := loadCase(t, StackUse(maxSlots))
	if len(stats.StackDepth) != 1 || stats.StackDepth[0] != 8*maxSlots {
		t.Errorf("stack depth %v, want %d", stats.StackDepth, 8*maxSlots)
	}
}

func TestLargeSize(t *testing.T) {
	const blocks = 5000

	p := Large(blocks)
	if n := len(p.Spec.Instructions); n < 50_000 {
		t.Errorf("%d instructions, want 50000", n)
	}
	if stats := loadCase(t, p); stats.InsnsProcessed < 100_000 {
		t.Errorf("%d instructions processed, want 100000", stats.InsnsProcessed)
	}
}

func TestTooComplexReachesLimit(t *testing.T) {
	stats := loadCase(t, TooComplex())
	if stats.InsnsProcessed != maxInstructions+1 {
		t.Errorf("%d instructions processed, want %d", stats.InsnsProcessed, maxInstructions+1)
	}
}

func TestBadAccessHasStates(t *testing.T) {
	const branches = 500

	stats := loadCase(t, BadAccess(branches))
	if stats.TotalStates == 0 || stats.InsnsProcessed < branches {
		t.Errorf("rejected after %d instructions with %d states", stats.InsnsProcessed, stats.TotalStates)
	}
}

func TestInvalidProcessesNothing(t *testing.T) {
	stats := loadCase(t, Invalid())
	if !stats.Verified || stats.InsnsProcessed != 0 {
		t.Errorf("%+v, want the verifier's statistics with nothing processed", stats)
	}
}

func TestTooLongIsNotVerified(t *testing.T) {
	if stats := loadCase(t, TooLong()); stats.Verified {
		t.Errorf("%+v, want no statistics", stats)
	}
}
