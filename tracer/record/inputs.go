package record

// InputsFrom is whose copy of the arguments of bpf(2) was read.
type InputsFrom string

// The copies. Another thread of the loader may write to its own while the kernel reads
// it, so that it need not be what the kernel took.
const (
	InputsFromKernel InputsFrom = "kernel"
	InputsFromLoader InputsFrom = "loader"
)

// Inputs is what a load was asked for beside the program's instructions, name and types:
// all of union bpf_attr that changes what a verification costs.
type Inputs struct {
	From InputsFrom `json:"from"`

	// LogLevel and LogBytes are of the log that the verifier wrote, where its env was
	// read. They may come with the command's common attributes from 7.2 on.
	LogLevel  uint32 `json:"log_level"` // 1, 2: a trace; 4: statistics; LogFixed
	LogBytes  uint32 `json:"log_bytes"` // room for the log
	ProgFlags uint32 `json:"prog_flags"`
	// KernelVersion is what the loader named, which the kernel passes over from 5.0 on.
	KernelVersion uint32 `json:"kernel_version"`
	Ifindex       uint32 `json:"ifindex"` // of the device that the program is for

	Token          bool   `json:"token"`           // a BPF token was given
	SignatureBytes uint32 `json:"signature_bytes"` // 0: not signed
	FDArray        bool   `json:"fd_array"`        // instructions may name maps and BTF by index
	FDArrayCount   uint32 `json:"fd_array_count"`  // 0: not said how many

	BTF            bool   `json:"btf"` // the program has types
	FuncInfoCount  uint32 `json:"func_info_count"`
	FuncInfoBytes  uint64 `json:"func_info_bytes"`
	LineInfoCount  uint32 `json:"line_info_count"`
	LineInfoBytes  uint64 `json:"line_info_bytes"`
	CoreRelocCount uint32 `json:"core_relo_count"` // that the kernel is to do
	CoreRelocBytes uint64 `json:"core_relo_bytes"`

	AttachBTFID uint32 `json:"attach_btf_id"` // of the kernel's, a module's or a program's types
	AttachFD    bool   `json:"attach_fd"`     // a program or BTF is named that has that type

	// Of env and its program, and nil where they were not read.
	AttachProg *bool    `json:"attach_prog"` // the program attaches to another
	GPL        *bool    `json:"gpl"`         // its license is compatible
	Privileges []string `json:"privileges"`  // what the loader's capabilities spare the verifier
}

// LogFixed is a bit of LogLevel, BPF_LOG_FIXED from Linux 6.4: of a log that is too long the
// beginning is kept, not the end.
const LogFixed = 8

// The privileges: the names of the members of struct bpf_verifier_env.
const (
	PrivilegeBPF          = "bpf_capable"
	PrivilegeLeakPointers = "allow_ptr_leaks"
	PrivilegeBypassSpecV1 = "bypass_spec_v1"
	PrivilegeBypassSpecV4 = "bypass_spec_v4"
)
