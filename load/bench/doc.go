// Package bench takes samples of program loads: many loads of many programs, in
// rounds, one load at a time or several at once.
//
// A round loads each program once, in an order of its own that a seed decides. So a
// drift over the length of a run, of the machine's temperature or of the state of its
// slabs, affects all programs alike. Loads before the first round warm up and are not
// counted.
//
// Bare loads have nothing attached; a tracer is attached for traced loads, which come
// after all bare ones. The two are never mixed.
//
// # What is kept out of a load
//
// A loader is a thread that does nothing else, pinned to a CPU if the plan asks for it.
// Between two loads of one loader the bench keeps the results in memory and writes
// nothing. Garbage is collected only while no loader is at work, and never during a bare
// load: a collection that began during one would take its CPU, or keep its thread waiting
// at the end of the system call. Therefore loads are made in legs of one round or more.
// At the end of a leg the loaders rest, the recorder gets the samples, and garbage is
// collected.
package bench
