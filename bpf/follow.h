/* SPDX-License-Identifier: GPL-2.0 */
/* The traced command's children: who is followed, and who has ended. */
#ifndef VERIALLOC_FOLLOW_H
#define VERIALLOC_FOLLOW_H

static __always_inline void follow_child(__u32 child)
{
	__u32 parent = bpf_get_current_pid_tgid() >> 32;
	__u8 one = 1;

	/* Of a new thread this is the thread's id: no thread group has it. */
	if (bpf_map_lookup_elem(&followed, &parent) &&
	    bpf_map_update_elem(&followed, &child, &one, BPF_ANY))
		__sync_fetch_and_add(&losses.tasks_full, 1);
}

/* Forgets a thread, and a load that it dies in. */
static __always_inline void thread_exit(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 id = bpf_get_current_pid_tgid();
	__u32 pid = id >> 32, tid = id;
	struct load *load = find_load(tid);

	if (load)
		load_forget(load);
	was_turned_away();
	if (!config.follow)
		return;
	/* The leader may go first: its threads still load under its id. */
	if (pid != tid)
		bpf_map_delete_elem(&followed, &tid);
	if (!task->signal->live.counter)
		bpf_map_delete_elem(&followed, &pid);
}

#endif
