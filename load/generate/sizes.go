package generate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/asm"

	"github.com/verialloc/verialloc/load"
	"github.com/verialloc/verialloc/tracer/record"
)

// stressFile is the name that stands for the file of a generated program.
const stressFile = "stress"

// kind is a kind of program that can be generated in many sizes.
type kind struct {
	name string
	max  int
	make func(size int) Case
}

// kinds are in the order of messages. The largest size is the largest that the verifier
// accepts, or that the program can be generated in.
var kinds = []kind{
	{"branches", maxBranches, Stress},
	{"loops", maxLoops, Loop},
	{"subprograms", maxDepth, Subprograms},
	{"stack", maxSlots, StackUse},
}

const (
	// maxBranches makes the verifier process 750,000 instructions.
	maxBranches = 100_000
	// maxLoops is how many iterations of three instructions the verifier processes.
	maxLoops = (maxInstructions - 3) / 3 // 333,332
)

// Parse generates the programs of a list, as [List] reads it, in its order.
func Parse(text string) ([]load.Subject, error) {
	programs, err := List(text)
	if err != nil {
		return nil, err
	}
	subjects := make([]load.Subject, 0, len(programs))
	for _, p := range programs {
		s, err := generated(p)
		if err != nil {
			return nil, fmt.Errorf("%s=%d: %w", p.Kind, p.Size, err)
		}
		subjects = append(subjects, s)
	}
	return subjects, nil
}

// List reads a list of kinds and sizes, such as "branches=100,1000 loops=500". Kinds are
// branches, loops, subprograms and stack, separated by white space. A program that is in
// the list twice, or that cannot be generated, is an error.
func List(text string) ([]record.Generated, error) {
	var programs []record.Generated
	for _, list := range strings.Fields(text) {
		name, sizes, ok := strings.Cut(list, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not a kind and sizes, such as branches=100,1000", list)
		}
		k, err := findKind(name)
		if err != nil {
			return nil, err
		}
		for size := range strings.SplitSeq(sizes, ",") {
			n, err := strconv.Atoi(size)
			if err != nil || n < 1 || n > k.max {
				return nil, fmt.Errorf("%s=%s: the size has to be a number from 1 to %d", name, size, k.max)
			}
			program := record.Generated{Kind: k.name, Size: n}
			if slices.Contains(programs, program) {
				return nil, fmt.Errorf("%s=%s: it is there twice", name, size)
			}
			programs = append(programs, program)
		}
	}
	if len(programs) == 0 {
		return nil, errors.New("no generated programs, such as branches=100,1000")
	}
	return programs, nil
}

func findKind(name string) (kind, error) {
	var names []string
	for _, k := range kinds {
		if k.name == name {
			return k, nil
		}
		names = append(names, k.name)
	}
	return kind{}, fmt.Errorf("%q is not a kind of generated program: there are %s", name, strings.Join(names, ", "))
}

// generated generates a program of a list.
func generated(program record.Generated) (*subject, error) {
	k, err := findKind(program.Kind)
	if err != nil {
		return nil, err
	}
	spec := k.make(program.Size).Spec
	spec.Name = fmt.Sprintf("%s_%d", program.Kind, program.Size)
	code, err := load.Encode(slices.Clone(spec.Instructions))
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(code)
	return &subject{spec, record.Program{
		Generated: &program,
		File:      stressFile,
		Name:      spec.Name,
		SHA256:    hex.EncodeToString(hash[:]),
		Type:      record.ProgramTypeName(uint32(spec.Type)),
		Attach:    record.AttachTypeName(uint32(spec.AttachType)),
		InsnCount: len(code) / asm.InstructionSize,
	}}, nil
}
