package load

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Kernel is a series of Linux, such as 6.12. The zero Kernel is older than all.
type Kernel struct {
	Major, Minor int
}

// RunningKernel returns the series of the running kernel.
func RunningKernel() (Kernel, error) {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return Kernel{}, fmt.Errorf("uname: %w", err)
	}
	return parseKernel(unix.ByteSliceToString(uts.Release[:]))
}

// parseKernel takes the series from a release, such as 6.1.0-30-cloud-amd64.
func parseKernel(release string) (Kernel, error) {
	var k Kernel
	if _, err := fmt.Sscanf(release, "%d.%d", &k.Major, &k.Minor); err != nil {
		return Kernel{}, fmt.Errorf("kernel release %q: %w", release, err)
	}
	return k, nil
}

// Has tells whether k is the series since, or newer.
func (k Kernel) Has(since Kernel) bool {
	if k.Major != since.Major {
		return k.Major > since.Major
	}
	return k.Minor >= since.Minor
}

func (k Kernel) String() string {
	return fmt.Sprintf("%d.%d", k.Major, k.Minor)
}
