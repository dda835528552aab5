package main

import (
	"path/filepath"
	"slices"
)

// selected are the objects that are built without --all, and that the tests load unless
// VERIALLOC_CORPUS_ALL is set: all take an emulated machine half an hour.
var selected = []string{
	// xdp-tools
	"xdp-dispatcher.o", "xdpfilt_alw_[etu]*.o", "xdpdump_*.o", "xsk_def_*.o",
	// cilium/ebpf
	"*.elf",
	// profilers, and what else has many states
	"pyperf50.*", "pyperf600_bpf_loop.*", "pyperf600_iter.*", "pyperf_*", "strobemeta_bpf_loop.*", "strobemeta_subprogs.*",
	"strobemeta_nounroll1.*", "profiler1.*", "bpf_loop*", "loop2.*", "loop4.*", "loop5.*", "loop6.*", "test_seg6_loop.*",
	"test_sysctl_loop*", "test_xdp_loop.*",
	// networking
	"bpf_flow.*", "test_cls_redirect.*", "test_cls_redirect_dynptr.*", "test_l4lb*", "test_xdp_[abdmnv]*", "test_xdp.*", "xdp_synproxy_kern.*",
	"xdp_metadata*", "test_tc_[bent]*", "test_tcp*", "test_sockmap_kern.*", "test_pkt_*", "test_parse_tcp*",
	"bpf_cubic.*", "bpf_dctcp.*", "bpf_cc_cubic.*", "bpf_qdisc_fifo.*", "sockopt*", "connect4_prog.*", "connect_force_port*", "setget_sockopt.*", "mptcp*", "decap_sanity.*",
	// cgroups
	"cgroup_[hismt]*", "cgrp_ls_*", "dev_cgroup.*", "lsm_cgroup.*", "netcnt_prog.*",
	// iterators
	"bpf_iter_[su]*", "bpf_iter_task_*", "bpf_iter_bpf_hash_map.*", "iters_num.*", "iters_looping.*", "iters_css*", "iters_task.*", "cgroup_iter.*",
	// programs in place of other ones, and structs of functions
	"freplace_*", "fexit_bpf2bpf*", "struct_ops_autocreate*", "tcp_ca_[iu]*", "dummy_st_ops_success.*",
	// tracing
	"fentry_test.*", "fexit_test.*", "fmod_ret*", "fsession_*", "get_func_ip_test.*", "get_func_args_test.*", "kprobe_multi.*", "uprobe_multi.*",
	"test_attach_probe.*", "test_usdt.*", "lsm.*", "test_vmlinux.*", "test_overhead.*",
	// kernel objects, callbacks, arenas, jump tables
	"arena_*", "bpf_gotox.*", "linked_list.*", "rbtree.*", "local_kptr_stash.*", "cpumask_success.*",
	"dynptr_success.*", "timer.*", "for_each_*", "exceptions_ext.*", "user_ringbuf_success.*", "task_kfunc_success.*",
	"tailcall_bpf2bpf[1-4].*", "tailcall_bpf2bpf_hierarchy2.*", "tailcall_callback.*", "test_global_func1?.*", "test_global_func_args.*", "test_subprogs*",
}

// isSelected reports whether an object, named by its path, is selected.
func isSelected(path string) bool {
	return slices.ContainsFunc(selected, func(pattern string) bool {
		matches, err := filepath.Match(pattern, filepath.Base(path))
		return err == nil && matches
	})
}
