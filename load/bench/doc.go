// Package bench takes samples of program loads: many loads of many programs, in
// rounds, one load at a time or several at once.
//
// A round has one load of each program, in an order of its own that a seed decides. So
// whatever drifts over the length of a run, the machine's temperature or the state of
// its slabs, meets all programs alike. Loads ahead of the first round warm up and are
// not counted.
//
// Bare loads have nothing attached; a tracer is attached for traced loads, which come
// after all bare ones. The two are never mixed.
//
// # What is kept out of a load
//
// A loader is a thread of its own that does nothing else, pinned to a CPU if so asked.
// Between two loads of one loader the results are put aside and nothing is written.
// Garbage is collected only while no loader is at work, and never during a bare load:
// a collection that began amid one would take its CPU, or keep its thread waiting at
// the end of the system call. Therefore loads are made in legs: a round of them or
// more, at whose ends loaders rest, samples are handed on and garbage is collected.
package bench
