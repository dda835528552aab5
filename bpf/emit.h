/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Into the ring buffer. Start and end of a verification go there at once; what
 * happens between gathers in its load and goes there many at a time, for a place in
 * the ring costs as much as several entries. A verification whose start did not fit
 * is defunct: not one of its events is sent, so that nothing partial can pass for
 * whole.
 */
#ifndef VERIALLOC_EMIT_H
#define VERIALLOC_EMIT_H

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
 * Sends the batch. Wakes the reader only if much waits for it: it takes the CPU
 * from the verification that is being measured. The end of a load wakes it always.
 */
static __always_inline void flush(struct load *load, bool quiet)
{
	__u64 flags = BPF_RB_NO_WAKEUP;
	__u32 used = load->used;

	load->used = 0;
	if (!used || used > BATCH_BYTES)
		return;
	if (!quiet && bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >= config.wakeup_bytes)
		flags = BPF_RB_FORCE_WAKEUP;
	if (bpf_ringbuf_output(&events, &load->batch, sizeof(load->batch.h) + used, flags)) {
		load->dropped += load->batched;
		__sync_fetch_and_add(&losses.ring_full, load->batched);
	}
	load->batched = 0;
}

/*
 * Room for an entry of a live verification; NULL where it is defunct. An entry whose
 * time nobody asks for has now 0 and gets the time of the one before: reading the
 * clock is a good part of what an event costs. quiet is for
 * programs that can be preempted: the reader, woken, would run inside them, and
 * the kernel would skip them for every other task on the CPU meanwhile.
 */
static __always_inline void *append(struct load *load, __u32 size, __u8 kind, __u64 now, bool quiet)
{
	struct entry_header *entry;
	__u32 used;

	if (load->defunct)
		return NULL;
	if (now)
		load->last_ns = now;
	else
		now = load->last_ns;
	if (load->used > BATCH_BYTES - size || now - load->batch.h.time_ns > (__u32)~0)
		flush(load, quiet);
	used = load->used;
	if (!used)
		load->batch.h.time_ns = now;
	if (used > BATCH_BYTES - size)
		return NULL; /* never: flush() made room */
	entry = (void *)&load->batch.entries[used];
	load->used = used + size;
	load->batched++;
	entry->since_ns = now - load->batch.h.time_ns;
	entry->cpu = load->cpu;
	entry->kind = kind;
	entry->pad = 0;
	return entry;
}

#endif
