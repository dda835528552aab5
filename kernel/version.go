package kernel

import (
	"fmt"

	"github.com/cilium/ebpf/features"
)

// Version is a version of Linux, such as 6.12.117. The zero Version is older than all.
type Version struct {
	Major, Minor int
	Patch        int // 255 at most: KERNEL_VERSION has one byte for it, from 4.19.255 on
}

// RunningVersion returns the version that the running kernel was built from. The release
// of a distribution's kernel need not begin with it: Ubuntu's 5.15.0-25-generic is 5.15.30.
func RunningVersion() (Version, error) {
	if code, err := features.LinuxVersionCode(); err == nil {
		return versionOf(code), nil
	}
	// Booted with vdso=0, the kernel does not show its LINUX_VERSION_CODE.
	release, err := ReadRelease()
	if err != nil {
		return Version{}, err
	}
	return parseVersion(release.Name)
}

// parseVersion takes the version from a release, such as 6.1.0-30-cloud-amd64 or 7.3-rc2.
func parseVersion(release string) (Version, error) {
	var (
		major, minor uint8
		patch        uint32
	)
	// The third part may be missing.
	n, err := fmt.Sscanf(release, "%d.%d.%d", &major, &minor, &patch)
	if n < 2 {
		return Version{}, fmt.Errorf("kernel release %q does not begin with a version: %w", release, err)
	}
	return Version{int(major), int(minor), int(min(patch, 255))}, nil
}

func versionOf(code uint32) Version {
	return Version{int(code >> 16), int(code >> 8 & 0xff), int(code & 0xff)}
}

// Code returns what KERNEL_VERSION of linux/version.h makes of the version.
func (v Version) Code() uint32 {
	return uint32(v.Major)<<16 | uint32(v.Minor)<<8 | uint32(min(v.Patch, 255))
}

// AtLeast reports whether v is since, or newer.
func (v Version) AtLeast(since Version) bool { return v.Code() >= since.Code() }

// Series returns the version without its patch level, such as 6.12.
func (v Version) Series() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }
