/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupts borrow the current task: what they allocate or free is not the
 * verifier's. preempt_count shows it, as in_task() has it.
 */
#ifndef VERIALLOC_INTERRUPT_H
#define VERIALLOC_INTERRUPT_H

/*
 * Where the bits are is config.interrupt_mask: SOFTIRQ_OFFSET, HARDIRQ_MASK and
 * NMI_MASK moved in 7.3, which put an 8-bit count of hardirq disables below
 * HARDIRQ_SHIFT.
 */
#if defined(__TARGET_ARCH_x86)
/*
 * Stands for a per-CPU variable whose BTF id the loader fills in, for its name is
 * not the same everywhere: __preempt_count on 6.1 and from 6.15, a member of
 * pcpu_hot between (64701838bf05 and back in 46e8fff6d45f).
 */
extern void preempt_count_variable __ksym __weak;

/*
 * On a kernel without CONFIG_KALLSYMS_ALL the variable cannot be named. There the
 * stack shows it: interrupts that hit the kernel run on a stack of their own, and
 * ctx lies on the running stack for all but classic tracepoints.
 */
static __always_inline bool off_task_stack(const void *ctx)
{
	__u64 stack = (__u64)bpf_get_current_task_btf()->stack;

	if ((__u64)ctx < stack)
		return true;
	stack += config.thread_size;
	barrier_var(stack); /* compared, not subtracted: ctx is a pointer to the verifier */
	return (__u64)ctx >= stack;
}

static __always_inline bool in_interrupt(const void *ctx)
{
	const char *variable;

	if (config.interrupt_by_stack)
		return ctx && off_task_stack(ctx);
	variable = bpf_this_cpu_ptr(&preempt_count_variable);
	return *(const __u32 *)(variable + config.preempt_count_offset) & config.interrupt_mask;
}
#else
static __always_inline bool in_interrupt(const void *ctx)
{
	return bpf_get_current_task_btf()->thread_info.preempt_count & config.interrupt_mask;
}
#endif

#endif
