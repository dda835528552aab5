package assemble

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/verialloc/verialloc/tracer/record"
)

// Program types, numbered as enum bpf_prog_type has them.
const (
	progCgroupSKB   = 8
	progCgroupSock  = 9
	progSKReuseport = 21
	progStructOps   = 27
	progExt         = 28
)

// describe fills in what the loader asked for: all there is of a load that did not reach
// the verifier, or whose result was not read.
func (a *Assembler) describe(r *record.Verification, request *Request) {
	if request.Inputs.From == "" {
		return // its bpf_attr was not in memory
	}
	r.ProgName = request.Name
	r.ProgType = a.progType(request.ProgType)
	a.describeAttach(r, request.ProgType, request.AttachType)
	r.InsnCount = request.InsnCount
	inputs := request.Inputs
	r.Inputs = &inputs
}

// identify says which program was verified. The loader's bpf_attr may name another one by
// now, or may have as it was read: another thread of the loader can write there.
func (a *Assembler) identify(r *record.Verification, request *Request, result *Result) {
	r.ProgName = result.Name
	r.ProgType = a.progType(result.ProgType)
	a.describeAttach(r, result.ProgType, result.AttachType)
	r.AttachProgID, r.AttachProgName = result.AttachProgID, result.AttachProgName
	if r.Inputs != nil && !asked(request, result) {
		other := &record.Verification{}
		a.describeAttach(other, request.ProgType, request.AttachType)
		r.AskedFor = &record.AskedFor{
			ProgName: request.Name, ProgType: a.progType(request.ProgType),
			AttachType: other.AttachType, AttachTypeName: other.AttachTypeName,
		}
	}
}

// asked reports whether a request is for the program that was verified.
func asked(request *Request, result *Result) bool {
	if request.Name != result.Name || request.ProgType != result.ProgType {
		return false
	}
	switch result.ProgType {
	case progExt:
		return true // the verifier gives it the attach type of the program whose function it replaces
	case progCgroupSock, progSKReuseport:
		if request.AttachType == 0 {
			return true // bpf_prog_load_fixup_attach_type() puts the one that is meant there
		}
	}
	return request.AttachType == result.AttachType
}

// describeAttach fills in the attach type. 0 is BPF_CGROUP_INET_INGRESS, which only programs
// of one type mean by it. Of struct_ops it is no attach type, but the index of a member.
func (a *Assembler) describeAttach(r *record.Verification, progType, attachType uint32) {
	r.AttachType, r.AttachTypeName = attachType, ""
	if a.options.AttachType != nil && progType != progStructOps && (attachType != 0 || progType == progCgroupSKB) {
		r.AttachTypeName = a.options.AttachType(attachType)
	}
}

func (a *Assembler) progType(t uint32) string {
	if a.options.ProgType == nil {
		return strconv.FormatUint(uint64(t), 10)
	}
	return a.options.ProgType(t)
}

// programNames are those of a program that the kernel keeps as types.
type programNames struct {
	functions []indexedName
	target    string
}

type indexedName struct {
	index uint32
	name  string
}

func (n *programNames) add(e *Event) {
	switch e.Owner {
	case OwnerFunction:
		n.functions = append(n.functions, indexedName{e.Index, e.Name})
	case OwnerAttachTarget:
		n.target = e.Name
	}
}

// describe fills in the names. Those of subprograms are told all or none.
func (n *programNames) describe(r *record.Verification, result *Result) {
	r.AttachTarget = n.target
	slices.SortFunc(n.functions, func(a, b indexedName) int { return cmp.Compare(a.index, b.index) })
	for i, f := range n.functions {
		switch {
		case f.index != uint32(i):
			r.SubprogramNames = nil
			return
		case i == 0:
			r.FullName = f.name
		default:
			r.SubprogramNames = append(r.SubprogramNames, f.name)
		}
	}
	if len(n.functions) != int(result.Functions) {
		r.SubprogramNames = nil
	}
}
