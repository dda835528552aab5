/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupts borrow the current task: what they allocate or free is not the
 * verifier's. preempt_count tells, as in_task() does.
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
 * Stands for a per-CPU variable whose BTF id the loader fills in:
 * __preempt_count on 6.1 and from 6.15, a member of pcpu_hot between
 * (64701838bf05 and back in 46e8fff6d45f).
 */
extern void preempt_count_variable __ksym __weak;

static __always_inline bool in_interrupt(void)
{
	const char *variable = bpf_this_cpu_ptr(&preempt_count_variable);

	return *(const __u32 *)(variable + config.preempt_count_offset) & config.interrupt_mask;
}
#else
static __always_inline bool in_interrupt(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return task->thread_info.preempt_count & config.interrupt_mask;
}
#endif

#endif
