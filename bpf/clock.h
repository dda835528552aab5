/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock of all events, for user space to read. A process in a time namespace reads
 * another CLOCK_MONOTONIC than the programs do.
 */
#ifndef VERIALLOC_CLOCK_H
#define VERIALLOC_CLOCK_H

__u64 clock_ns = 0;

static __always_inline void clock_read(void)
{
	clock_ns = bpf_ktime_get_ns();
}

#endif
