/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The slices of time in which a CPU runs a task with a load. sched_switch begins
 * each: it runs with preemption disabled and no other program holds its own, so it
 * is never skipped. Two things are settled here, once a slice in place of once an
 * allocation: which load the CPU's allocations belong to, and whether the kernel
 * may skip programs of the ledger.
 *
 * It skips a classic tracepoint's or a kprobe's program where bpf_prog_active is
 * held: by an interrupted program, which does not matter here, or by a task that was
 * preempted on this CPU while bpf(2) updates a map (bpf_disable_instrumentation()).
 * No other task runs on a CPU within a slice, so what is held at its begin is held
 * to its end, and what is free stays free: a verification without a blind slice
 * has missed nothing.
 */
#ifndef VERIALLOC_SLICE_H
#define VERIALLOC_SLICE_H

/* A per-CPU variable: the loader fills in its BTF id where it can be named. */
extern void bpf_prog_active_variable __ksym __weak;

static __always_inline bool programs_skipped(__u32 own)
{
	const __u32 *held;

	if (!skippable || !config.sees_skips)
		return false;
	held = bpf_this_cpu_ptr(&bpf_prog_active_variable);
	return *held > own;
}

/* own: how often the calling program itself holds bpf_prog_active. */
static __always_inline void slice_begin(struct cpu *cpu, struct load *load, __u32 own)
{
	if (load->release_ns || load->ended)
		return;
	cpu->load = load->slot + 1;
	load->cpu = bpf_get_smp_processor_id();
	if (programs_skipped(own))
		load->blind++;
}

/* What the task does from here on is not the verification's. */
static __always_inline void slice_end(void)
{
	struct cpu *cpu = this_cpu();

	if (cpu)
		cpu->load = 0;
}

#endif
