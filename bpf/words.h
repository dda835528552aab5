/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The verifier's words for a rejection. They are in the log that the loader asked for; where
 * it asked for none, or for one that does not hold them, they are in the calls that write
 * the log. Of those the last are kept, and sent if the load fails.
 */
#ifndef VERIALLOC_WORDS_H
#define VERIALLOC_WORDS_H

/* What a load's log is good for, as its first call finds it. */
enum log_use {
	LOG_UNSEEN,
	LOG_SERVES, /* it keeps its end, and has room for it; or all that matters was kept */
	LOG_FILLS,  /* it keeps its beginning: before 6.4, and with BPF_LOG_FIXED */
	LOG_FAILS,  /* there is none, or too small a one */
};

#define BPF_LOG_FIXED 8
#define LOG_LINE 1024 /* BPF_VERIFIER_TMP_LOG_SIZE: one call writes no more */

static __always_inline struct bpf_verifier_log *log_of(struct load *load)
{
	return (void *)(load->env + bpf_core_field_offset(struct bpf_verifier_env, log));
}

static __always_inline bool keeps_end(struct bpf_verifier_log *log, __u32 level)
{
	return bpf_core_field_exists(log->end_pos) && !(level & BPF_LOG_FIXED);
}

/* Bytes written, beyond the log's size where it is full. */
static __always_inline __u64 log_used(struct bpf_verifier_log *log)
{
	if (bpf_core_field_exists(log->end_pos))
		return BPF_CORE_READ(log, end_pos);
	return BPF_CORE_READ(log, len_used);
}

static __always_inline enum log_use log_use(struct bpf_verifier_log *log)
{
	__u32 level = BPF_CORE_READ(log, level);

	if (!level || !BPF_CORE_READ(log, ubuf))
		return LOG_FAILS;
	if (!keeps_end(log, level))
		return LOG_FILLS;
	return BPF_CORE_READ(log, len_total) < LOG_TAIL ? LOG_FAILS : LOG_SERVES;
}

/* Whether the log may not take what this call writes. */
static __always_inline bool log_lacks(struct load *load)
{
	struct bpf_verifier_log *log = log_of(load);

	if (load->log_use == LOG_UNSEEN)
		load->log_use = log_use(log);
	if (load->log_use != LOG_FILLS)
		return load->log_use == LOG_FAILS;
	if (log_used(log) + LOG_LINE >= BPF_CORE_READ(log, len_total))
		return true;
	/* There is room, or again: the verifier takes back what it wrote of a good path. */
	load->called[0] = 0;
	load->called[1] = 0;
	load->calls_cut = 1;
	return false;
}

/* The first eight bytes of a text. */
#define LETTERS(a, b, c, d, e, f, g, h)                                                            \
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 |   \
	 (__u64)(f) << 40 | (__u64)(g) << 48 | (__u64)(h) << 56)

/*
 * The states behind the words for an infinite loop (6.7) are long, and no words: of each the
 * first call and the last are kept.
 */
static __always_inline bool within_state(struct load *load, __u64 letters)
{
	if (letters == LETTERS('c', 'u', 'r', ' ', 's', 't', 'a', 't') ||
	    letters == LETTERS('o', 'l', 'd', ' ', 's', 't', 'a', 't')) {
		load->in_state = 1;
		return false;
	}
	if ((__u16)letters == '\n')
		load->in_state = 0;
	return load->in_state;
}

/* The statistics follow the words: their first call shows that these are whole. */
static __always_inline bool ends_words(__u64 letters)
{
	return letters == LETTERS('v', 'e', 'r', 'i', 'f', 'i', 'c', 'a') ||
	       letters == LETTERS('p', 'r', 'o', 'c', 'e', 's', 's', 'e');
}

/* The arguments behind the format: those in registers, then those on the stack. */
static __always_inline void read_args(struct pt_regs *ctx, __u64 *args)
{
	args[0] = PT_REGS_PARM3(ctx);
	args[1] = PT_REGS_PARM4(ctx);
	args[2] = PT_REGS_PARM5(ctx);
#if defined(__TARGET_ARCH_x86)
	args[3] = ctx->r9;
	bpf_probe_read_kernel(&args[4], 4 * sizeof(*args), (void *)(PT_REGS_SP(ctx) + 8));
#else
	args[3] = ctx->regs[5];
	args[4] = ctx->regs[6];
	args[5] = ctx->regs[7];
	bpf_probe_read_kernel(&args[6], 2 * sizeof(*args), (void *)PT_REGS_SP(ctx));
#endif
}

/*
 * Whether a word may be the address of a text: in the kernel's half, with five levels of
 * page tables too, and not a negative number that is small.
 */
static __always_inline bool may_be_text(__u64 word)
{
	return word >= 0xff00000000000000ULL && word < -4096ULL;
}

/* Room for one more call in the half that is being filled, or in the other. */
static __always_inline __u64 room_for_call(struct load *load)
{
	__u64 used = load->called[load->half & 1];

	if (used <= CALLS_BYTES - CALL_BYTES)
		return used;
	load->half ^= 1;
	if (load->called[load->half & 1])
		load->calls_cut = 1;
	load->called[load->half & 1] = 0;
	return 0;
}

/* Keeps a call. */
static __always_inline void note_call(struct load *load, struct pt_regs *ctx)
{
	__u64 env = PT_REGS_PARM1(ctx), used, end, letters;
	struct calls *calls;
	struct log_call *call;
	__u32 slot = load->slot;
	__u8 *bytes;
	long n;

	if (env != load->env && env != (__u64)log_of(load))
		return; /* of another log */
	used = room_for_call(load);
	calls = bpf_map_lookup_elem(&calls_of_loads, &slot);
	if (!calls || used > CALLS_BYTES - CALL_BYTES)
		return;
	bytes = calls->half[load->half & 1].calls + used;
	call = (void *)bytes;
	end = sizeof(*call);
	n = bpf_probe_read_kernel_str(bytes + end, CALL_FORMAT_LEN, (void *)PT_REGS_PARM2(ctx));
	if (n < 0 || n > CALL_FORMAT_LEN)
		n = 0;
	call->format_len = n;
	letters = n ? *(__u64 *)(bytes + end) : 0;
	if (n && within_state(load, letters))
		return;
	end += n;
	read_args(ctx, call->args);
	for (int i = 0; i < CALL_ARGS; i++) {
		__u64 arg = call->args[i];

		n = 0;
		if (may_be_text(arg))
			n = bpf_probe_read_kernel_str(bytes + end, CALL_TEXT_LEN, (void *)arg);
		if (n < 0 || n > CALL_TEXT_LEN)
			n = 0;
		call->text_len[i] = n;
		end += n;
	}
	end = (end + 7) & ~7ULL;
	call->size = end;
	load->called[load->half & 1] = used + end;
	if (ends_words(letters))
		load->log_use = LOG_SERVES;
}

/* Where the end of the log is once the verifier has put it in order. */
static __always_inline void read_log(struct load *load)
{
	struct bpf_verifier_log *log = log_of(load);
	__u64 total = BPF_CORE_READ(log, len_total), len = log_used(log), start = 0;

	if (bpf_core_field_exists(log->start_pos))
		start = BPF_CORE_READ(log, start_pos);
	len -= start;
	if (len >= total)
		len = total ? total - 1 : 0;
	load->log_cut = start != 0 || len > LOG_TAIL;
	if (len > LOG_TAIL) {
		start = len - LOG_TAIL;
		len = LOG_TAIL;
	} else {
		start = 0;
	}
	load->log = (__u64)BPF_CORE_READ(log, ubuf) + start;
	load->log_len = load->log == start ? 0 : len;
}

static __always_inline void words_lost(struct load *load)
{
	load->dropped++;
	__sync_fetch_and_add(&losses.ring_full, 1);
}

static __always_inline void send_log(struct load *load)
{
	struct log_event *event;
	__u32 len = load->log_len;

	if (!len || len > LOG_TAIL)
		return;
	event = reserve(sizeof(*event));
	if (!event) {
		words_lost(load);
		return;
	}
	/* Fails only where a page of the loader's is not in. */
	if (bpf_probe_read_user(event->text, len, (void *)load->log)) {
		bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
		return;
	}
	fill_header(&event->h, load->verification, EVENT_LOG, 0);
	event->len = len;
	event->cut = load->log_cut;
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

static __always_inline void send_calls(struct load *load, struct calls_event *half, __u32 used)
{
	void *ring = current_ring();

	if (!used || used > CALLS_BYTES)
		return;
	fill_header(&half->h, load->verification, EVENT_CALLS, 0);
	half->cut = load->calls_cut;
	if (!ring || bpf_ringbuf_output(ring, half, offsetof(struct calls_event, calls) + used,
					BPF_RB_NO_WAKEUP))
		words_lost(load);
}

/* Of a load that failed. */
static __noinline void send_words(struct load *load)
{
	__u32 slot, newer;
	struct calls *calls;

	send_log(load);
	/* Some calls may have been missed, though stand-ins saw the ledger's events. */
	if (load->skipped)
		return;
	slot = load->slot;
	newer = load->half & 1;
	calls = bpf_map_lookup_elem(&calls_of_loads, &slot);
	if (!calls)
		return;
	send_calls(load, &calls->half[newer ^ 1], load->called[newer ^ 1]);
	send_calls(load, &calls->half[newer], load->called[newer]);
}

#endif
