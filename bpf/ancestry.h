/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether a task descends from the tracer. That is asked at the load: a list kept by fork
 * events lacks the children whose event the kernel skipped.
 */
#ifndef VERIALLOC_ANCESTRY_H
#define VERIALLOC_ANCESTRY_H

/* As many processes as there can be (PID_MAX_LIMIT): no line of ancestors is cut off. */
#define MAX_ANCESTORS (1 << 22)

struct ancestry {
	struct task_struct *task;
	bool has_tracer;
};

static long next_ancestor(__u32 index, struct ancestry *line)
{
	struct task_struct *task = line->task, *parent;

	if (BPF_CORE_READ(task, tgid) == own_pid) {
		line->has_tracer = true;
		return 1;
	}
	/* Not the parent: a debugger is that while it is attached. */
	parent = BPF_CORE_READ(task, real_parent);
	line->task = parent;
	/* The first task of all is its own parent. */
	return !parent || parent == task;
}

static __always_inline bool descends_from_tracer(void)
{
	struct ancestry line = { .task = (void *)bpf_get_current_task() };

	bpf_loop(MAX_ANCESTORS, next_ancestor, &line, 0);
	return line.has_tracer;
}

#endif
