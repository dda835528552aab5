// Package verifierlog reads the text that the BPF verifier writes into the log of a program
// load. It knows the forms of Linux 6.1 to 7.3, needs nothing but the text, and touches no
// kernel, so that whoever has a log can use it: the loader, the tracer and the views.
package verifierlog
