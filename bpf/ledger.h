/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ledger: each allocation and each free of a verification once, from the
 * kernel's own tracepoints. Which flavour of tracepoint is exact on a kernel is
 * the loader's business; both call the functions below.
 */
#ifndef VERIALLOC_LEDGER_H
#define VERIALLOC_LEDGER_H

/*
 * kfree() tells of NULL, half of all its calls, and of ZERO_SIZE_PTR: both are
 * no object, and turned away before anything that costs.
 */
static __always_inline bool is_object(__u64 ptr)
{
	return ptr > 16;
}

/* What the entry probes know of an allocation: nothing, if they missed its call. */
struct entry {
	__u64 latency;
	__u64 cache;
	__u8 path;
};

/*
 * The size ties an entry to its event: an entry whose call ended without an event
 * must not lend its time to another's.
 */
static __always_inline struct entry take_entry(struct load *load, __u64 size, __u64 now)
{
	struct pending *pending = &load->alloc;
	struct entry entry = { .latency = LATENCY_NONE, .path = PATH_UNKNOWN };

	if (!pending->time_ns || pending->size != size) {
		/* Whatever was to come back to the outer one, its turn is over. */
		load->outer.time_ns = 0;
		return entry;
	}
	entry.latency = now - pending->time_ns;
	entry.cache = pending->cache;
	entry.path = pending->path == PATH_UNKNOWN && path_probe ? PATH_FAST : pending->path;
	*pending = load->outer;
	load->outer.time_ns = 0;
	return entry;
}

static __always_inline void ledger_alloc(struct load *load, __u64 ptr, __u64 call_site,
					 __u64 requested, __u64 allocated, __u64 cache, __u32 gfp,
					 int node, __u8 source)
{
	__u64 now = config.timed || load->alloc.time_ns || !load->env ? bpf_ktime_get_ns() : 0;
	struct entry entry =
		take_entry(load, source == SOURCE_CACHE ? SIZE_OF_CACHE : requested, now);
	struct alloc_entry *event;

	if (!is_object(ptr)) {
		load->failed.size = requested;
		load->failed.call_site = call_site;
		load->failed.gfp = gfp;
		return;
	}
	if (!load->env) {
		if (requested != config.env_size)
			return;
		verification_start(load, ptr, now, entry.latency);
	}
	event = append(load, sizeof(*event), EVENT_ALLOC, now, false);
	if (!event)
		return;
	load->allocs++;
	event->ptr = ptr;
	event->call_site = call_site;
	event->requested = requested;
	event->allocated = allocated;
	event->latency_ns = entry.latency;
	event->cache = cache ?: entry.cache;
	event->gfp = gfp;
	event->node = node;
	event->source = source;
	event->path = entry.path;
}

static __always_inline void ledger_free(const void *ctx, __u64 ptr, __u64 call_site)
{
	struct load *load = current_verification(ctx);
	struct free_entry *event;

	if (!load)
		return;
	/* An env in vmalloc space is unmapped before its own free is told. */
	if (load->env_vmalloc && ptr != load->env)
		read_result(load);
	event = append(load, sizeof(*event), EVENT_FREE, config.timed ? bpf_ktime_get_ns() : 0,
		       false);
	if (event) {
		load->frees++;
		event->ptr = ptr;
		event->call_site = call_site;
	}
	if (ptr == load->env)
		verification_release(load, bpf_ktime_get_ns());
}

static __always_inline void ledger_kmalloc(const void *ctx, __u64 call_site, __u64 ptr,
					   __u64 requested, __u64 allocated, __u32 gfp, int node)
{
	struct load *load = current_load(ctx);

	if (load)
		ledger_alloc(load, ptr, call_site, requested, allocated, 0, gfp, node,
			     SOURCE_KMALLOC);
}

static __always_inline void ledger_cache_name(struct load *load, __u64 cache, const void *name)
{
	struct cache_entry *event;

	if (!load->env || load->announced == cache)
		return;
	load->announced = cache;
	event = append(load, sizeof(*event), EVENT_CACHE, 0, false);
	if (!event)
		return;
	event->cache = cache;
	bpf_probe_read_kernel_str(event->name, sizeof(event->name), name);
}

/*
 * vmalloc() has no tracepoint of its own; its address range has one from 6.2
 * (cf243da6ab39), in the calling task. The range holds a guard page. Size and
 * caller come from the entry probe or from the kmalloc that kvmalloc() tried
 * first.
 */
static __always_inline void ledger_vmalloc(const void *ctx, __u64 addr, __u64 range)
{
	__u64 requested = 0, call_site = 0, allocated = range;
	struct load *load = current_load(ctx);
	struct pending_vmalloc *failed;
	__u32 gfp = 0;

	if (!load)
		return;
	failed = &load->failed;
	if (range > config.page_size)
		allocated = range - config.page_size;
	if (load->vmalloc.time_ns) {
		requested = load->vmalloc.size;
		call_site = load->vmalloc.call_site;
		gfp = load->vmalloc.gfp;
	} else if (failed->size && failed->size <= allocated &&
		   failed->size + config.page_size > allocated) {
		requested = failed->size;
		call_site = failed->call_site;
		gfp = failed->gfp;
	}
	failed->size = 0;
	if (!load->env && requested == config.env_size)
		load->env_vmalloc = 1;
	/*
	 * The range comes before its pages: the time to here is not the time
	 * of the whole call, so no latency is claimed, be it kvmalloc()'s.
	 */
	load->alloc.time_ns = 0;
	load->vmalloc = load->outer_vmalloc;
	load->outer_vmalloc.time_ns = 0;
	ledger_alloc(load, addr, call_site, requested, allocated, 0, gfp, -1, SOURCE_VMALLOC);
}

#endif
