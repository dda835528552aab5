package workload

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// logLevelStats is BPF_LOG_STATS: the statistics, and why a program was rejected,
// but no trace of the instructions.
const logLevelStats = 4

// progLoadAttr is the part of union bpf_attr that BPF_PROG_LOAD takes, as far as
// it is used here. The pointers are 64 bits wide in it, as on the architectures
// that are supported.
type progLoadAttr struct {
	progType           uint32
	insnCount          uint32
	insns              unsafe.Pointer
	license            unsafe.Pointer
	logLevel           uint32
	logSize            uint32
	log                unsafe.Pointer
	_                  uint32 // kern_version
	progFlags          uint32
	progName           [unix.BPF_OBJ_NAME_LEN]byte
	_                  uint32 // prog_ifindex
	expectedAttachType uint32
	progBTF            uint32
	funcInfoSize       uint32
	funcInfo           unsafe.Pointer
	funcInfoCount      uint32
	_                  uint32 // line_info_rec_size
}

// load makes the system call. It returns the program's file descriptor.
func (a *progLoadAttr) load() (int, unix.Errno) {
	fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(a)), unsafe.Sizeof(*a))
	return int(fd), errno
}
