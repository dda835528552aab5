package workload

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// logLevelStats is BPF_LOG_STATS: the statistics, and why a program was rejected,
// but no trace of the instructions.
const logLevelStats = 4

// progLoadAttr is the part of union bpf_attr that BPF_PROG_LOAD takes, as far as
// it is used here. The pointers are 64 bits wide in it, as on the architectures
// that are supported. It is not longer than that of 6.1 but for the last member,
// which is zero.
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

// load makes the system call. It returns the program's file descriptor.
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

// jitedLen is the size in bytes of what a program was compiled to.
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
