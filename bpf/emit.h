/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Into the ring buffer. A verification whose start did not fit is defunct: not
 * one of its events is sent, so that nothing partial can pass for whole.
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

/* Room for an event of a live verification; NULL counts the loss. */
static __always_inline void *reserve(struct load *load, __u64 size)
{
	void *event;

	if (load->defunct)
		return NULL;
	event = bpf_ringbuf_reserve(&events, size, 0);
	if (!event) {
		load->dropped++;
		__sync_fetch_and_add(&losses.ring_full, 1);
	}
	return event;
}

/* How many events of a load go by between looks at how full the ring is. */
#define LOOK_EVENTS 64

/*
 * Wakes the reader only if much waits for it: it takes the CPU from the
 * verification that is being measured. The end of a load wakes it always.
 */
static __always_inline void submit(struct load *load, void *event)
{
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (++load->unsent >= LOOK_EVENTS) {
		load->unsent = 0;
		if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >= config.wakeup_bytes)
			flags = BPF_RB_FORCE_WAKEUP;
	}
	bpf_ringbuf_submit(event, flags);
}

#endif
