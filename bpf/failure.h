/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a load may have ended ahead of its verdict: allocations that failed, and signals
 * to its task. Nothing here runs for an allocation that succeeds.
 */
#ifndef VERIALLOC_FAILURE_H
#define VERIALLOC_FAILURE_H

/* Counts the failure that waits in the load: no fallback came. */
static __noinline void settle_failure(struct load *load)
{
	struct failed_alloc *failed = &load->failed;
	struct failed_event *event;

	if (!failed->requested)
		return;
	if (!load->failures)
		load->first_failed = *failed;
	load->failures++;
	if (load->verification && !load->defunct) {
		event = append(load, sizeof(*event), EVENT_FAILED, 0, true);
		load->failed_events++;
		event->alloc = *failed;
	}
	failed->requested = 0;
}

/*
 * An allocation that gave NULL. That of a kmalloc waits, for kvmalloc() then tries
 * vmalloc(). A large kmalloc has two events, the second with its caller's call site.
 */
static __noinline void note_failure(struct load *load, __u64 requested, __u64 call_site, __u32 gfp,
				    __u32 source)
{
	struct failed_alloc *failed = &load->failed;
	bool again = failed->requested == requested && failed->reports == 1 &&
		     failed->call_site != call_site && source == SOURCE_KMALLOC &&
		     requested > 2 * config.page_size;

	if (!again)
		settle_failure(load);
	failed->requested = requested;
	failed->call_site = call_site;
	failed->gfp = gfp;
	failed->source = source;
	failed->reports = again ? 2 : 1;
}

#define SIGNAL_BIT(signal) (1U << ((signal) - 1))
#define SIGKILL 9
#define SIGNAL_GROUP_EXIT 4

/*
 * Signals that end a process with a dump of its memory unless it handles them: SIGQUIT,
 * SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ and SIGSYS. All
 * others that end one become SIGKILL for each of its threads as they are sent
 * (complete_signal()); these do when the thread takes them.
 */
#define DUMPING                                                                                    \
	(SIGNAL_BIT(3) | SIGNAL_BIT(4) | SIGNAL_BIT(5) | SIGNAL_BIT(6) | SIGNAL_BIT(7) |           \
	 SIGNAL_BIT(8) | SIGNAL_BIT(11) | SIGNAL_BIT(24) | SIGNAL_BIT(25) | SIGNAL_BIT(31))

/* Pending stops and freezes of jobctl: STOP_PENDING, TRAP_STOP, TRAP_NOTIFY, TRAP_FREEZE. */
#define JOBCTL_PENDING (1U << 17 | 1U << 19 | 1U << 20 | 1U << 23)

/* The first of the signals that the task does not handle, 0: it handles them all. */
static __always_inline __u32 unhandled(struct task_struct *task, __u32 signals)
{
	__u64 actions = (__u64)task->sighand + bpf_core_field_offset(struct sighand_struct, action);
	__u64 handler;

	for (__u32 signal = 3; signal <= 31; signal++) {
		if (!(signals & SIGNAL_BIT(signal)))
			continue;
		handler = 1;
		bpf_probe_read_kernel(
			&handler, sizeof(handler),
			(void *)(actions + (signal - 1) * bpf_core_type_size(struct k_sigaction) +
				 bpf_core_field_offset(struct k_sigaction, sa.sa_handler)));
		if (!handler)
			return signal;
	}
	return 0;
}

/* The current task's: bits of enum task_state, and above them the number of a signal. */
static __noinline __u32 task_state(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct signal_struct *signal = task->signal;
	__u64 own = task->pending.signal.sig[0];
	__u64 pending = (own | signal->shared_pending.signal.sig[0]) & ~task->blocked.sig[0];
	__u32 state = 0, number = 0;

	if (pending || task->jobctl & JOBCTL_PENDING || task->task_works)
		state |= TASK_INTERRUPTED;
	if (signal->oom_mm)
		state |= TASK_OOM_VICTIM;
	if (signal->flags & SIGNAL_GROUP_EXIT) {
		state |= TASK_DYING;
		number = signal->group_exit_code & 0x7f; /* 0: a thread called exit_group() */
	} else if (own & SIGNAL_BIT(SIGKILL)) {
		state |= TASK_DYING;
		if (signal->group_exec_task)
			state |= TASK_EXEC;
		else
			number = SIGKILL;
	} else if (pending & DUMPING) {
		number = unhandled(task, pending & DUMPING);
		if (number)
			state |= TASK_DYING;
	}
	return state | number << 8;
}

/* Keeps what was seen first of a task that dies: what comes later follows from it. */
static __always_inline void note_task_state(struct load *load)
{
	__u32 now = task_state();

	if (load->task_state & TASK_DYING)
		now &= TASK_OOM_VICTIM;
	load->task_state |= now;
}

#endif
