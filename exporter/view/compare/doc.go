// Package comparison shows people what package compare found: a table for a terminal, a
// mail of 72 columns and a CSV.
package comparison
