/* SPDX-License-Identifier: GPL-2.0 */
/* bpf(2) as a task calls it: number and registers are those of the task's ABI. */
#ifndef VERIALLOC_SYSCALL_H
#define VERIALLOC_SYSCALL_H

/* Of a 32-bit process, __NR_bpf of its ABI. */
#if defined(__TARGET_ARCH_x86)
#define COMPAT_BPF_NR 357
#else
#define COMPAT_BPF_NR 386
#endif

struct bpf_call {
	__u64 cmd;
	__u64 attr;
	__u32 size;
};

/*
 * Whether the task is in a system call of 32 bits. The tracepoints of native system calls
 * are silent then (arch_trace_is_compat_syscall()).
 */
static __always_inline bool in_compat_syscall(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

#if defined(__TARGET_ARCH_x86)
	return task->thread_info.status & TS_COMPAT;
#else
	return task->thread_info.flags & (1UL << TIF_32BIT);
#endif
}

/* Whether the system call is bpf(2). A number stands for another call in another ABI. */
static __always_inline bool is_bpf(__u32 nr)
{
#if defined(__TARGET_ARCH_x86)
	nr &= ~X32_SYSCALL_BIT; /* 64 bits, with pointers of 32 */
#endif
	if (nr != config.bpf_syscall_nr && nr != COMPAT_BPF_NR)
		return false;
	return nr == (in_compat_syscall() ? COMPAT_BPF_NR : config.bpf_syscall_nr);
}

/* The system call that the task is in, or returns from. */
static __always_inline __u32 syscall_number(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(regs, orig_ax);
#else
	return BPF_CORE_READ(regs, syscallno);
#endif
}

static __always_inline struct bpf_call bpf_call_of(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	if (in_compat_syscall())
		return (struct bpf_call){
			.cmd = (__u32)BPF_CORE_READ(regs, bx),
			.attr = (__u32)BPF_CORE_READ(regs, cx),
			.size = BPF_CORE_READ(regs, dx),
		};
#endif
	return (struct bpf_call){
		.cmd = PT_REGS_PARM1_CORE_SYSCALL(regs),
		.attr = PT_REGS_PARM2_CORE_SYSCALL(regs),
		.size = PT_REGS_PARM3_CORE_SYSCALL(regs),
	};
}

/* The registers with which the task entered the system call. */
static __always_inline struct pt_regs *task_regs(void)
{
	return (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

#endif
