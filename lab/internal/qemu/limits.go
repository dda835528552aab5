package qemu

import "errors"

// A machine that is ended before its results are in returns an error with one of
// these in its chain.
var (
	// ErrTimeout is a guest that took longer than it may.
	ErrTimeout = errors.New("killed by --timeout")
	// ErrStarved is a guest that the host gave too little CPU time to say so.
	ErrStarved = errors.New("starved")
	// ErrIdle is a guest whose CPUs did nothing.
	ErrIdle = errors.New("idle")
)

// IsLimit says whether err ended a machine for one of these.
func IsLimit(err error) bool {
	return errors.Is(err, ErrTimeout) || errors.Is(err, ErrStarved) || errors.Is(err, ErrIdle)
}
