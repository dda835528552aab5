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

/* Wakes the reader once in config.wakeup_events; ends wake it always. */
static __always_inline void submit(struct load *load, void *event)
{
	if (++load->unsent < config.wakeup_events) {
		bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
		return;
	}
	load->unsent = 0;
	bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
}

#endif
