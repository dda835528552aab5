/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The entry side of the allocators. The time waits in the load for the ledger
 * event of the same call. Of wrappers, which pass the size on, the innermost entry
 * counts. An allocation that another size's needs (a slab's vector of obj_exts)
 * has an event of its own, and the outer one waits for it.
 */
#ifndef VERIALLOC_LATENCY_H
#define VERIALLOC_LATENCY_H

static __always_inline void allocator_entry(struct load *load, __u64 size, __u64 cache)
{
	/* kmalloc(0) has no event. */
	if (!size)
		return;
	if (load->alloc.time_ns && load->alloc.size != size)
		load->outer = load->alloc;
	load->alloc.size = size;
	load->alloc.cache = cache;
	load->alloc.path = path_probe;
	load->alloc.time_ns = bpf_ktime_get_ns();
}

static __always_inline void allocator_path(const void *ctx, __u32 path)
{
	struct load *load = current_load(ctx);

	if (load && load->alloc.path < path)
		load->alloc.path = path;
}

static __always_inline void vmalloc_entry(const void *ctx, __u64 size, __u32 gfp, __u64 call_site)
{
	struct load *load = current_load(ctx);

	if (!load)
		return;
	/* Another program at this entry was here: see standin.h. */
	if (load->vmalloc.time_ns && load->vmalloc.size == size &&
	    load->vmalloc.call_site == call_site)
		return;
	/*
	 * On 6.1 vmalloc() is reported at its return, after the nested call for its page
	 * array: keep the outer one.
	 */
	if (load->vmalloc.time_ns)
		load->outer_vmalloc = load->vmalloc;
	load->vmalloc.size = size;
	load->vmalloc.gfp = gfp;
	load->vmalloc.call_site = call_site;
	load->vmalloc.time_ns = bpf_ktime_get_ns();
}

/* __vmalloc_node_range(): from 7.0 trampolines keep all nine of its arguments. */
static __always_inline void vmalloc_function_entry(__u64 *ctx)
{
	__u64 size = 0, gfp = 0, caller = 0;

	bpf_get_func_arg(ctx, 0, &size);
	bpf_get_func_arg(ctx, 4, &gfp);
	bpf_get_func_arg(ctx, 8, &caller);
	vmalloc_entry(ctx, size, gfp, caller);
}

static __always_inline void vmalloc_function_return(__u64 *ctx)
{
	struct load *load;
	__u64 addr;

	if (bpf_get_func_ret(ctx, &addr) || addr)
		return;
	load = current_load(ctx);
	if (load)
		vmalloc_gave_none(load);
}

static __always_inline void visit_entry(void)
{
	struct load *load = current_verifier();

	if (!load)
		return;
	load->visit_entries++;
	load->visit_ns = bpf_ktime_get_ns();
}

static __always_inline void visit_return(int result)
{
	struct load *load = current_verifier();
	struct visit_event *event;
	__u64 now;

	if (!load || !load->visit_ns)
		return;
	now = bpf_ktime_get_ns();
	event = append(load, sizeof(*event), EVENT_VISIT, now, true);
	load->visits++;
	event->latency_ns = now - load->visit_ns;
	event->result = result;
	event->pad = 0;
	load->visit_ns = 0;
}

#endif
