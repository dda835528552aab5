/* SPDX-License-Identifier: GPL-2.0 */
/* One bpf(BPF_PROG_LOAD) call, from its entry to its return. */
#ifndef VERIALLOC_LOAD_H
#define VERIALLOC_LOAD_H

static __always_inline bool wanted(void)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	char comm[COMM_LEN];

	if (!config.include_self && pid == own_pid)
		return false;
	if (config.only_pid && pid != config.only_pid)
		return false;
	if (config.match_comm) {
		bpf_get_current_comm(comm, sizeof(comm));
		for (int i = 0; i < COMM_LEN; i++) {
			if (comm[i] != config.comm[i])
				return false;
			if (!comm[i])
				break;
		}
	}
	return !config.follow || descends_from_tracer();
}

/*
 * BPF_PROG_LOAD, with common attributes or without. A kernel before 7.2, which libbpf asks
 * whether it has them, refuses the command with them as one that it does not know.
 */
static __always_inline bool is_load(__u64 cmd)
{
	if (bpf_core_type_exists(struct bpf_common_attr))
		cmd &= ~(__u64)BPF_CMD_COMMON_ATTRS;
	return (__u32)cmd == BPF_CMD_PROG_LOAD;
}

/*
 * Reads no more than there is: the kernel takes the rest for zeros, and refuses what is
 * longer than its own union bpf_attr unless that is zeros.
 */
static __always_inline void read_request(struct load_request *request, __u64 attr, __u64 size,
					 enum request_source source, bool kernel)
{
	__u64 known = bpf_core_type_size(union bpf_attr);
	long failed;

	if (size > known)
		size = known;
	barrier_var(size); /* bounded here: 6.1 forgets the bound of what was spilled since */
	if (size > sizeof(request->attr))
		size = sizeof(request->attr);
	__builtin_memset(request, 0, sizeof(*request));
	/* Fails only where a page of the loader's is not in. */
	if (kernel)
		failed = bpf_probe_read_kernel(&request->attr, size, (void *)attr);
	else
		failed = bpf_probe_read_user(&request->attr, size, (void *)attr);
	if (!failed)
		request->source = source;
}

/* The request at the load's return, where its entry was missed. */
static __always_inline void read_late(struct load *load, __u64 attr, __u64 size, bool kernel)
{
	if (load->request.source == REQUEST_UNREAD && !load->ended)
		read_request(&load->request, attr, size, REQUEST_LOADER, kernel);
}

static __always_inline void fill_task(struct end_event *event)
{
	event->cgroup_id = bpf_get_current_cgroup_id();
	event->process_start = process_start();
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->uid = (__u32)bpf_get_current_uid_gid();
	bpf_get_current_comm(event->comm, sizeof(event->comm));
}

static __always_inline void fill_end(struct end_event *event, struct load *load, __s64 ret,
				     bool returned)
{
	event->result = load->result;
	event->request = load->request;
	event->usage = load->usage;
	event->enter_ns = load->enter_ns;
	event->begin_ns = load->begin_ns;
	event->release_ns = load->release_ns;
	event->ret = ret;
	event->allocs = load->allocs;
	event->frees = load->frees;
	event->visits = load->visits;
	event->visit_entries = load->visit_entries;
	event->names = load->names;
	event->prog_id = program_id(load, ret);
	event->dropped = load->dropped;
	event->blind = load->blind;
	event->first_failed = load->first_failed;
	event->failures = load->failures;
	event->failed_events = load->failed_events;
	event->task_state = load->task_state;
	event->returned = returned;
	event->no_room = 0;
	__builtin_memset(event->pad, 0, sizeof(event->pad));
	fill_task(event);
}

static __always_inline void send_end(struct load *load, __s64 ret, bool returned)
{
	struct end_event *event;

	settle_failure(load);
	if (returned)
		note_task_state(load);
	flush(load, true);
	if (load->defunct)
		return;
	if (ret < 0)
		send_words(load);
	event = reserve(sizeof(*event));
	if (!event) {
		__sync_fetch_and_add(&losses.ends, 1);
		return;
	}
	fill_header(&event->h, load->verification, EVENT_END, bpf_ktime_get_ns());
	fill_end(event, load, ret, returned);
	bpf_ringbuf_submit(event, end_flags());
}

static __always_inline void end_load(struct load *load, __s64 ret, bool returned)
{
	if (load->ended)
		return;
	send_end(load, ret, returned);
	load->ended = 1;
	slice_end();
	__sync_fetch_and_add(&loads_changed, 1); /* first: see together() */
	__sync_fetch_and_sub(&active, 1);
}

/* The probes that see a load begin, in the order in which a load comes by them. */
enum begin_probe {
	BEGIN_TRACEPOINT = 1,
	BEGIN_TRACEPOINT_AGAIN,
	BEGIN_RAW,
	BEGIN_FUNCTION,
	BEGIN_CHECK,
	BEGIN_CHECK_AGAIN,
};

/*
 * Whether an earlier probe found no room for this load. It stays turned away then,
 * though there may be room by now: it was counted.
 */
static __always_inline bool stays_away(__u32 tid, enum begin_probe probe)
{
	__u8 *begun_by = losses.loads_full ? bpf_map_lookup_elem(&turned_away, &tid) : NULL;

	if (!begun_by)
		return false;
	if (*begun_by < probe) {
		*begun_by = probe;
		return true;
	}
	/* Of a load whose return was missed. */
	bpf_map_delete_elem(&turned_away, &tid);
	return false;
}

/*
 * A load that is not traced, described from its arguments: at its return, if it began
 * before the probes were live, or as soon as it finds no room. Of that one the return
 * may be missed: from 7.2 the program that sees it is preemptible, and skipped at times.
 */
static __always_inline void send_orphan(__u64 attr, __u64 size, bool kernel, __s64 ret,
					bool no_room)
{
	struct end_event *event = reserve(sizeof(*event));

	if (!event) {
		__sync_fetch_and_add(&losses.orphans, 1);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	fill_header(&event->h, 0, EVENT_ORPHAN, bpf_ktime_get_ns());
	if (attr)
		read_request(&event->request, attr, size, REQUEST_LOADER, kernel);
	event->ret = ret;
	event->returned = !no_room;
	event->no_room = no_room;
	fill_task(event);
	bpf_ringbuf_submit(event, end_flags());
}

/* attr, size, kernel: the load's arguments; 0 where the probe does not see them. */
static __always_inline void turn_away(__u32 tid, enum begin_probe probe, __u64 attr, __u64 size,
				      bool kernel)
{
	__u8 begun_by = probe;

	/*
	 * Without the mark each later probe would report the load again: its return does, once,
	 * as that of a load begun earlier.
	 */
	if (bpf_map_update_elem(&turned_away, &tid, &begun_by, BPF_ANY))
		return;
	__sync_fetch_and_add(&losses.loads_full, 1);
	send_orphan(attr, size, kernel, 0, true);
}

/*
 * A fresh slot for this task. What is there may have been made a moment ago by an
 * earlier probe, or be of a load whose return was missed, which then ends here.
 */
static __always_inline struct load *load_begin(__u32 own, enum begin_probe probe, __u64 attr,
					       __u64 size, bool kernel)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct load *load = find_load(tid);
	struct cpu *cpu = this_cpu();

	if (!load && stays_away(tid, probe))
		return NULL;
	if (load && (load->verification || load->begun_by >= probe))
		end_load(load, 0, false);
	if (!load || load->ended) {
		__sync_fetch_and_add(&active, 1);
		__sync_fetch_and_add(&loads_changed, 1);
	}
	if (!load)
		load = claim_load(tid);
	if (!load || !cpu) {
		__sync_fetch_and_sub(&active, 1);
		turn_away(tid, probe, attr, size, kernel);
		return NULL;
	}
	__builtin_memset(&load->verification, 0,
			 offsetof(struct load, batch) - offsetof(struct load, verification));
	load->begun_by = probe;
	slice_begin(cpu, bpf_get_current_task(), load, own);
	return load;
}

static __always_inline void load_enter(__u64 cmd, __u64 attr, __u64 size, bool kernel, __u32 own,
				       enum begin_probe probe)
{
	struct load *load;

	if (!is_load(cmd) || !ready || !wanted())
		return;
	load = load_begin(own, probe, attr, size, kernel);
	if (!load)
		return;
	load->enter_ns = bpf_ktime_get_ns();
	read_request(&load->request, attr, size, REQUEST_LOADER, kernel);
}

/*
 * bpf_check() itself: also of loads whose system call's entry was missed. attr is the
 * kernel's copy, which no other thread can change.
 */
static __always_inline void check_entry(const void *ctx, __u64 attr, __u32 own,
					enum begin_probe probe)
{
	struct load *load;

	if (in_interrupt(ctx) || !ready)
		return;
	load = current_load(ctx);
	if (!load || load->verification) {
		if (!wanted())
			return;
		load = load_begin(own, probe, 0, 0, false);
		if (!load)
			return;
	}
	if (load->request.source != REQUEST_KERNEL)
		read_request(&load->request, attr, ~0ULL, REQUEST_KERNEL, true);
	load->begin_ns = bpf_ktime_get_ns();
}

static __always_inline void load_forget(struct load *load)
{
	end_load(load, 0, false);
	load->tid = 0;
}

/* Forgets that this thread's load found no room, and reports whether it did. */
static __always_inline bool was_turned_away(void)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();

	return losses.loads_full && !bpf_map_delete_elem(&turned_away, &tid);
}

/*
 * A load that returns without having been seen to enter began before the probes
 * were live, or was turned away and reported then. Its arguments are still in the
 * registers it entered with.
 */
static __always_inline void orphan_exit(struct pt_regs *regs, __s64 ret)
{
	if (was_turned_away() || !ready || !wanted())
		return;
	send_orphan(PT_REGS_PARM2_CORE_SYSCALL(regs), (__u32)PT_REGS_PARM3_CORE_SYSCALL(regs),
		    false, ret, false);
}

/* The return of any command of bpf(2). */
static __always_inline void load_return(struct pt_regs *regs, __s64 ret, bool orphans)
{
	bool loads_program = is_load(PT_REGS_PARM1_CORE_SYSCALL(regs));
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct load *load = find_load(tid);

	if (!load) {
		if (orphans && loads_program)
			orphan_exit(regs, ret);
		return;
	}
	/* Another command's return is not the load's. */
	if (loads_program) {
		read_late(load, PT_REGS_PARM2_CORE_SYSCALL(regs),
			  (__u32)PT_REGS_PARM3_CORE_SYSCALL(regs), false);
		end_load(load, ret, true);
	}
	load_forget(load);
}

/* The end of a thread, and of a load that it dies in. */
static __always_inline void thread_exit(void)
{
	struct load *load = find_load((__u32)bpf_get_current_pid_tgid());

	if (load)
		load_forget(load);
	was_turned_away();
}

#endif
