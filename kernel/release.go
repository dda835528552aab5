package kernel

import (
	"os"

	"golang.org/x/sys/unix"
)

// Release is what uname(2) says of the kernel.
type Release struct {
	Name         string // uname -r, such as 6.12.117-cloud-amd64
	Build        string // uname -v
	Architecture string // uname -m, such as x86_64
}

// ReadRelease asks the running kernel.
func ReadRelease() (Release, error) {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return Release{}, os.NewSyscallError("uname", err)
	}
	return Release{
		Name:         unix.ByteSliceToString(uts.Release[:]),
		Build:        unix.ByteSliceToString(uts.Version[:]),
		Architecture: unix.ByteSliceToString(uts.Machine[:]),
	}, nil
}

// String returns the release's name.
func (r Release) String() string { return r.Name }
