/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The few kernel types that the programs read, each with only the fields they
 * name. preserve_access_index makes every access a CO-RE relocation, so the
 * layouts here need not be any kernel's.
 */
#ifndef VERIALLOC_KERNEL_H
#define VERIALLOC_KERNEL_H

/* Makes libbpf's bpf_tracing.h use the kernel's names for registers. */
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef signed short __s16;
typedef unsigned int __u32;
typedef signed int __s32;
typedef unsigned long long __u64;
typedef signed long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
#define offsetof(type, member) __builtin_offsetof(type, member)
#define true 1
#define false 0

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
	BPF_RB_AVAIL_DATA = 0,
	BPF_CMD_PROG_LOAD = 5, /* enum bpf_cmd: BPF_PROG_LOAD */
	TS_COMPAT = 1 << 1,        /* x86: of thread_info.status */
	TIF_32BIT = 22,            /* arm64: of thread_info.flags */
	X32_SYSCALL_BIT = 1 << 30, /* x86: of a system call's number */
	/* From 7.2 a flag of a command that comes with common attributes. */
	BPF_CMD_COMMON_ATTRS = 1 << 16,
};

/* Enums only because an int field does not relocate against an enum. */
enum bpf_prog_type { BPF_PROG_TYPE_UNSPEC };
enum bpf_attach_type { BPF_ATTACH_TYPE_UNSPEC };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* Its size alone is asked for. */
union bpf_attr {
	__u32 prog_type;
};

/* Whether there is one alone is asked for. */
struct bpf_common_attr {
	__u64 log_buf;
};

struct btf_type {
	__u32 name_off;
};

/* A module's starts where its base, the kernel's, ends; a program's has none. */
struct btf {
	struct btf_type **types;
	const char *strings;
	__u32 nr_types;
	struct btf *base_btf;
	__u32 start_id;
	__u32 start_str_off;
};

struct bpf_func_info {
	__u32 type_id;
};

struct bpf_prog_aux {
	char name[16];
	__u32 id;
	__u32 attach_btf_id;
	struct btf *attach_btf;
	const char *attach_func_name;
	struct bpf_prog *dst_prog;
	struct btf *btf;
	struct bpf_func_info *func_info;
	__u32 func_info_cnt;
};

struct bpf_prog {
	enum bpf_prog_type type;
	enum bpf_attach_type expected_attach_type;
	__u32 len;
	__u8 tag[8];
	__u16 gpl_compatible : 1;
	void *active; /* per CPU, see standin.h */
	struct bpf_prog_aux *aux;
};

struct file {
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct bpf_verifier_log {
	__u64 start_pos; /* from 6.4, as is end_pos */
	__u64 end_pos;
	char *ubuf;
	__u32 level;
	__u32 len_total;
	__u32 len_used; /* before 6.4 */
};

struct bpf_verifier_env {
	struct bpf_prog *prog;
	bool allow_ptr_leaks;
	bool bpf_capable;
	bool bypass_spec_v1;
	bool bypass_spec_v4;
	struct bpf_verifier_log log;
	__u32 subprog_cnt;
	__u32 insn_processed;
	__u64 verification_time;
	__u32 max_states_per_insn;
	__u32 total_states;
	__u32 peak_states;
	__u32 longest_mark_read_walk;
};

struct kmem_cache {
	unsigned int size;
	unsigned int object_size;
	const char *name;
};

struct thread_info {
	unsigned long flags;
	int preempt_count; /* arm64 */
	__u32 status;      /* x86 */
};

typedef struct {
	unsigned long sig[1];
} sigset_t;

struct sigpending {
	sigset_t signal;
};

struct signal_struct {
	struct sigpending shared_pending;
	int group_exit_code;
	struct task_struct *group_exec_task;
	unsigned int flags;
	struct mm_struct *oom_mm;
};

struct sigaction {
	void *sa_handler;
};

struct k_sigaction {
	struct sigaction sa;
};

struct sighand_struct {
	struct k_sigaction action[64];
};

struct task_struct {
	struct thread_info thread_info;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	sigset_t blocked;
	struct sigpending pending;
	unsigned long jobctl;
	struct callback_head *task_works;
	struct files_struct *files;
	struct task_struct *group_leader;
	__u64 start_boottime;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	void *stack;
	unsigned long nvcsw;
	unsigned long nivcsw;
	unsigned long min_flt;
	unsigned long maj_flt;
};

/* Classic tracepoints' records: offsets come from BTF, as the format files'. */
struct trace_entry {
	unsigned short type;
};

struct trace_event_raw_kmalloc {
	struct trace_entry ent;
	unsigned long call_site;
	const void *ptr;
	unsigned long bytes_req;
	unsigned long bytes_alloc;
	unsigned long gfp_flags;
	int node;
};

struct trace_event_raw_kmem_cache_alloc {
	struct trace_entry ent;
	unsigned long call_site;
	const void *ptr;
	__u32 __data_loc_name; /* from 6.19 */
	unsigned long bytes_req;
	unsigned long bytes_alloc;
	unsigned long gfp_flags;
	int node;
};

struct trace_event_raw_kfree {
	struct trace_entry ent;
	unsigned long call_site;
	const void *ptr;
};

struct trace_event_raw_kmem_cache_free {
	struct trace_entry ent;
	unsigned long call_site;
	const void *ptr;
};

struct trace_event_raw_alloc_vmap_area {
	struct trace_entry ent;
	unsigned long addr;
	unsigned long size;
	int failed;
};

struct trace_event_raw_free_vmap_area_noflush {
	struct trace_entry ent;
	unsigned long va_start;
};

struct trace_event_raw_sys_enter {
	struct trace_entry ent;
	long id;
	unsigned long args[6];
};

struct trace_event_raw_sys_exit {
	struct trace_entry ent;
	long id;
	long ret;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};

struct pt_regs {
	union {
		struct user_pt_regs user_regs;
		struct {
			__u64 regs[31];
			__u64 sp;
			__u64 pc;
			__u64 pstate;
		};
	};
	__u64 orig_x0;
	__s32 syscallno;
};
#endif

#pragma clang attribute pop

/* Not relocated: the layout that the kernel gives raw tracepoints. */
struct bpf_raw_tracepoint_args {
	__u64 args[0];
};

#endif
