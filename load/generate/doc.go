// Package generate makes programs up, from instructions and without a compiler. Each
// drives one kind of allocation in the verifier: states on the branch stack, states
// explored and kept, stack arrays, reference arrays, call frames, or none at all because
// the kernel rejects the program before.
//
// [Suite] has a [Case] of each kind, with what loading it gives. [Parse] makes a
// load.Subject of each kind and size that a text lists.
package generate
