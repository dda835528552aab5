/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ledger: each allocation and each free of a verification once, from the
 * kernel's own tracepoints. Which flavour of tracepoint is exact on a kernel is
 * the loader's business; both call the functions below.
 */
#ifndef VERIALLOC_LEDGER_H
#define VERIALLOC_LEDGER_H

/*
 * kfree()'s tracepoint reports NULL, half of all its calls, and ZERO_SIZE_PTR. Neither is
 * an object: both are turned away before anything that costs.
 */
static __always_inline bool is_object(__u64 ptr)
{
	return ptr > 16;
}

/* What the entry probes know of an allocation: nothing, if they missed its call. */
struct timing {
	__u64 latency;
	__u64 cache;
	__u8 path;
};

/*
 * The size ties what an entry probe left to the event of the same call: a call that ended
 * without an event must not lend its time to another.
 */
static __always_inline struct timing take_timing(struct load *load, __u64 size, __u64 begun,
						 __u64 now)
{
	struct pending *pending = &load->alloc;
	struct timing timing = { .latency = LATENCY_NONE, .path = PATH_UNKNOWN };

	if (!begun || pending->size != size) {
		/* The outer call can no longer be matched: forget it. */
		load->outer.time_ns = 0;
		return timing;
	}
	timing.latency = now - begun;
	timing.cache = pending->cache;
	timing.path = pending->path;
	if (load->outer.time_ns)
		*pending = load->outer;
	else
		pending->time_ns = 0;
	load->outer.time_ns = 0;
	return timing;
}

/*
 * Whether the events of loads that go on at once must be put in order: each has its own
 * time while there are several, and so has the first after a load has come or gone, or the
 * time of an event before that would stand for it. A load alone pays for no clock.
 */
static __always_inline bool together(struct load *load)
{
	__u32 changes;

	if (*(volatile __u32 *)&active > 1)
		return true;
	changes = *(volatile __u32 *)&loads_changed;
	if (load->changes == changes)
		return false;
	load->changes = changes;
	return true;
}

/*
 * The load that an allocation belongs to, and the time, which is 0 where nobody asks for it.
 * This is where a latency ends. Each program of an allocation begins with it and does all
 * else after it, so that the same work of ours stands in every latency, whichever the
 * allocator; floor.h measures that work.
 */
static __always_inline struct load *allocating_load(const void *ctx, __u64 *now)
{
	struct load *load = current_load(ctx);

	if (load)
		*now = config.timed || load->alloc.time_ns || !load->env || together(load)
			       ? bpf_ktime_get_ns()
			       : 0;
	return load;
}

static __always_inline struct alloc_event *alloc_event(struct load *load, __u64 now, __u64 ptr,
						       __u64 requested, __u8 source)
{
	__u64 begun = load->alloc.time_ns, env = load->env;
	struct timing timing =
		take_timing(load, source == SOURCE_CACHE ? SIZE_OF_CACHE : requested, begun, now);
	struct alloc_event *event;

	if (!is_object(ptr)) {
		load->changes = 0; /* its time goes unused: see together() */
		return NULL;
	}
	if (!env) {
		if (requested != config.env_size)
			return NULL;
		verification_start(load, ptr, now, timing.latency);
		if (load->defunct)
			return NULL;
	}
	event = append(load, sizeof(*event), EVENT_ALLOC, now, false);
	load->allocs++;
	event->ptr = ptr;
	event->requested = requested;
	event->latency_ns = timing.latency;
	event->cache = timing.cache;
	event->source = source;
	event->path = timing.path;
	return event;
}

/*
 * Returns the event of an allocation, for its program to describe; NULL where the
 * allocation failed, or belongs to no verification.
 */
static __always_inline struct alloc_event *ledger_alloc(struct load *load, __u64 now, __u64 ptr,
							__u64 requested, __u8 source)
{
	struct alloc_event *event = alloc_event(load, now, ptr, requested, source);

	reported(load);
	return event;
}

/* The rest, which its program reads only now that it is wanted. */
static __always_inline void describe(struct alloc_event *event, __u64 call_site, __u64 allocated,
				     __u32 gfp, int node)
{
	event->call_site = call_site;
	event->allocated = allocated;
	event->gfp = gfp;
	event->node = node;
}

static __always_inline void ledger_free(const void *ctx, enum flavour flavour, __u64 ptr,
					__u64 call_site)
{
	struct load *load = current_verification(ctx);
	struct free_event *event;

	if (!load || is_reported(load, flavour, ptr, SITE_FREE, 0))
		return;
	/* An env in vmalloc space is unmapped before its own free is reported. */
	if (load->env_vmalloc && ptr != load->env)
		read_result(load);
	event = append(load, sizeof(*event), EVENT_FREE,
		       config.timed || together(load) ? bpf_ktime_get_ns() : 0, false);
	load->frees++;
	event->ptr = ptr;
	event->call_site = call_site;
	if (ptr == load->env)
		verification_release(load, bpf_ktime_get_ns());
	reported(load);
}

/* A hash that tells caches of different names apart. */
static __always_inline __u64 name_hash(const void *name)
{
	__u64 part[CACHE_NAME_LEN / 8] = {};
	__u64 hash = 0;
	int i;

	bpf_probe_read_kernel_str(part, sizeof(part), name);
	for (i = 0; i < CACHE_NAME_LEN / 8; i++)
		hash = (hash ^ part[i]) * 0x9e3779b97f4a7c15ULL;
	return hash;
}

static __always_inline void ledger_cache_name(struct load *load, __u64 cache, const void *name)
{
	struct cache_event *event;

	if (!load->env || load->announced == cache)
		return;
	load->announced = cache;
	event = append(load, sizeof(*event), EVENT_CACHE, 0, false);
	load->cache_names++;
	event->cache = cache;
	bpf_probe_read_kernel_str(event->name, sizeof(event->name), name);
}

/* Areas are as large as a huge page more than what was asked for. */
#define HUGE_PAGE (2 << 20)

/*
 * The array of an area's pages, which __vmalloc_area_node() asks for in its caller's name:
 * that the area has no pages may still come.
 */
static __always_inline bool is_page_array(struct load *load, struct pending_vmalloc *area)
{
	__u64 pages = area->size / sizeof(void *) * config.page_size;

	return load->area.size && area->call_site == load->area.call_site &&
	       pages >= load->area.size && pages - load->area.size < HUGE_PAGE;
}

/*
 * vmalloc() has no tracepoint of its own; its address range has one from 6.2
 * (cf243da6ab39), in the calling task. The range holds a guard page. Size and
 * caller come from the entry probe or from the kmalloc that kvmalloc() tried
 * first. addr is 0 where no range could be had.
 */
static __always_inline void ledger_vmalloc(const void *ctx, enum flavour flavour, __u64 addr,
					   __u64 range)
{
	struct pending_vmalloc area = {};
	__u64 now;
	struct load *load = allocating_load(ctx, &now);
	struct failed_alloc *failed;
	struct alloc_event *event;
	__u64 allocated = range;

	if (!load || is_reported(load, flavour, addr, SITE_VMALLOC, now))
		return;
	failed = &load->failed;
	if (range > config.page_size)
		allocated = range - config.page_size;
	if (load->vmalloc.time_ns) {
		area = load->vmalloc;
	} else if (failed->requested && failed->requested <= allocated &&
		   failed->requested + config.page_size > allocated) {
		area.size = failed->requested;
		area.call_site = failed->call_site;
		area.gfp = failed->gfp;
	}
	/* Of kvmalloc() the kmalloc has failed, and is counted as the whole of it. */
	if (failed->requested != area.size || !area.size)
		settle_failure(load);
	load->vmalloc = load->outer_vmalloc;
	load->outer_vmalloc.time_ns = 0;
	if (!addr) {
		if (!failed->requested)
			note_failure(load, area.size ?: allocated, area.call_site, area.gfp,
				     SOURCE_VMALLOC);
		load->area.size = 0;
		load->changes = 0; /* its time goes unused: see together() */
		reported(load);
		return;
	}
	failed->requested = 0;
	if (!is_page_array(load, &area)) {
		load->area = area;
		load->area.size = area.size ?: allocated;
	}
	if (!load->env && area.size == config.env_size)
		load->env_vmalloc = 1;
	/*
	 * The range comes before its pages: the time to here is not the time
	 * of the whole call, so no latency is claimed, be it kvmalloc()'s.
	 */
	load->alloc.time_ns = 0;
	event = ledger_alloc(load, now, addr, area.size, SOURCE_VMALLOC);
	if (event)
		describe(event, area.call_site, allocated, area.gfp, -1);
}

/*
 * vmalloc() gave NULL: its entry is pending if it never came to a range, as where the size is
 * beyond all memory; else it had no pages for its range. A kmalloc of kvmalloc() that failed
 * ahead of it is counted as the whole.
 */
static __always_inline void vmalloc_gave_none(struct load *load)
{
	struct pending_vmalloc *none = load->vmalloc.time_ns ? &load->vmalloc : &load->area;

	if (none->size && load->failed.requested != none->size)
		note_failure(load, none->size, none->call_site, none->gfp, SOURCE_VMALLOC);
	load->vmalloc.time_ns = 0;
	load->area.size = 0; /* another program at this return finds nothing */
}

#endif
