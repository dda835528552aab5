package workload

import (
	"errors"
)

// ObjectOptions change how an object is opened.
type ObjectOptions struct {
	// Globals are set in the object's global variables before anything is loaded,
	// in their order.
	Globals []Global
}

// object is what the programs of an object file share.
type object struct{}

// OpenObject returns the programs of a BPF object file in the order of the file,
// those of sections marked optional (SEC("?...")) included. It reads the file alone
// and needs no privilege. Errors are those of a file that is not a readable BPF
// object, or of Globals that it does not have.
func OpenObject(path string, o ObjectOptions) ([]*Subject, error) {
	return nil, errors.ErrUnsupported
}
