/* SPDX-License-Identifier: GPL-2.0 */
/* From the allocation of a bpf_verifier_env to its release. */
#ifndef VERIALLOC_VERIFICATION_H
#define VERIALLOC_VERIFICATION_H

static __always_inline void read_usage(struct load *load, struct task_usage *usage)
{
	struct task_struct *task = bpf_get_current_task_btf();

	usage->min_flt = task->min_flt;
	usage->maj_flt = task->maj_flt;
	usage->nvcsw = task->nvcsw;
	usage->nivcsw = task->nivcsw;
	usage->off_cpu_ns = load->off_cpu_ns;
}

static __always_inline void verification_start(struct load *load, __u64 env, __u64 now,
					       __u64 latency)
{
	struct start_event *event;

	load->env = env;
	load->verification = __sync_fetch_and_add(&last_verification, 1) + 1;
	if (!load->begin_ns)
		load->begin_ns = latency == LATENCY_NONE ? now : now - latency;
	read_usage(load, &load->usage);
	fill_header(&load->batch.h, load->verification, EVENT_BATCH, now);

	event = reserve(sizeof(*event));
	if (!event) {
		load->defunct = 1;
		slice_end();
		__sync_fetch_and_add(&losses.starts, 1);
		return;
	}
	/* Read once there is room: all that stands ahead of this in the ring is then older. */
	fill_header(&event->h, load->verification, EVENT_START, bpf_ktime_get_ns());
	event->request = load->request;
	event->cgroup_id = bpf_get_current_cgroup_id();
	event->env = env;
	event->process_start = process_start();
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->uid = (__u32)bpf_get_current_uid_gid();
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

static __always_inline __u8 read_privileges(struct bpf_verifier_env *env)
{
	return (BPF_CORE_READ(env, bpf_capable) ? PRIVILEGE_BPF : 0) |
	       (BPF_CORE_READ(env, allow_ptr_leaks) ? PRIVILEGE_LEAK_POINTERS : 0) |
	       (BPF_CORE_READ(env, bypass_spec_v1) ? PRIVILEGE_BYPASS_SPEC_V1 : 0) |
	       (BPF_CORE_READ(env, bypass_spec_v4) ? PRIVILEGE_BYPASS_SPEC_V4 : 0);
}

/* Reads the verifier's own results while env still holds them. */
static __always_inline void read_result(struct load *load)
{
	struct bpf_verifier_env *env = (void *)load->env;
	struct verifier_result *result = &load->result;
	struct bpf_prog *prog, *target;
	struct bpf_prog_aux *aux;

	result->verification_time_ns = BPF_CORE_READ(env, verification_time);
	result->insns_processed = BPF_CORE_READ(env, insn_processed);
	result->total_states = BPF_CORE_READ(env, total_states);
	result->peak_states = BPF_CORE_READ(env, peak_states);
	result->max_states_per_insn = BPF_CORE_READ(env, max_states_per_insn);
	if (bpf_core_field_exists(env->longest_mark_read_walk))
		result->longest_mark_read_walk = BPF_CORE_READ(env, longest_mark_read_walk);
	result->subprograms = BPF_CORE_READ(env, subprog_cnt);
	result->log_level = BPF_CORE_READ(env, log.level);
	result->log_size = BPF_CORE_READ(env, log.len_total);
	if (result->log_level)
		read_log(load);
	result->privileges = read_privileges(env);
	prog = BPF_CORE_READ(env, prog);
	if (!prog)
		return;
	result->prog_type = BPF_CORE_READ(prog, type);
	result->expected_attach_type = BPF_CORE_READ(prog, expected_attach_type);
	result->xlated_insns = BPF_CORE_READ(prog, len);
	BPF_CORE_READ_INTO(&result->tag, prog, tag);
	result->gpl_compatible = BPF_CORE_READ_BITFIELD_PROBED(prog, gpl_compatible);
	aux = BPF_CORE_READ(prog, aux);
	BPF_CORE_READ_STR_INTO(&result->name, aux, name);
	result->functions = BPF_CORE_READ(aux, func_info_cnt);
	result->attach_btf_id = BPF_CORE_READ(aux, attach_btf_id);
	target = BPF_CORE_READ(aux, dst_prog);
	result->attach_prog = target != NULL;
	if (target) {
		result->attach_prog_id = BPF_CORE_READ(target, aux, id);
		BPF_CORE_READ_STR_INTO(&result->attach_prog_name, target, aux, name);
	}
	load->aux = (__u64)aux;
	result->valid = 1;
}

static __always_inline void verification_release(struct load *load, __u64 now)
{
	struct task_usage usage;

	if (!load->env_vmalloc)
		read_result(load);
	settle_failure(load);
	note_task_state(load);
	load->release_ns = now;
	slice_end();
	read_usage(load, &usage);
	load->usage.min_flt = usage.min_flt - load->usage.min_flt;
	load->usage.maj_flt = usage.maj_flt - load->usage.maj_flt;
	load->usage.nvcsw = usage.nvcsw - load->usage.nvcsw;
	load->usage.nivcsw = usage.nivcsw - load->usage.nivcsw;
	load->usage.off_cpu_ns = usage.off_cpu_ns - load->usage.off_cpu_ns;
	send_names(load);
}

#endif
