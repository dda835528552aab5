package compare

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/tracer/record"
)

func subjectOf(build string, given ...*record.Inputs) *subject {
	s := &subject{build: build, inputs: map[string][]string{}}
	for _, i := range given {
		s.addInputs(i)
	}
	return s
}

func TestDifferentInputs(t *testing.T) {
	no, yes := false, true
	for name, c := range map[string]struct {
		base, comp *subject
		want       []Difference
	}{
		"alike":         {subjectOf("a", &record.Inputs{LogLevel: 4}), subjectOf("b", &record.Inputs{LogLevel: 4}), []Difference{}},
		"log level":     {subjectOf("a", &record.Inputs{LogLevel: 4}), subjectOf("a", &record.Inputs{LogLevel: 2}), []Difference{{"log_level", "4", "2"}}},
		"flags":         {subjectOf("a", &record.Inputs{ProgFlags: 2}), subjectOf("a", &record.Inputs{ProgFlags: 10}), []Difference{{"prog_flags", "2", "10"}}},
		"not recorded":  {subjectOf("a"), subjectOf("a", &record.Inputs{LogLevel: 4}), []Difference{}},
		"license":       {subjectOf("a", &record.Inputs{GPL: &yes}), subjectOf("a", &record.Inputs{GPL: &no}), []Difference{{"gpl", "true", "false"}}},
		"not known":     {subjectOf("a", &record.Inputs{GPL: &yes}), subjectOf("a", &record.Inputs{}), []Difference{}},
		"privileges":    {subjectOf("a", &record.Inputs{Privileges: []string{"x", "y"}}), subjectOf("a", &record.Inputs{Privileges: []string{}}), []Difference{{"privileges", "[x y]", "[]"}}},
		"varies":        {subjectOf("a", &record.Inputs{}, &record.Inputs{Token: true}), subjectOf("a", &record.Inputs{}), []Difference{{"token", varies, "false"}}},
		"type":          {subjectOf("a", &record.Inputs{AttachBTFID: 1}), subjectOf("a", &record.Inputs{AttachBTFID: 2}), []Difference{{"attach_btf_id", "1", "2"}}},
		"another build": {subjectOf("a", &record.Inputs{AttachBTFID: 1}), subjectOf("b", &record.Inputs{AttachBTFID: 2}), []Difference{}},
		"version":       {subjectOf("a", &record.Inputs{KernelVersion: 1}), subjectOf("a", &record.Inputs{KernelVersion: 2}), []Difference{}},
	} {
		if diff := cmp.Diff(c.want, differentWork(pair{c.base, c.comp})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Every input is compared, by its name in the recording, except where it came from and
// what changes nothing.
func TestInputsAreCompared(t *testing.T) {
	compared := map[string]bool{"from": true, "kernel_version": true}
	for _, in := range inputs {
		compared[in.name] = true
	}
	of := reflect.TypeFor[record.Inputs]()
	for i := range of.NumField() {
		if name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ","); !compared[name] {
			t.Errorf("%s is not compared", name)
		}
	}
}
