package assemble

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/verialloc/verialloc/tracer/record"
)

// identityOptions name two types of each kind.
var identityOptions = Options{
	ProgType: func(n uint32) string { return map[uint32]string{1: "socket_filter", 6: "xdp"}[n] },
	AttachType: func(n uint32) string {
		return map[uint32]string{0: "cgroup_inet_ingress", 2: "cgroup_inet_sock_create"}[n]
	},
}

// What was verified is named, whatever the loader's memory says, and that takes nothing
// from the record.
func TestVerifiedProgramIsNamed(t *testing.T) {
	for _, c := range []struct {
		name    string
		request Request
		result  Result
		want    *record.AskedFor
	}{
		{"the same", Request{Name: "p", ProgType: 6}, Result{Name: "p", ProgType: 6}, nil},
		{"other name", Request{Name: "q", ProgType: 6}, Result{Name: "p", ProgType: 6}, &record.AskedFor{ProgName: "q", ProgType: "xdp"}},
		{"other type", Request{Name: "p", ProgType: 1}, Result{Name: "p", ProgType: 6}, &record.AskedFor{ProgName: "p", ProgType: "socket_filter"}},
		{
			"other attach type",
			Request{Name: "p", ProgType: 6, AttachType: 2},
			Result{Name: "p", ProgType: 6},
			&record.AskedFor{ProgName: "p", ProgType: "xdp", AttachType: 2, AttachTypeName: "cgroup_inet_sock_create"},
		},
		{"attach type that the kernel puts in", Request{ProgType: progCgroupSock}, Result{ProgType: progCgroupSock, AttachType: 2}, nil},
		{"of the program replaced", Request{ProgType: progExt}, Result{ProgType: progExt, AttachType: 2}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStream(t, kernel6_18, identityOptions)
			l := s.startLoad(1)
			c.request.Inputs = record.Inputs{From: record.InputsFromLoader}
			l.end.Request = c.request
			c.result.Valid = true
			l.end.Result = c.result
			v := l.finish()
			if v.ProgName != c.result.Name || v.ProgType != identityOptions.ProgType(c.result.ProgType) || v.AttachType != c.result.AttachType {
				t.Errorf("named %s, %s, attach type %d", v.ProgName, v.ProgType, v.AttachType)
			}
			if diff := cmp.Diff(c.want, v.AskedFor); diff != "" {
				t.Errorf("asked for (-want +got):\n%s", diff)
			}
			wantExact(t, v)
		})
	}
}

// The index of a member of struct_ops is no attach type.
func TestStructOpsHasNoAttachType(t *testing.T) {
	l := newStream(t, kernel6_18, identityOptions).startLoad(1)
	l.end.Request = Request{ProgType: progStructOps, AttachType: 2, Inputs: fromKernel}
	l.end.Result.ProgType, l.end.Result.AttachType, l.end.Result.Name = progStructOps, 2, ""
	if v := l.finish(); v.AttachType != 2 || v.AttachTypeName != "" || v.AskedFor != nil {
		t.Errorf("attach type %d, %q, asked for %v", v.AttachType, v.AttachTypeName, v.AskedFor)
	}
}

// Names are told whole: of the subprograms all or none.
func TestProgramNames(t *testing.T) {
	main, one, two := Event{Name: "main"}, Event{Name: "one", Index: 1}, Event{Name: "two", Index: 2}
	for _, c := range []struct {
		name      string
		functions uint32
		sent      []Event
		full      string
		rest      []string
		exact     bool
	}{
		{name: "no types", exact: true},
		{name: "entry alone", functions: 1, sent: []Event{main}, full: "main", exact: true},
		{name: "all", functions: 3, sent: []Event{main, one, two}, full: "main", rest: []string{"one", "two"}, exact: true},
		{name: "a middle one was lost", functions: 3, sent: []Event{main, two}, full: "main"},
		{name: "the last was lost", functions: 3, sent: []Event{main, one}, full: "main"},
		{name: "the first was lost", functions: 3, sent: []Event{one, two}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newStream(t, kernel6_18, Options{}).startLoad(1)
			for _, e := range c.sent {
				e.Kind, e.Owner, e.Verification = KindName, OwnerFunction, l.id
				l.s.none(e)
			}
			l.end.Result.Functions, l.end.Names = c.functions, uint64(c.functions)
			v := l.finish()
			if v.FullName != c.full || !cmp.Equal(v.SubprogramNames, c.rest) || v.Exact != c.exact {
				t.Errorf("%q, %q, exact %v: %v", v.FullName, v.SubprogramNames, v.Exact, v.Lossy)
			}
		})
	}
}

func TestAttachTarget(t *testing.T) {
	l := newStream(t, kernel6_18, Options{}).startLoad(1)
	l.s.none(Event{Kind: KindName, Owner: OwnerAttachTarget, Verification: l.id, Name: "vfs_read"})
	l.end.Names, l.end.ProgID = 1, 77
	l.end.Result.AttachBTFID, l.end.Result.AttachProgID, l.end.Result.AttachProgName = 5, 6, "target"
	v := l.finish()
	if v.AttachTarget != "vfs_read" || v.AttachProgID != 6 || v.AttachProgName != "target" || v.Inputs.AttachBTFID != 5 || v.ProgID != 77 {
		t.Errorf("got %+v", v)
	}
	wantExact(t, v)
}
