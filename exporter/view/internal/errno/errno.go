// Package errno names error numbers for views. It is apart from package text, so that only
// who shows errors needs golang.org/x/sys.
package errno

import "golang.org/x/sys/unix"

// notSupp is an error number of the kernel's own that it does let out.
const notSupp = 524

// Name returns the name of an error number, such as EACCES for 13; empty: it has none.
func Name(number int) string {
	if number == notSupp {
		return "ENOTSUPP"
	}
	return unix.ErrnoName(unix.Errno(number))
}

// Signal returns the name of a signal, such as SIGKILL for 9; empty: it has none.
func Signal(number int) string { return unix.SignalName(unix.Signal(number)) }
