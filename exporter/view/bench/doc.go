// Package bench shows people what bench took: rows as veristat has them, with columns of
// its own, and the verifier's logs.
package bench
