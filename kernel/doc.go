// Package kernel reads what the running kernel and its machine say of themselves. Each
// fact has one file, which reads it in one way, with the kernel version or commit beside
// each quirk.
//
// Nothing here needs a privilege, except where a function's comment says so. The package
// keeps no state: all functions may be called by any goroutine.
package kernel
