/* SPDX-License-Identifier: GPL-2.0 */
/* The ledger from raw tracepoints: what each of their programs does, and its copy. */
#ifndef VERIALLOC_LEDGER_RAW_H
#define VERIALLOC_LEDGER_RAW_H

static __always_inline void ledger_raw_kmalloc(struct bpf_raw_tracepoint_args *ctx,
					       enum flavour flavour)
{
	__u64 now, ptr, requested;
	struct load *load = allocating_load(ctx, &now);
	struct alloc_event *event;

	if (!load)
		return;
	ptr = ctx->args[1];
	if (is_reported(load, flavour, ptr, ctx->args[0], now))
		return;
	requested = ctx->args[2];
	event = ledger_alloc(load, now, ptr, requested, SOURCE_KMALLOC);
	if (event)
		describe(event, ctx->args[0], ctx->args[3], ctx->args[4], ctx->args[5]);
	else if (!ptr)
		note_failure(load, requested, ctx->args[0], ctx->args[4], SOURCE_KMALLOC);
}

static __always_inline void ledger_raw_kfree(struct bpf_raw_tracepoint_args *ctx,
					     enum flavour flavour)
{
	if (is_object(ctx->args[1]))
		ledger_free(ctx, flavour, ctx->args[1], ctx->args[0]);
}

static __always_inline void ledger_raw_kmem_cache_alloc(struct bpf_raw_tracepoint_args *ctx,
							enum flavour flavour)
{
	__u64 now, ptr, size;
	struct load *load = allocating_load(ctx, &now);
	struct alloc_event *event;
	struct kmem_cache *cache;

	if (!load)
		return;
	ptr = ctx->args[1];
	if (is_reported(load, flavour, ptr, ctx->args[0], now))
		return;
	cache = (void *)ctx->args[2];
	ledger_cache_name(load, (__u64)cache, BPF_CORE_READ(cache, name));
	size = BPF_CORE_READ(cache, object_size);
	event = ledger_alloc(load, now, ptr, size, SOURCE_CACHE);
	if (!event) {
		if (!ptr)
			note_failure(load, size, ctx->args[0], ctx->args[3], SOURCE_CACHE);
		return;
	}
	event->cache = (__u64)cache;
	describe(event, ctx->args[0], BPF_CORE_READ(cache, size), ctx->args[3], ctx->args[4]);
}

static __always_inline void ledger_raw_kmem_cache_free(struct bpf_raw_tracepoint_args *ctx,
						       enum flavour flavour)
{
	if (ctx->args[1])
		ledger_free(ctx, flavour, ctx->args[1], ctx->args[0]);
}

static __always_inline void ledger_raw_alloc_vmap_area(struct bpf_raw_tracepoint_args *ctx,
						       enum flavour flavour)
{
	ledger_vmalloc(ctx, flavour, (int)ctx->args[5] ? 0 : ctx->args[0], ctx->args[1]);
}

static __always_inline void ledger_raw_free_vmap_area_noflush(struct bpf_raw_tracepoint_args *ctx,
							      enum flavour flavour)
{
	ledger_free(ctx, flavour, ctx->args[0], 0);
}

#endif
