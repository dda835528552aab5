package tracer

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/verialloc/verialloc/tracer/record"
)

// orphansLeave is what a follower lacks that orphans among its descendants are not given
// to. The first process of a PID namespace is given them all.
func orphansLeave() []record.Lack {
	var adopts int32
	err := unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&adopts)), 0, 0, 0)
	if err == nil && adopts != 0 || os.Getpid() == 1 {
		return nil
	}
	return []record.Lack{{
		Name: record.LackOrphans,
		Why:  "this process is no child subreaper (PR_SET_CHILD_SUBREAPER): a descendant whose parent ends is not followed any more",
	}}
}
