// Package compare judges two sets of repeated program loads: whether NEW verifies the
// programs of BASE faster or slower, in more or less memory, and how sure that is.
//
// Read reads a side, Compare compares two, and the Write functions print the outcome.
// docs/compare.md has the method and the formulas. Nothing here touches a kernel.
package compare
