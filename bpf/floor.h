/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The floor of a latency: what a latency holds of the probes' own work, from the clock of an
 * entry probe to that of a ledger's program. All programs of the ledger do the same until
 * they read it (allocating_load), so one here stands for them. What it takes to reach them
 * is not the same: a tracepoint has its arguments, and a classic one its record. So user
 * space has floor_end() run at places of its choice, as the program of a ledger would, and
 * floor_begin() ahead of it: at the entry of a function, or at the same place.
 */
#ifndef VERIALLOC_FLOOR_H
#define VERIALLOC_FLOOR_H

__u64 floor_ns = ~0ULL;

/* All that lies between the two clocks in the handlers themselves. */
static __always_inline bool find_as_ledger(const void *ctx)
{
	struct cpu *cpu = this_cpu();
	__u32 slot = 0;

	return cpu && cpu->task != bpf_get_current_task() && !in_interrupt(ctx) &&
	       bpf_map_lookup_elem(&loads, &slot);
}

/* Lowers the floor to the time since start, if that is less. */
static __always_inline void floor_lower(__u64 elapsed)
{
	if (elapsed < floor_ns)
		floor_ns = elapsed;
}

static __always_inline bool is_own_task(void)
{
	return (bpf_get_current_pid_tgid() >> 32) == own_pid;
}

/* What another task, or an interrupt of this one, does in between is told by the task. */
static __always_inline void floor_begin(void)
{
	struct cpu *cpu;

	if (!is_own_task())
		return;
	cpu = this_cpu();
	if (!cpu)
		return;
	cpu->floor_task = bpf_get_current_task();
	cpu->floor_ns = bpf_ktime_get_ns();
}

static __always_inline void floor_end(const void *ctx)
{
	__u64 now = find_as_ledger(ctx) ? bpf_ktime_get_ns() : 0;
	struct cpu *cpu;

	if (!now || !is_own_task())
		return;
	cpu = this_cpu();
	if (!cpu)
		return;
	if (cpu->floor_task == bpf_get_current_task()) {
		cpu->floor_span = now - cpu->floor_ns;
		floor_lower(cpu->floor_span);
	}
	cpu->floor_task = 0;
}

/* The handlers' share of the floor alone, and who this process is. */
static __always_inline void floor_calibrate(const void *ctx)
{
	own_pid = bpf_get_current_pid_tgid() >> 32;
	for (int i = 0; i < 64; i++) {
		__u64 start = bpf_ktime_get_ns();

		if (find_as_ledger(ctx))
			floor_lower(bpf_ktime_get_ns() - start);
	}
}

#endif
