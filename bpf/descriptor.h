/* SPDX-License-Identifier: GPL-2.0 */
/* Files that the current task has open, of which another thread may close any. */
#ifndef VERIALLOC_DESCRIPTOR_H
#define VERIALLOC_DESCRIPTOR_H

/* Where the file of a descriptor stands; NULL: there is no such descriptor. */
static __always_inline struct file **descriptor(__u64 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);

	return fd < BPF_CORE_READ(table, max_fds) ? BPF_CORE_READ(table, fd) + fd : NULL;
}

static __always_inline struct file *file_at(struct file **place)
{
	struct file *file = NULL;

	if (place)
		bpf_probe_read_kernel(&file, sizeof(file), place);
	return file;
}

#endif
