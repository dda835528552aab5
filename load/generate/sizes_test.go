package generate

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/load/internal/loadtest"
)

func TestParse(t *testing.T) {
	subjects, err := Parse(" branches=100,7 stack=64  loops=5 subprograms=7 ")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	hashes := make(map[string]bool)
	for _, subject := range subjects {
		s := subject.Describe()
		names = append(names, s.Name)
		hashes[s.SHA256] = true
		if s.Generated == nil || s.Name != fmt.Sprintf("%s_%d", s.Generated.Kind, s.Generated.Size) {
			t.Errorf("%s was generated as %+v", s.Name, s.Generated)
		}
		if s.File != "stress" || s.Path != "" || s.Type != "socket_filter" || len(s.SHA256) != 64 {
			t.Errorf("%s: %+v", s.Name, s)
		}
	}
	if got, want := strings.Join(names, " "), "branches_100 branches_7 stack_64 loops_5 subprograms_7"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(hashes) != len(subjects) {
		t.Errorf("%d hashes of %d programs", len(hashes), len(subjects))
	}
	if n := subjects[0].Describe().InsnCount; n != 2*100+2 {
		t.Errorf("100 branches have %d instructions", n)
	}
	if again, _ := Parse("branches=100"); again[0].Describe().SHA256 != subjects[0].Describe().SHA256 {
		t.Error("the hash of the same program differs")
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "no generated programs, such as branches=100,1000",
		"branches":                   `"branches" is not a kind and sizes, such as branches=100,1000`,
		"twigs=1":                    `"twigs" is not a kind of generated program: there are branches, loops, subprograms, stack`,
		"branches=":                  "branches=: the size has to be a number from 1 to 100000",
		"branches=1,":                "branches=: the size has to be a number from 1 to 100000",
		"stack=65":                   "stack=65: the size has to be a number from 1 to 64",
		"subprograms=0":              "subprograms=0: the size has to be a number from 1 to 7",
		"loops=-1":                   "loops=-1: the size has to be a number from 1 to 333332",
		"branches=5,5":               "branches=5: it is there twice",
		"branches=5 branches=05":     "branches=05: it is there twice",
		"loops=99999999999999999999": "loops=99999999999999999999: the size has to be a number from 1 to 333332",
	} {
		if subjects, err := Parse(text); err == nil || err.Error() != want || subjects != nil {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// TestStressLimits loads the largest program of each kind, which the verifier accepts.
func TestStressLimits(t *testing.T) {
	loadtest.RequireRoot(t)
	for _, text := range []string{"subprograms=1,7", "stack=1,64", "loops=1", "branches=1", fmt.Sprintf("loops=%d", maxLoops)} {
		subjects, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, subject := range subjects {
			stats, s := loadSubject(t, subject), subject.Describe()
			if stats.Errno != 0 || stats.ProgSize != s.InsnCount || stats.ProgSizeJited == 0 {
				t.Errorf("%s: %+v", s.Name, stats)
			}
		}
	}
}

// TestLoopLimit checks that a program beyond the limit is rejected.
func TestLoopLimit(t *testing.T) {
	loadtest.RequireRoot(t)
	stats, err := load.Load(Loop(maxLoops+1).Spec, load.Options{})
	if err != nil || stats.Errno != unix.E2BIG {
		t.Errorf("%+v, error %v", stats, err)
	}
}

// loadSubject prepares a program and loads it once.
func loadSubject(t *testing.T, s load.Subject) load.Stats {
	t.Helper()
	p, err := s.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	stats, err := p.Load(load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

// FuzzParse checks that what is accepted is in the ranges and valid for the
// kernel.
func FuzzParse(f *testing.F) {
	f.Add("branches=100,1000 loops=5")
	f.Add("stack=64")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 100 {
			return // sizes make programs
		}
		subjects, err := Parse(text)
		if err == nil && len(subjects) == 0 {
			t.Error("neither programs nor an error")
		}
		for _, subject := range subjects {
			s := subject.Describe()
			if len(s.Name) >= unix.BPF_OBJ_NAME_LEN || s.InsnCount < 2 || s.InsnCount > maxInstructions {
				t.Errorf("%+v", s)
			}
		}
	})
}
