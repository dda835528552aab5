// Package compare judges two sets of repeated program loads: whether NEW verifies the
// programs of BASE faster or slower, in more or less memory, and how sure that is.
//
// Read reads a side and Compare compares two. What it returns is data with the members of
// the JSON form; exporter/view/compare shows it. docs/compare.md has the method and the
// formulas. Nothing here touches a kernel.
package compare
