//go:build ignore
/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every program that verialloc can load. The loader picks one of each kind
 * (ledger, entry probe, ...) for the running kernel and drops the rest.
 */
#include "kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "event.h"

#ifndef NULL
#define NULL ((void *)0)
#endif

const volatile struct tracer_config config = {};

#include "interrupt.h"
#include "task.h"
#include "descriptor.h"
#include "standin.h"
#include "slice.h"
#include "emit.h"
#include "failure.h"
#include "identity.h"
#include "words.h"
#include "verification.h"
#include "ledger.h"
#include "ledger_raw.h"
#include "latency.h"
#include "syscall.h"
#include "ancestry.h"
#include "load.h"
#include "floor.h"
#include "clock.h"

/* Keeps the types that user space needs in the object's BTF. */
const struct start_event *unused_start __attribute__((unused));
const struct batch *unused_batch __attribute__((unused));
const struct alloc_event *unused_alloc __attribute__((unused));
const struct free_event *unused_free __attribute__((unused));
const struct visit_event *unused_visit __attribute__((unused));
const struct failed_event *unused_failed __attribute__((unused));
const struct name_event *unused_name __attribute__((unused));
const struct cache_event *unused_cache __attribute__((unused));
const struct end_event *unused_end __attribute__((unused));
const struct log_event *unused_log __attribute__((unused));
const struct log_call *unused_call __attribute__((unused));
const struct calls_event *unused_calls __attribute__((unused));
const enum event_kind unused_kind __attribute__((unused));
const enum alloc_source unused_source __attribute__((unused));
const enum alloc_path unused_path __attribute__((unused));
const enum request_source unused_request_source __attribute__((unused));
const enum task_state unused_task_state __attribute__((unused));
const enum name_owner unused_name_owner __attribute__((unused));
const enum call_limit unused_limit __attribute__((unused));
const enum privilege unused_privilege __attribute__((unused));

/* The load: system call tracepoints. */

/*
 * Each has a second copy. From 7.2 (trace_call_bpf_faultable) these programs are
 * preemptible, and a program is skipped on a CPU where another task was
 * preempted inside it; the copy then still runs. The reader, woken at a load's return,
 * takes the CPU at once, so a program of its own wakes it, which may be skipped.
 */

SEC("tracepoint/syscalls/sys_enter_bpf")
int tp_sys_enter_bpf(struct trace_event_raw_sys_enter *ctx)
{
	load_enter(ctx->args[0], ctx->args[1], (__u32)ctx->args[2], false, config.counted_syscalls,
		   BEGIN_TRACEPOINT);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_bpf")
int tp_sys_enter_bpf_again(struct trace_event_raw_sys_enter *ctx)
{
	load_enter(ctx->args[0], ctx->args[1], (__u32)ctx->args[2], false, config.counted_syscalls,
		   BEGIN_TRACEPOINT_AGAIN);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_bpf")
int tp_sys_exit_bpf(struct trace_event_raw_sys_exit *ctx)
{
	load_return(task_regs(), ctx->ret, true);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_bpf")
int tp_sys_exit_bpf_again(struct trace_event_raw_sys_exit *ctx)
{
	load_return(task_regs(), ctx->ret, false);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_bpf")
int tp_sys_exit_bpf_wake(void *ctx)
{
	if (is_load(PT_REGS_PARM1_CORE_SYSCALL(task_regs())) && ready && wanted())
		wake_reader();
	return 0;
}

SEC("raw_tp/sys_enter")
int raw_sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
	struct bpf_call call;

	if (!is_bpf(ctx->args[1]))
		return 0;
	call = bpf_call_of((void *)ctx->args[0]);
	load_enter(call.cmd, call.attr, call.size, false, 0, BEGIN_RAW);
	return 0;
}

/*
 * Runs at every system call's return and cannot see which: a task with a load
 * that goes on is in bpf(2). The slot is left for the classic one to find, and
 * loads begun before attach are not looked for on this path.
 */
SEC("raw_tp/sys_exit")
int raw_sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (void *)ctx->args[0];
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct load *load;

	if (!active)
		return 0;
	load = find_load(tid);
	if (!load || load->ended)
		return 0;
	end_load(load, ctx->args[1],
		 is_bpf(syscall_number(regs)) && is_load(bpf_call_of(regs).cmd));
	if (!config.counted_syscalls)
		wake_reader();
	return 0;
}

/*
 * The function below bpf(2). It is called for 32-bit processes, which the native
 * system call's tracepoints do not see, and by the kernel's own loaders, and its
 * probes are skipped on other occasions than the tracepoints'.
 *
 * __sys_bpf(cmd, bpfptr_t uattr, size): the struct takes two slots.
 */
SEC("fentry/__sys_bpf")
int fentry_sys_bpf(__u64 *ctx)
{
	load_enter(ctx[0], ctx[1], (__u32)ctx[3], (__u8)ctx[2], 0, BEGIN_FUNCTION);
	return 0;
}

SEC("fexit/__sys_bpf")
int fexit_sys_bpf(__u64 *ctx)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct load *load;
	__u64 ret;

	if (!is_load(ctx[0]) || bpf_get_func_ret(ctx, &ret))
		return 0;
	load = find_load(tid);
	if (load) {
		read_late(load, ctx[1], (__u32)ctx[3], (__u8)ctx[2]);
		end_load(load, (__s32)ret, true);
	}
	return 0;
}

/* bpf_check(prog, attr, ...) */

SEC("kprobe")
int kprobe_bpf_check(struct pt_regs *ctx)
{
	check_entry(ctx, PT_REGS_PARM2(ctx), 1, BEGIN_CHECK);
	return 0;
}

SEC("fentry/bpf_check")
int fentry_bpf_check(__u64 *ctx)
{
	check_entry(ctx, ctx[1], 0, BEGIN_CHECK_AGAIN);
	return 0;
}

SEC("raw_tp/sched_switch")
int raw_sched_switch(struct bpf_raw_tracepoint_args *ctx)
{
	slice_switch((struct task_struct *)ctx->args[2]);
	return 0;
}

/* The ledger, as raw tracepoints: see standin.h for the second copy of each. */

SEC("raw_tp/kmalloc")
int raw_kmalloc(struct bpf_raw_tracepoint_args *ctx)
{
	ledger_raw_kmalloc(ctx, STAND_IN_FIRST);
	return 0;
}

SEC("raw_tp/kmalloc")
int raw_kmalloc_again(struct bpf_raw_tracepoint_args *ctx)
{
	ledger_raw_kmalloc(ctx, STAND_IN_SECOND);
	return 0;
}

SEC("raw_tp/kfree")
int raw_kfree(struct bpf_raw_tracepoint_args *ctx)
{
	ledger_raw_kfree(ctx, STAND_IN_FIRST);
	return 0;
}

SEC("raw_tp/kfree")
int raw_kfree_again(struct bpf_raw_tracepoint_args *ctx)
{
	ledger_raw_kfree(ctx, STAND_IN_SECOND);
	return 0;
}

SEC("raw_tp/kmem_cache_alloc")
int raw_kmem_cache_alloc(struct bpf_raw_tracepoint_args *ctx)
{
	ledger_raw_kmem_cache_alloc(ctx, STAND_IN_FIRST);
	return 0;
}

SEC("raw_tp/kmem_cache_alloc")
int raw_kmem_cache_alloc_again(struct bpf_raw_tracepoint_args *ctx)
{
	ledger_raw_kmem_cache_alloc(ctx, STAND_IN_SECOND);
	return 0;
}

SEC("raw_tp/kmem_cache_free")
int raw_kmem_cache_free(struct bpf_raw_tracepoint_args *ctx)
{
	ledger_raw_kmem_cache_free(ctx, STAND_IN_FIRST);
	return 0;
}

SEC("raw_tp/kmem_cache_free")
int raw_kmem_cache_free_again(struct bpf_raw_tracepoint_args *ctx)
{
	ledger_raw_kmem_cache_free(ctx, STAND_IN_SECOND);
	return 0;
}

SEC("raw_tp/alloc_vmap_area")
int raw_alloc_vmap_area(struct bpf_raw_tracepoint_args *ctx)
{
	ledger_raw_alloc_vmap_area(ctx, STAND_IN_FIRST);
	return 0;
}

SEC("raw_tp/alloc_vmap_area")
int raw_alloc_vmap_area_again(struct bpf_raw_tracepoint_args *ctx)
{
	ledger_raw_alloc_vmap_area(ctx, STAND_IN_SECOND);
	return 0;
}

SEC("raw_tp/free_vmap_area_noflush")
int raw_free_vmap_area_noflush(struct bpf_raw_tracepoint_args *ctx)
{
	ledger_raw_free_vmap_area_noflush(ctx, STAND_IN_FIRST);
	return 0;
}

SEC("raw_tp/free_vmap_area_noflush")
int raw_free_vmap_area_noflush_again(struct bpf_raw_tracepoint_args *ctx)
{
	ledger_raw_free_vmap_area_noflush(ctx, STAND_IN_SECOND);
	return 0;
}

/* The ledger, as classic tracepoints. */

SEC("tracepoint/kmem/kmalloc")
int tp_kmalloc(struct trace_event_raw_kmalloc *ctx)
{
	__u64 now, ptr, requested;
	struct load *load = allocating_load(NULL, &now);
	struct alloc_event *event;

	if (!load || is_reported(load, CLASSIC, (__u64)ctx->ptr, ctx->call_site, now))
		return 0;
	ptr = (__u64)ctx->ptr;
	requested = ctx->bytes_req;
	event = ledger_alloc(load, now, ptr, requested, SOURCE_KMALLOC);
	if (event)
		describe(event, ctx->call_site, ctx->bytes_alloc, ctx->gfp_flags, ctx->node);
	else if (!ptr)
		note_failure(load, requested, ctx->call_site, ctx->gfp_flags, SOURCE_KMALLOC);
	return 0;
}

SEC("tracepoint/kmem/kfree")
int tp_kfree(struct trace_event_raw_kfree *ctx)
{
	if (is_object((__u64)ctx->ptr))
		ledger_free(NULL, CLASSIC, (__u64)ctx->ptr, ctx->call_site);
	return 0;
}

SEC("tracepoint/kmem/kmem_cache_alloc")
int tp_kmem_cache_alloc(struct trace_event_raw_kmem_cache_alloc *ctx)
{
	__u64 now, ptr, requested;
	struct load *load = allocating_load(NULL, &now);
	struct alloc_event *event;
	__u64 cache = 0;

	if (!load || is_reported(load, CLASSIC, (__u64)ctx->ptr, ctx->call_site, now))
		return 0;
	/*
	 * The record names its cache from 6.19. It lacks the address that tells
	 * caches apart: the entry probe has it, and else the name's letters stand
	 * for it.
	 */
	if (bpf_core_field_exists(ctx->__data_loc_name)) {
		char *name = (char *)ctx + (ctx->__data_loc_name & 0xffff);

		if (load->alloc.time_ns && load->alloc.size == SIZE_OF_CACHE)
			cache = load->alloc.cache;
		else
			cache = name_hash(name);
		ledger_cache_name(load, cache, name);
	}
	ptr = (__u64)ctx->ptr;
	requested = ctx->bytes_req;
	event = ledger_alloc(load, now, ptr, requested, SOURCE_CACHE);
	if (!event) {
		if (!ptr)
			note_failure(load, requested, ctx->call_site, ctx->gfp_flags, SOURCE_CACHE);
		return 0;
	}
	if (cache)
		event->cache = cache;
	describe(event, ctx->call_site, ctx->bytes_alloc, ctx->gfp_flags, ctx->node);
	return 0;
}

SEC("tracepoint/kmem/kmem_cache_free")
int tp_kmem_cache_free(struct trace_event_raw_kmem_cache_free *ctx)
{
	if (ctx->ptr)
		ledger_free(NULL, CLASSIC, (__u64)ctx->ptr, ctx->call_site);
	return 0;
}

SEC("tracepoint/vmalloc/alloc_vmap_area")
int tp_alloc_vmap_area(struct trace_event_raw_alloc_vmap_area *ctx)
{
	ledger_vmalloc(NULL, CLASSIC, ctx->failed ? 0 : ctx->addr, ctx->size);
	return 0;
}

SEC("tracepoint/vmalloc/free_vmap_area_noflush")
int tp_free_vmap_area_noflush(struct trace_event_raw_free_vmap_area_noflush *ctx)
{
	ledger_free(NULL, CLASSIC, ctx->va_start, 0);
	return 0;
}

/*
 * vmalloc by kprobe. The program at the entry serves every kernel that permits it: size,
 * gfp flags (the fifth argument) and caller (the ninth). Those at the return and at
 * vfree() serve 6.1, which has no vmalloc tracepoints.
 */

SEC("kprobe")
int kprobe_vmalloc(struct pt_regs *ctx)
{
	__u64 caller = 0;

#if defined(__TARGET_ARCH_x86)
	bpf_probe_read_kernel(&caller, sizeof(caller), (void *)(PT_REGS_SP(ctx) + 24));
#else
	bpf_probe_read_kernel(&caller, sizeof(caller), (void *)PT_REGS_SP(ctx));
#endif
	vmalloc_entry(ctx, PT_REGS_PARM1(ctx), PT_REGS_PARM5(ctx), caller);
	return 0;
}

SEC("kretprobe")
int kretprobe_vmalloc(struct pt_regs *ctx)
{
	struct load *load = current_load(ctx);
	__u64 addr = PT_REGS_RC(ctx), pages;

	if (!load)
		return 0;
	pages = (load->vmalloc.size + config.page_size - 1) / config.page_size;
	ledger_vmalloc(ctx, CLASSIC, addr, (pages + 1) * config.page_size);
	return 0;
}

/* From 6.2 on, where the area's tracepoint comes ahead of its pages. */
SEC("kretprobe")
int kretprobe_vmalloc_null(struct pt_regs *ctx)
{
	struct load *load = PT_REGS_RC(ctx) ? NULL : current_load(ctx);

	if (load)
		vmalloc_gave_none(load);
	return 0;
}

/* What stands in for the two above, each twice, see standin.h. */

SEC("fentry/vmalloc")
int fentry_vmalloc(__u64 *ctx)
{
	vmalloc_function_entry(ctx);
	return 0;
}

SEC("fentry/vmalloc")
int fentry_vmalloc_again(__u64 *ctx)
{
	vmalloc_function_entry(ctx);
	return 0;
}

SEC("fexit/vmalloc")
int fexit_vmalloc(__u64 *ctx)
{
	vmalloc_function_return(ctx);
	return 0;
}

SEC("fexit/vmalloc")
int fexit_vmalloc_again(__u64 *ctx)
{
	vmalloc_function_return(ctx);
	return 0;
}

SEC("kprobe")
int kprobe_vfree(struct pt_regs *ctx)
{
	__u64 caller = 0;

	if (!PT_REGS_PARM1(ctx))
		return 0;
#if defined(__TARGET_ARCH_x86)
	bpf_probe_read_kernel(&caller, sizeof(caller), (void *)PT_REGS_SP(ctx));
#else
	caller = PT_REGS_RET(ctx);
#endif
	ledger_free(ctx, CLASSIC, PT_REGS_PARM1(ctx), caller);
	return 0;
}

/* The allocators' entry, by where the requested size and the cache are passed. */

SEC("fentry/size_first")
int fentry_size_first(__u64 *ctx)
{
	struct load *load = current_load(ctx);

	if (load)
		allocator_entry(load, ctx[0], 0);
	return 0;
}

SEC("fentry/cache_and_size")
int fentry_cache_and_size(__u64 *ctx)
{
	struct load *load = current_load(ctx);

	if (load)
		allocator_entry(load, ctx[2], ctx[0]);
	return 0;
}

/* kmalloc_node_trace(s, gfpflags, node, size) and its successors */
SEC("fentry/cache_node_and_size")
int fentry_cache_node_and_size(__u64 *ctx)
{
	struct load *load = current_load(ctx);

	if (load)
		allocator_entry(load, ctx[3], ctx[0]);
	return 0;
}

SEC("fentry/cache_alone")
int fentry_cache_alone(__u64 *ctx)
{
	struct load *load = current_load(ctx);

	if (load)
		allocator_entry(load, SIZE_OF_CACHE, ctx[0]);
	return 0;
}

SEC("kprobe")
int kprobe_size_first(struct pt_regs *ctx)
{
	struct load *load = current_load(ctx);

	if (load)
		allocator_entry(load, PT_REGS_PARM1(ctx), 0);
	return 0;
}

SEC("kprobe")
int kprobe_cache_and_size(struct pt_regs *ctx)
{
	struct load *load = current_load(ctx);

	if (load)
		allocator_entry(load, PT_REGS_PARM3(ctx), PT_REGS_PARM1(ctx));
	return 0;
}

SEC("kprobe")
int kprobe_cache_node_and_size(struct pt_regs *ctx)
{
	struct load *load = current_load(ctx);

	if (load)
		allocator_entry(load, PT_REGS_PARM4(ctx), PT_REGS_PARM1(ctx));
	return 0;
}

SEC("kprobe")
int kprobe_cache_alone(struct pt_regs *ctx)
{
	struct load *load = current_load(ctx);

	if (load)
		allocator_entry(load, SIZE_OF_CACHE, PT_REGS_PARM1(ctx));
	return 0;
}

/* The slab's slower paths. */

SEC("fentry/slow")
int fentry_slow_path(void *ctx)
{
	allocator_path(ctx, PATH_SLOW);
	return 0;
}

SEC("fentry/new_slab")
int fentry_new_slab(void *ctx)
{
	allocator_path(ctx, PATH_NEW_SLAB);
	return 0;
}

SEC("kprobe")
int kprobe_slow_path(struct pt_regs *ctx)
{
	allocator_path(ctx, PATH_SLOW);
	return 0;
}

SEC("kprobe")
int kprobe_new_slab(struct pt_regs *ctx)
{
	allocator_path(ctx, PATH_NEW_SLAB);
	return 0;
}

/* is_state_visited(), where it is a symbol: from 7.1, as bpf_is_state_visited. */

SEC("fentry/bpf_is_state_visited")
int fentry_visit(void *ctx)
{
	visit_entry();
	return 0;
}

SEC("fexit/bpf_is_state_visited")
int fexit_visit(__u64 *ctx)
{
	/* (env, insn_idx), then the return value */
	visit_return(ctx[2]);
	return 0;
}

SEC("kprobe")
int kprobe_visit(struct pt_regs *ctx)
{
	visit_entry();
	return 0;
}

SEC("kretprobe")
int kretprobe_visit(struct pt_regs *ctx)
{
	visit_return(PT_REGS_RC(ctx));
	return 0;
}

/*
 * The functions that write the verifier's log: verbose(env, fmt, ...), static in verifier.c,
 * bpf_verifier_log_write(), which is the same for other files, and bpf_log(log, fmt, ...).
 * They take arguments without number, which fentry refuses, and are called whether a log is
 * wanted or not.
 */
SEC("kprobe")
int kprobe_log_call(struct pt_regs *ctx)
{
	struct load *load = current_verifier();

	if (load && load->log_use != LOG_SERVES && log_lacks(load))
		note_call(load, ctx);
	return 0;
}

/* Threads that end. */

SEC("tracepoint/sched/sched_process_exit")
int tp_sched_process_exit(void *ctx)
{
	thread_exit();
	return 0;
}

SEC("raw_tp/sched_process_exit")
int raw_sched_process_exit(void *ctx)
{
	thread_exit();
	return 0;
}

/* The floor of a latency, see floor.h. */

SEC("fentry/bpf_fentry_test1")
int fentry_floor(void *ctx)
{
	floor_begin();
	return 0;
}

SEC("kprobe")
int kprobe_floor(void *ctx)
{
	floor_begin();
	return 0;
}

SEC("fexit/bpf_fentry_test1")
int fexit_floor_begin(void *ctx)
{
	floor_begin();
	return 0;
}

SEC("fexit/bpf_fentry_test1")
int fexit_floor(void *ctx)
{
	floor_end(ctx);
	return 0;
}

SEC("raw_tp")
int raw_floor_begin(void *ctx)
{
	floor_begin();
	return 0;
}

SEC("raw_tp")
int raw_floor(void *ctx)
{
	floor_end(ctx);
	return 0;
}

SEC("tracepoint")
int tp_floor(void *ctx)
{
	floor_end(NULL);
	return 0;
}

/* Run by user space on itself, once; the handlers' share of the floor alone. */
SEC("raw_tp/calibrate")
int calibrate(void *ctx)
{
	floor_calibrate(ctx);
	return 0;
}

/* Run by user space on itself: a descriptor of a program, and its id. */
SEC("raw_tp/locate")
int locate(struct bpf_raw_tracepoint_args *ctx)
{
	locate_program(ctx->args[0], ctx->args[1]);
	return 0;
}

/* Run by user space on itself. */
SEC("raw_tp/read_clock")
int read_clock(void *ctx)
{
	clock_read();
	return 0;
}

char _license[] SEC("license") = "GPL";
