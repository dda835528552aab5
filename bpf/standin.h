/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stand-ins: the ledger's raw programs, attached beside its classic ones where the
 * kernel may skip either, and a second copy of each. It skips the classic ones while
 * bpf_prog_active of the CPU is held (slice.h), and a raw one while another task was
 * preempted inside it on this CPU: struct bpf_prog counts in `active`, per CPU, who is
 * inside. All that is known as a slice begins, and what is free then is free to its end.
 *
 * At a tracepoint the classic program runs first, then its stand-in, then the copy: the
 * order in which the loader attaches them. The first that runs reports the event and
 * notes that; the others pass over what was noted. An event is missed only if all three
 * are skipped, each in the slice of the one before it or, if the task was preempted
 * between the two, in a later one.
 */
#ifndef VERIALLOC_STANDIN_H
#define VERIALLOC_STANDIN_H

/* A program of the ledger, by when it runs. */
enum flavour {
	CLASSIC, /* and kprobes */
	STAND_IN_FIRST,
	STAND_IN_SECOND,
};

#define MAX_STAND_INS 8

/*
 * Where `active` of each is, as an offset into a CPU's per-CPU variables: of the first
 * stand-ins, then of their copies.
 */
__u64 stand_in_active[2 * MAX_STAND_INS] = {};

/* Stands for the call site of an event that has none. */
#define SITE_FREE 1
#define SITE_VMALLOC 2

/*
 * Whether this event is on record, asked by each program of the ledger before it reports
 * it. now is the time that was read for it, or 0. A note can be of the event before, if the
 * copy was skipped there: but no two objects after one another have the same pointer and
 * site, for one is freed before it is allocated again. Two failures at one site do: where the
 * copy was skipped at the first, and the classic program at the second, that goes uncounted.
 */
static __always_inline bool is_reported(struct load *load, enum flavour flavour, __u64 ptr,
					__u64 site, __u64 now)
{
	struct reported *last = &load->reported;
	bool same;

	if (!config.needs_stand_ins || !noting)
		return false;
	same = flavour != CLASSIC && last->site == site && last->ptr == ptr;
	last->ptr = ptr;
	last->site = flavour == STAND_IN_SECOND ? 0 : site;
	if (flavour == CLASSIC)
		return false;
	/* A task that is preempted in between claims an earlier slice, never a later one. */
	load->stood_in = load->slice;
	load->inside = same ? 0 : flavour;
	if (same && now)
		load->changes = 0; /* its time goes unused: see together() */
	return same;
}

/* The program that asked has reported it. */
static __always_inline void reported(struct load *load)
{
	if (config.needs_stand_ins)
		load->inside = 0;
}

/*
 * Whether a task that was preempted on this CPU is inside a program of that flavour. The
 * load's own task does not count: it goes on from there, and is then inside none.
 */
static __always_inline bool stand_in_skipped(struct cpu *cpu, struct load *load,
					     enum flavour flavour)
{
	__u32 first = (flavour - STAND_IN_FIRST) * MAX_STAND_INS;
	__u32 inside, sum = 0;

	for (__u32 i = 0; i < MAX_STAND_INS; i++) {
		if (i >= stand_ins)
			break;
		if (bpf_probe_read_kernel(&inside, sizeof(inside),
					  (void *)(stand_in_active[first + i] + cpu->offset)))
			return true;
		sum += inside;
	}
	return sum > (load->inside == flavour);
}

/*
 * Whether an event of the slice that begins may be missed. skipped: classic programs are,
 * in this slice.
 */
static __always_inline bool slice_blind(struct cpu *cpu, struct load *load, bool skipped)
{
	__u32 n = bpf_get_smp_processor_id();

	if (!stand_ins)
		return skipped;
	load->slice++;
	if (skipped)
		load->skipped = load->slice;
	/* Not since a stand-in ran last: no event is under way that a classic one missed. */
	if (!load->skipped || load->skipped < load->stood_in)
		return false;
	if (!cpu->offset &&
	    bpf_probe_read_kernel(&cpu->offset, sizeof(cpu->offset),
				  (void *)(config.per_cpu_offsets + n * sizeof(cpu->offset))))
		return true;
	if (stand_in_skipped(cpu, load, STAND_IN_FIRST))
		load->both = load->slice;
	if (!load->both || load->both < load->stood_in)
		return false;
	return stand_in_skipped(cpu, load, STAND_IN_SECOND);
}

/* Set by locate_program(); 0: not found. */
__u64 located = 0;

/* Finds `active` of the program of that id, of which this process has a descriptor. */
static __always_inline void locate_program(__u64 fd, __u64 id)
{
	struct file *file = file_at(descriptor(fd));
	struct bpf_prog *prog;

	located = 0;
	if (!file)
		return;
	prog = BPF_CORE_READ(file, private_data);
	if (BPF_CORE_READ(prog, aux, id) == id)
		located = (__u64)BPF_CORE_READ(prog, active);
}

#endif
