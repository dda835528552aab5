// Package text has what every view for people shares: names made fit for a terminal,
// numbers in their units, and cells in columns.
package text
