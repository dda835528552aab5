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
 * has missed nothing. Where raw programs stand in for those that are skipped
 * (standin.h), a slice is blind only if they may be skipped as well.
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

static __always_inline struct load *load_on(struct cpu *cpu)
{
	__u32 slot = cpu->load - 1;

	return bpf_map_lookup_elem(&loads, &slot);
}

/* own: how often the calling program itself holds bpf_prog_active. */
static __always_inline void slice_begin(struct cpu *cpu, __u64 task, struct load *load, __u32 own)
{
	cpu->task = task;
	cpu->load = load->slot + 1;
	load->cpu = bpf_get_smp_processor_id();
	if (load->left_ns) {
		load->off_cpu_ns += bpf_ktime_get_ns() - load->left_ns;
		load->left_ns = 0;
	}
	if (slice_blind(cpu, load, programs_skipped(own)))
		load->blind++;
}

/* What the CPU's task has to do with loads, if it is to be looked up. */
static __always_inline void slice_of(struct cpu *cpu, __u64 task, __u32 tid, __u32 own)
{
	struct load *load = tid ? find_load(tid) : NULL;

	cpu->task = task;
	cpu->load = 0;
	/* Past its env's release a task's allocations are not the verifier's. */
	if (load && !load->release_ns && !load->ended && !load->defunct)
		slice_begin(cpu, task, load, own);
}

/* What the task does from here on is not the verification's. */
static __always_inline void slice_end(void)
{
	struct cpu *cpu = this_cpu();

	if (!cpu)
		return;
	cpu->task = 0;
	cpu->load = 0;
}

/* The CPU goes from its current task to the next one. */
static __always_inline void slice_switch(struct task_struct *next)
{
	struct load *load = NULL;
	struct cpu *cpu;
	bool hidden;

	if (!active)
		return;
	cpu = this_cpu();
	if (!cpu)
		return;
	/* The slice of the task that goes: was its begin hidden? */
	hidden = cpu->task != bpf_get_current_task();
	if (hidden)
		load = find_load((__u32)bpf_get_current_pid_tgid());
	else if (cpu->load)
		load = load_on(cpu);
	if (load && !load->release_ns && !load->ended) {
		load->left_ns = bpf_ktime_get_ns();
		if (hidden && skippable)
			load->blind++;
	}
	slice_of(cpu, (__u64)next, BPF_CORE_READ(next, pid), 0);
}

/*
 * The CPU, if its task is in a load. A kernel may run no programs for some tasks, and
 * then hides the switches from them: so it is made sure that the CPU still runs the
 * task that was switched to.
 *
 * own: 1 in a classic tracepoint's program, which holds bpf_prog_active itself. So does a
 * kprobe's, which is not told apart here: that can make one slice too many blind.
 */
static __always_inline struct cpu *loading_cpu(__u32 own)
{
	struct cpu *cpu;
	__u64 task;

	if (!active)
		return NULL;
	cpu = this_cpu();
	if (!cpu)
		return NULL;
	task = bpf_get_current_task();
	if (cpu->task != task)
		slice_of(cpu, task, (__u32)bpf_get_current_pid_tgid(), own);
	return cpu->load ? cpu : NULL;
}

/* The load that this allocation or free belongs to; ctx: NULL in a classic tracepoint's. */
static __always_inline struct load *current_load(const void *ctx)
{
	struct cpu *cpu = loading_cpu(!ctx);

	return cpu && !in_interrupt(ctx) ? load_on(cpu) : NULL;
}

/* The same, of a verification whose env is live. */
static __always_inline struct load *current_verification(const void *ctx)
{
	struct load *load = current_load(ctx);

	return load && load->env ? load : NULL;
}

/* The verification that this call within the verifier, never an interrupt's, is of. */
static __always_inline struct load *current_verifier(void)
{
	struct cpu *cpu = loading_cpu(0);
	struct load *load = cpu ? load_on(cpu) : NULL;

	return load && load->env ? load : NULL;
}

#endif
