package kernel

import "errors"

// Fact is one thing about the kernel. What the kernel does not have is told apart from
// what could not be found out. The zero value is unknown.
type Fact[T any] struct {
	value T
	state state
	why   error
}

type state uint8

const (
	unknown state = iota
	absent
	known
)

// Known returns a fact with that value.
func Known[T any](value T) Fact[T] { return Fact[T]{value: value, state: known} }

// Absent returns the fact that the kernel does not have it.
func Absent[T any](why error) Fact[T] { return Fact[T]{state: absent, why: why} }

// Unknown returns a fact that could not be found out.
func Unknown[T any](why error) Fact[T] { return Fact[T]{why: why} }

// Get returns the value, and false with the zero value if there is none to give: the
// kernel does not have it, or nobody knows.
func (f Fact[T]) Get() (value T, ok bool) { return f.value, f.state == known }

// IsKnown reports whether there is a value.
func (f Fact[T]) IsKnown() bool { return f.state == known }

// IsAbsent reports whether the kernel is known not to have it.
func (f Fact[T]) IsAbsent() bool { return f.state == absent }

// IsUnknown reports whether it could not be found out.
func (f Fact[T]) IsUnknown() bool { return f.state == unknown }

// errNotRead is why the zero Fact is unknown.
var errNotRead = errors.New("it was not looked up")

// Why returns the reason why there is no value; nil if there is one.
func (f Fact[T]) Why() error {
	if f.state == unknown && f.why == nil {
		return errNotRead
	}
	return f.why
}
