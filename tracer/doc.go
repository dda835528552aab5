// Package tracer watches a live kernel verify BPF programs and hands a record of each
// verification to a sink. It plans which kernel hooks serve, loads and attaches BPF
// programs to them, reads the events and has package assemble make records.
//
// It needs Linux 6.1 or newer with BTF, and root: CAP_BPF, CAP_PERFMON and
// CAP_SYS_ADMIN, the last for program information and to read tracefs where that
// is not mounted.
package tracer
