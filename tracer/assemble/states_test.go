package assemble

import "testing"

// Each kernel's formula for peak_states follows from the verifier's own objects.
func TestTracedPeak(t *testing.T) {
	onBoth := func(events func(l *load), final, maximum uint64) map[PeakRule]struct {
		events func(l *load)
		want   uint64
	} {
		return map[PeakRule]struct {
			events func(l *load)
			want   uint64
		}{PeakFinal: {events, final}, PeakMaximum: {events, maximum}}
	}
	for name, byRule := range map[string]map[PeakRule]struct {
		events func(l *load)
		want   uint64
	}{
		"no state": onBoth(func(*load) {}, 0, 0),
		"none is evicted": onBoth(func(l *load) {
			l.subprogram(3, 0)
		}, 3, 3),
		"evictions": onBoth(func(l *load) {
			l.subprogram(5, 2)
		}, 3, 5),
		"all are evicted": onBoth(func(l *load) {
			l.subprogram(4, 4)
		}, 0, 4),
		"what a subprogram leaves goes on counting": onBoth(func(l *load) {
			l.subprogram(3, 1)
			l.subprogram(2, 0)
		}, 4, 4),
		"three subprograms, the peak in the second": onBoth(func(l *load) {
			l.subprogram(1, 0)
			l.subprogram(6, 5)
			l.subprogram(2, 1)
		}, 3, 7),
		"an eviction right after a new subprogram's start": onBoth(func(l *load) {
			kept := l.list()
			l.free(l.alloc("do_check_common", l.s.kernel.State), "free_states") // draining
			l.alloc("do_check_common", l.s.kernel.State)                        // no more
			l.free(kept, "do_check_common")
			l.list()
		}, 1, 1),
		"a list that is freed while draining": onBoth(func(l *load) {
			list := l.list()
			l.free(l.alloc("do_check_common", l.s.kernel.State), "free_states")
			l.free(list, "free_states")
			l.list()
		}, 2, 2),
	} {
		for rule, c := range byRule {
			t.Run(name+" by "+string(rule), func(t *testing.T) {
				kernel := kernel6_18
				kernel.PeakRule = rule
				l := newStream(t, kernel, Options{}).startLoad(1)
				c.events(l)
				v := l.finish()
				if v.TracedPeak != c.want {
					t.Errorf("peak %d, want %d", v.TracedPeak, c.want)
				}
				if v.StateListAllocs != v.TotalStates {
					t.Errorf("%d states, want %d", v.StateListAllocs, v.TotalStates)
				}
				checkSums(t, v)
			})
		}
	}
}

func TestBackedges(t *testing.T) {
	for rule, want := range map[PeakRule]uint64{PeakFinal: 1, PeakMaximum: 5} {
		t.Run(string(rule), func(t *testing.T) {
			kernel := kernel6_18
			kernel.PeakRule = rule
			l := newStream(t, kernel, Options{}).startLoad(1)
			current := l.alloc("do_check_common", kernel.State)
			a := l.alloc("do_check_common", kernel.SCCBackedge)
			l.list()
			b := l.alloc("do_check_common", kernel.SCCBackedge)
			c := l.alloc("do_check_common", kernel.SCCBackedge)
			l.free(a, "free_backedges")
			l.free(current, "free_states")
			l.free(b, "free_backedges") // does not count: draining
			l.free(c, "free_backedges")
			l.alloc("do_check_common", kernel.State)
			for range 2 {
				l.alloc("do_check_common", kernel.SCCBackedge)
			}
			v := l.finish()
			if v.TracedPeak != want || v.StateListAllocs != 1 {
				t.Errorf("peak %d of %d states, want %d of 1", v.TracedPeak, v.StateListAllocs, want)
			}
			if g := groupOf(v.Types, "scc_backedge"); g.Allocs != 5 || g.Frees != 3 {
				t.Errorf("backedges: %+v", g)
			}
		})
	}
}

// A stack element as large as a state list is none.
func TestOnlyStateListsAreStates(t *testing.T) {
	l := newStream(t, kernel6_18, Options{}).startLoad(1)
	for range 3 {
		l.free(l.alloc("push_stack", kernel6_18.StackElem), "pop_stack")
	}
	l.subprogram(2, 0)
	v := l.peak(2).finish()
	wantExact(t, v)
	if v.StateListAllocs != 2 || groupOf(v.Types, "stack_elem").Allocs != 4 {
		t.Errorf("%d states and %d stack elements, want 2 and 4", v.StateListAllocs, groupOf(v.Types, "stack_elem").Allocs)
	}
}
