package object

import "fmt"

// guard, which is deferred, turns a panic into an error. An object may come from anywhere,
// and debug/elf, by which it is read, is not secure against files that are made to harm, as
// its documentation says; nor has the ebpf library promised to be. What this package
// reads itself it checks.
func guard(err *error) {
	if cause := recover(); cause != nil {
		*err = fmt.Errorf("reading it failed: a library panicked: %v", cause)
	}
}
