/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Into the ring buffer. Start and end of a verification go there at once; what
 * happens between gathers in its load and goes there many at a time, for a place in
 * the ring costs as much as several events. A verification whose start did not fit
 * is defunct: not one of its events is sent, so that nothing partial can pass for
 * whole.
 */
#ifndef VERIALLOC_EMIT_H
#define VERIALLOC_EMIT_H

/* Tells a process from another one that has its id later. */
static __always_inline __u64 process_start(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return BPF_CORE_READ(task, group_leader, start_boottime);
}

static __always_inline void *current_ring(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&rings, &zero);
}

/* Room in the ring; NULL: there is none. */
static __always_inline void *reserve(__u64 size)
{
	void *ring = current_ring();

	return ring ? bpf_ringbuf_reserve(ring, size, 0) : NULL;
}

static __always_inline void fill_header(struct event_header *h, __u64 verification, __u8 kind,
					__u64 now)
{
	h->verification = verification;
	h->time_ns = now;
	h->tid = (__u32)bpf_get_current_pid_tgid();
	h->cpu = bpf_get_smp_processor_id();
	h->kind = kind;
	h->pad = 0;
}

/*
 * Sends the batch. Wakes the reader only if much waits for it: the reader takes the CPU
 * from the verification that is being measured. The return of a load wakes it, or a
 * program after that does (wake_reader).
 * quiet is for programs that can be preempted, as stand-ins can (inside): the reader, woken, would run inside
 * them, and the kernel would skip them for every other task on the CPU meanwhile.
 */
static __always_inline void flush(struct load *load, bool quiet)
{
	__u32 appended = load->allocs + load->frees + load->visits + load->cache_names +
			 load->names + load->failed_events;
	__u32 batched = appended - load->flushed;
	__u64 flags = BPF_RB_NO_WAKEUP;
	__u32 used = load->used;
	void *ring;

	load->used = 0;
	if (!used || used > BATCH_BYTES)
		return;
	ring = current_ring();
	if (ring && !quiet && !load->inside &&
	    bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= config.wakeup_bytes)
		flags = BPF_RB_FORCE_WAKEUP;
	if (!ring || bpf_ringbuf_output(ring, &load->batch, sizeof(load->batch.h) + used, flags)) {
		load->dropped += batched;
		__sync_fetch_and_add(&losses.ring_full, batched);
	}
	load->flushed = appended;
}

/*
 * How the end of a load goes into the ring. Where the programs that see it can be
 * preempted, from 7.2, it wakes nobody, for the reason above: wake_reader() does, in a
 * program that comes after them.
 */
static __always_inline __u64 end_flags(void)
{
	return config.counted_syscalls ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* Wakes the reader, and gives it nothing. */
static __always_inline void wake_reader(void)
{
	void *room = reserve(sizeof(__u64));

	if (room)
		bpf_ringbuf_discard(room, BPF_RB_FORCE_WAKEUP);
}

/*
 * Returns room for an event, which the caller counts. Where nobody needs its time, now
 * is 0 and the event gets the time of the one before: reading the clock is a good part of
 * what an event costs.
 */
static __always_inline void *append(struct load *load, __u32 size, __u8 kind, __u64 now, bool quiet)
{
	__u64 since = now ? now - load->batch.h.time_ns : load->since_ns;
	struct batched_header *event;
	__u32 used = load->used;

	if (used > BATCH_BYTES - size || (now && since > (__u32)~0)) {
		flush(load, quiet);
		load->batch.h.time_ns = now ?: load->batch.h.time_ns + since;
		load->since_ns = 0;
		since = 0;
		used = 0;
	} else if (now) {
		load->since_ns = since;
	}
	load->used = used + size;
	event = (void *)&load->batch.events[used];
	event->since_ns = since;
	event->cpu = load->cpu;
	event->kind = kind;
	event->pad = 0;
	return event;
}

#endif
