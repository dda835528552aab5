/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The floor of a latency: what a latency holds of the probes' own work. Where fentry and
 * fexit are permitted it is measured on bpf_fentry_test1(), which does next to nothing
 * and is called by BPF_PROG_TEST_RUN: from the clock of an entry probe to the clock of
 * a program that did what a ledger's does until it reads it.
 */
#ifndef VERIALLOC_FLOOR_H
#define VERIALLOC_FLOOR_H

__u64 floor_ns = ~0ULL;
__u64 floor_entry_ns = 0;

/* All that lies between the two clocks in the handlers themselves. */
static __always_inline bool find_as_ledger(const void *ctx)
{
	struct cpu *cpu = this_cpu();
	__u32 slot = 0;

	return cpu && cpu->task != bpf_get_current_task() && !in_interrupt(ctx) &&
	       bpf_map_lookup_elem(&loads, &slot);
}

/* Lowers the floor to the time since start, if that is less. */
static __always_inline void floor_lower(__u64 start, const void *ctx)
{
	__u64 elapsed;

	if (!find_as_ledger(ctx))
		return;
	elapsed = bpf_ktime_get_ns() - start;
	if (elapsed < floor_ns)
		floor_ns = elapsed;
}

static __always_inline void floor_entry(void)
{
	floor_entry_ns = bpf_ktime_get_ns();
}

static __always_inline void floor_return(const void *ctx)
{
	if ((bpf_get_current_pid_tgid() >> 32) == own_pid && floor_entry_ns)
		floor_lower(floor_entry_ns, ctx);
	floor_entry_ns = 0;
}

/* The handlers' share of the floor alone, and who this process is. */
static __always_inline void floor_calibrate(const void *ctx)
{
	own_pid = bpf_get_current_pid_tgid() >> 32;
	for (int i = 0; i < 64; i++)
		floor_lower(bpf_ktime_get_ns(), ctx);
}

#endif
