package load

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/tracer/record"
)

// Attr is the attributes of BPF_PROG_LOAD that describe a program. Those of the log come
// with each load.
type Attr struct {
	Name          string // of any length; the kernel gets its first 15 bytes
	Type          ebpf.ProgramType
	AttachType    ebpf.AttachType
	Insns         []byte // see Encode
	License       string
	KernelVersion uint32
	Flags         uint32
	Ifindex       uint32

	Types *btf.Handle // that Infos refers to; nil: the program has neither
	Infos Infos

	AttachTo     btf.TypeID  // type that the program will be attached to; 0: none
	AttachModule *btf.Handle // module that has that type; nil: it is the kernel's

	// FDs are the BTFs of modules, whose functions calls refer to by index; nil: the
	// program calls none.
	FDs []int32
}

// encode returns the attributes in the kernel's layout. They keep the slices of a alive.
func (a *Attr) encode() (progLoadAttr, error) {
	license, err := unix.BytePtrFromString(a.License)
	if err != nil {
		return progLoadAttr{}, fmt.Errorf("license: %w", err)
	}
	attr := progLoadAttr{
		progType:           uint32(a.Type),
		insnCount:          uint32(len(a.Insns) / asm.InstructionSize),
		insns:              unsafe.Pointer(unsafe.SliceData(a.Insns)),
		license:            unsafe.Pointer(license),
		kernVersion:        a.KernelVersion,
		progFlags:          a.Flags,
		progIfindex:        a.Ifindex,
		expectedAttachType: uint32(a.AttachType),
		attachBTFID:        uint32(a.AttachTo),
	}
	if a.Types != nil {
		attr.progBTF = uint32(a.Types.FD())
		attr.funcInfoSize = btf.FuncInfoSize
		attr.funcInfo = unsafe.Pointer(unsafe.SliceData(a.Infos.functions))
		attr.funcInfoCount = uint32(len(a.Infos.functions)) / btf.FuncInfoSize
		attr.lineInfoSize = btf.LineInfoSize
		attr.lineInfo = unsafe.Pointer(unsafe.SliceData(a.Infos.lines))
		attr.lineInfoCount = uint32(len(a.Infos.lines)) / btf.LineInfoSize
	}
	if a.AttachModule != nil {
		attr.attachBTFObjFD = uint32(a.AttachModule.FD())
	}
	if a.FDs != nil {
		attr.fdArray = unsafe.Pointer(unsafe.SliceData(a.FDs))
	}
	return attr, nil
}

// inputs returns what the call asks for, as records have it.
func (a *progLoadAttr) inputs() *record.Inputs {
	return &record.Inputs{
		From:          record.InputsFromLoader,
		LogLevel:      a.logLevel,
		LogBytes:      a.logSize,
		ProgFlags:     a.progFlags,
		KernelVersion: a.kernVersion,
		Ifindex:       a.progIfindex,
		FDArray:       a.fdArray != nil,
		BTF:           a.progBTF != 0,
		FuncInfoCount: a.funcInfoCount,
		FuncInfoBytes: uint64(a.funcInfoCount) * uint64(a.funcInfoSize),
		LineInfoCount: a.lineInfoCount,
		LineInfoBytes: uint64(a.lineInfoCount) * uint64(a.lineInfoSize),
		AttachBTFID:   a.attachBTFID,
		AttachFD:      a.attachBTFObjFD != 0,
	}
}

// logLevelStats is BPF_LOG_STATS: the log has the statistics, and why a program was
// rejected, but no trace of the instructions.
const logLevelStats = 4

// progLoadAttr is the part of union bpf_attr for BPF_PROG_LOAD, as far as it is used here.
// Its pointers have 64 bits, as on all supported architectures. The last member is newer
// than Linux 6.1, which accepts it while it is 0.
type progLoadAttr struct {
	progType           uint32
	insnCount          uint32
	insns              unsafe.Pointer
	license            unsafe.Pointer
	logLevel           uint32
	logSize            uint32
	log                unsafe.Pointer
	kernVersion        uint32
	progFlags          uint32
	progName           [unix.BPF_OBJ_NAME_LEN]byte
	progIfindex        uint32
	expectedAttachType uint32
	progBTF            uint32
	funcInfoSize       uint32
	funcInfo           unsafe.Pointer
	funcInfoCount      uint32
	lineInfoSize       uint32
	lineInfo           unsafe.Pointer
	lineInfoCount      uint32
	attachBTFID        uint32
	attachBTFObjFD     uint32
	_                  uint32 // core_relo_cnt
	fdArray            unsafe.Pointer
	_                  uint64 // core_relos
	_                  uint32 // core_relo_rec_size
	_                  uint32 // log_true_size
}

// load makes the system call and returns the program's file descriptor.
func (a *progLoadAttr) load() (int, unix.Errno) {
	fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(a)), unsafe.Sizeof(*a))
	return int(fd), errno
}

// progInfo is the beginning of struct bpf_prog_info.
type progInfo struct {
	_        uint32 // type
	_        uint32 // id
	_        uint64 // tag
	jitedLen uint32
	_        uint32 // xlated_prog_len
}

// jitedLen returns the size of a program's machine code in bytes.
func jitedLen(fd int) (int, error) {
	var info progInfo
	attr := struct {
		fd, size uint32
		info     unsafe.Pointer
	}{uint32(fd), uint32(unsafe.Sizeof(info)), unsafe.Pointer(&info)}
	_, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_OBJ_GET_INFO_BY_FD, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	runtime.KeepAlive(&info)
	if errno != 0 {
		return 0, errno
	}
	return int(info.jitedLen), nil
}
