// Package exporter writes what verialloc measured: tables, histograms and
// diagnoses for people, JSON Lines for programs, and reads the latter back.
//
// Everything here is a function of records and an io.Writer. Nothing touches a
// kernel, and the only errors are the writer's.
package exporter
