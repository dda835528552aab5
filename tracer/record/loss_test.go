package record

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The table of docs/record.md is this one.
func TestLossClassesAreDocumented(t *testing.T) {
	docs, err := os.ReadFile("../../docs/record.md")
	if err != nil {
		t.Fatal(err)
	}
	want := "| reason | what is counted |\n|---|---|\n"
	for _, c := range LossClasses {
		want += fmt.Sprintf("| `%s` | %s |\n", c.Reason, c.Counts)
		if !c.Verification && !c.Tracing {
			t.Errorf("%s is nobody's loss", c.Reason)
		}
		if c.Unrecorded && !c.Tracing {
			t.Errorf("%s leaves loads without a record, but a record has it", c.Reason)
		}
		if c.Remedy != "" && c.Remedy.Advice() == "" {
			t.Errorf("remedy %s of %s has no words", c.Remedy, c.Reason)
		}
	}
	if !strings.Contains(string(docs), want+"\n") {
		t.Errorf("docs/record.md does not have:\n%s", want)
	}
}

func TestRemedy(t *testing.T) {
	one := func(reasons ...string) (losses []Loss) {
		for _, r := range reasons {
			losses = append(losses, Loss{Reason: r, Count: 1})
		}
		return losses
	}
	for _, c := range []struct {
		losses     []Loss
		want       Remedy
		unrecorded bool
	}{
		{nil, "", false},
		{[]Loss{{Reason: LossOrphans}}, "", false},
		{one(LossRingFull), RemedyRing, false},
		{one(LossEnds), RemedyRing, false},
		{one(LossLateEnds), RemedyRing, false},
		{one(LossTasksFull, LossStarts), RemedyRing, true},
		{one(LossOrphans), RemedyRing, true},
		{one(LossTasksFull, LossLoadsFull), RemedyLess, true},
		{one(LossTasksFull), RemedyMachine, true},
		{one(LossRecursion), "", false},
		{one(LossBlind), RemedyRepeat, false},
		{one("of a later version"), "", false},
	} {
		if got := RemedyOf(c.losses); got != c.want {
			t.Errorf("against %v helps %q, want %q", c.losses, got, c.want)
		}
		if got := Unrecorded(c.losses); got != c.unrecorded {
			t.Errorf("%v leave loads without a record: %t, want %t", c.losses, got, c.unrecorded)
		}
		// How to follow advice is for the program to say that shows it.
		if advice := RemedyOf(c.losses).Advice(); strings.Contains(advice, "--") {
			t.Errorf("%q names a flag", advice)
		}
	}
}
