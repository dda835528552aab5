package veristat

// A Stat is a column of a table: the name of a row, a property of a program, or a
// number that the verifier reports of it.
type Stat int

// The stats, in the order of veristat's CSV.
const (
	FileName Stat = iota
	ProgName
	Verdict          // 1: success, 0: failure
	Duration         // microseconds
	TotalInsns       // instructions processed
	TotalStates      // states created
	PeakStates       // states held at once at most
	MaxStatesPerInsn // states held for one instruction at most
	MaxMarkReadLen
	ProgSize      // instructions of the object
	ProgSizeJited // bytes
	ProgType      // as libbpf numbers them
	AttachType    // as libbpf numbers them
	StackDepth    // bytes, summed over subprograms
	MaxStackDepth // bytes of the deepest call chain; veristat after 0.5.1
	MemPeak       // MiB, rounded down; -1 if it was not measured

	statCount
)

// definitions holds what veristat calls each stat. The first name is canonical, the
// others are aliases.
var definitions = [statCount]struct {
	header string
	names  []string
}{
	FileName:         {"File", []string{"file_name", "filename", "file"}},
	ProgName:         {"Program", []string{"prog_name", "progname", "prog"}},
	Verdict:          {"Verdict", []string{"verdict"}},
	Duration:         {"Duration (us)", []string{"duration", "dur"}},
	TotalInsns:       {"Insns", []string{"total_insns", "insns"}},
	TotalStates:      {"States", []string{"total_states", "states"}},
	PeakStates:       {"Peak states", []string{"peak_states"}},
	MaxStatesPerInsn: {"Max states per insn", []string{"max_states_per_insn"}},
	MaxMarkReadLen:   {"Max mark read length", []string{"max_mark_read_len", "mark_read"}},
	ProgSize:         {"Program size", []string{"prog_size"}},
	ProgSizeJited:    {"Jited size", []string{"prog_size_jited"}},
	ProgType:         {"Program type", []string{"prog_type"}},
	AttachType:       {"Attach type", []string{"attach_type"}},
	StackDepth:       {"Stack depth", []string{"stack_depth", "stack"}},
	MaxStackDepth:    {"Max stack depth", []string{"max_stack_depth"}},
	MemPeak:          {"Peak memory (MiB)", []string{"mem_peak"}},
}

// byName finds a stat by its name or an alias of it.
var byName = func() map[string]Stat {
	m := make(map[string]Stat)
	for s, d := range definitions {
		for _, name := range d.names {
			m[name] = Stat(s)
		}
	}
	return m
}()

// Name returns the canonical name, which heads the column in CSV.
func (s Stat) Name() string { return definitions[s].names[0] }

// Header returns the title of the column in a table for people.
func (s Stat) Header() string { return definitions[s].header }

// String returns the canonical name.
func (s Stat) String() string { return s.Name() }

// IsKey reports whether s is part of what names a row: the file or the program.
func (s Stat) IsKey() bool { return s == FileName || s == ProgName }

// IsText reports whether s is shown as a word. For sorting and filtering all but the
// keys are numbers none the less.
func (s Stat) IsText() bool {
	return s.IsKey() || s == Verdict || s == ProgType || s == AttachType
}

// statNames returns all canonical names.
func statNames() []string {
	names := make([]string, statCount)
	for s := range statCount {
		names[s] = s.Name()
	}
	return names
}
