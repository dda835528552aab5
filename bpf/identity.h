/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who a program is, as the kernel knows it: what the loader wrote into its own bpf_attr
 * another of its threads may have changed since.
 */
#ifndef VERIALLOC_IDENTITY_H
#define VERIALLOC_IDENTITY_H

/*
 * More than BPF_MAX_SUBPROGS, of which a program has an entry each. One with more is
 * rejected, but has them until then.
 */
#define MAX_FUNCTIONS 512
#define LONG_NAME_ROOM ((LONG_NAME_LEN + 7) / 8 * 8)

/* As btf_type_by_id() and btf_name_by_offset() find it; NULL: there is no such type. */
static __always_inline const char *type_name(struct btf *btf, __u32 id)
{
	struct btf *base = BPF_CORE_READ(btf, base_btf);
	struct btf_type **types, *type = NULL;
	__u32 offset;

	if (!id)
		return NULL;
	if (base && id < BPF_CORE_READ(btf, start_id)) {
		btf = base;
		base = NULL;
	}
	id -= BPF_CORE_READ(btf, start_id);
	if (id >= BPF_CORE_READ(btf, nr_types))
		return NULL;
	types = BPF_CORE_READ(btf, types);
	bpf_probe_read_kernel(&type, sizeof(type), types + id);
	if (!type)
		return NULL;
	offset = BPF_CORE_READ(type, name_off);
	if (base && offset < BPF_CORE_READ(btf, start_str_off))
		btf = base;
	return BPF_CORE_READ(btf, strings) + offset - BPF_CORE_READ(btf, start_str_off);
}

static __always_inline void send_name(struct load *load, const char *name, __u8 owner, __u32 index)
{
	struct name_event *event =
		append(load, sizeof(*event) + LONG_NAME_ROOM, EVENT_NAME, 0, false);
	long length = bpf_probe_read_kernel_str(event + 1, LONG_NAME_ROOM, name);
	__u32 used = load->used;

	if (length <= 1) {
		load->used = used - sizeof(*event) - LONG_NAME_ROOM;
		return;
	}
	length--; /* without its end */
	load->used = used - LONG_NAME_ROOM + ((length + 7) & ~7);
	load->names++;
	event->index = index;
	event->length = length;
	event->owner = owner;
	event->pad = 0;
}

struct functions {
	__u32 slot; /* of the load */
	__u64 info; /* struct bpf_func_info * */
	struct btf *btf;
};

static long send_function(__u32 index, struct functions *f)
{
	struct load *load = bpf_map_lookup_elem(&loads, &f->slot);
	struct bpf_func_info *info =
		(void *)(f->info + index * bpf_core_type_size(struct bpf_func_info));
	const char *name = type_name(f->btf, BPF_CORE_READ(info, type_id));

	if (load && name)
		send_name(load, name, NAME_FUNCTION, index);
	return 0;
}

/*
 * The names that are too long for verifier_result. The program has them until bpf(2) frees
 * it, which it does to one that is rejected.
 */
static __always_inline void send_names(struct load *load)
{
	struct bpf_prog_aux *aux = (void *)load->aux;
	__u32 count = load->result.functions;
	struct functions f = { .slot = load->slot };
	struct bpf_prog *target;
	const char *name;
	struct btf *btf;

	if (!aux)
		return;
	name = BPF_CORE_READ(aux, attach_func_name);
	if (!name && load->result.attach_btf_id) {
		target = BPF_CORE_READ(aux, dst_prog);
		btf = target ? BPF_CORE_READ(target, aux, btf) : BPF_CORE_READ(aux, attach_btf);
		if (btf)
			name = type_name(btf, load->result.attach_btf_id);
	}
	if (name)
		send_name(load, name, NAME_ATTACH_TARGET, 0);
	f.btf = BPF_CORE_READ(aux, btf);
	f.info = (__u64)BPF_CORE_READ(aux, func_info);
	if (!f.btf || !f.info)
		return;
	if (count > MAX_FUNCTIONS)
		count = 1; /* some names would pass for all, except the entry's */
	bpf_loop(count, send_function, &f, 0);
}

/*
 * The id that an accepted program was given after its verification. Its descriptor is the
 * task's, of which another thread may have closed it: the program is read through it, so
 * that nothing is read of one that is gone.
 */
static __always_inline __u32 program_id(struct load *load, __s64 fd)
{
	struct bpf_prog_aux *aux = (void *)load->aux;
	struct bpf_prog *prog;
	struct file **place;
	struct file *file;
	__u32 id;

	if (fd < 0 || !aux)
		return 0;
	place = descriptor(fd);
	file = file_at(place);
	if (!file)
		return 0;
	prog = BPF_CORE_READ(file, private_data);
	if (BPF_CORE_READ(prog, aux) != aux)
		return 0;
	id = BPF_CORE_READ(aux, id);
	return file == file_at(place) ? id : 0;
}

#endif
