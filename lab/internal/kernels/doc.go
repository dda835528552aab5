// Package kernels brings Debian's cloud kernels for amd64 from the archive that
// the machine's own apt uses, and keeps them in a cache.
//
// A kernel is named by its release, what uname -r says in it
// ("6.12.117+deb13-cloud-amd64"); a series is the release's first two numbers
// ("6.12").
package kernels
