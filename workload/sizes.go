package workload

import "errors"

// ParseStress reads a list of generated programs by kind and size, such as
// "branches=100,1000 loops=500": kinds branches, loops, subprograms and stack,
// separated by white space. The Subjects are in the order of the text.
func ParseStress(text string) ([]*Subject, error) {
	return nil, errors.ErrUnsupported
}
