/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loads in flight: one entry a task between its bpf(BPF_PROG_LOAD) call and
 * that call's return. A verification runs in one task from start to end, so the
 * thread id is the key and nothing here is touched by two CPUs at once.
 */
#ifndef VERIALLOC_TASK_H
#define VERIALLOC_TASK_H

/* Stands for the size where the function takes a cache alone. */
#define SIZE_OF_CACHE (~0ULL)

/* What entry probes left for the ledger event of the same call. */
struct pending {
	__u64 time_ns; /* 0: nothing pending */
	__u64 size;    /* requested, or SIZE_OF_CACHE */
	__u64 cache;
	__u32 path;
	__u32 pad;
};

struct pending_vmalloc {
	__u64 time_ns;
	__u64 size;
	__u64 call_site;
	__u32 gfp;
	__u32 pad;
};

struct load {
	__u64 verification;
	__u64 enter_ns;
	__u64 begin_ns;
	__u64 release_ns;
	__u64 env;
	__u64 visit_ns;
	struct pending alloc;
	struct pending outer; /* of an allocator that allocates, see latency.h */
	struct pending_vmalloc vmalloc;
	struct pending_vmalloc outer_vmalloc; /* of one that needs another's pages */
	struct pending_vmalloc failed; /* a kmalloc that gave NULL: kvmalloc falls back */
	__u64 told;      /* the ledger's last event, see ledger_twice() */
	__u64 announced; /* the slab cache whose name was sent last */
	struct task_usage usage; /* at env's allocation, then the difference */
	struct load_request request;
	struct verifier_result result;
	__u32 allocs;
	__u32 frees;
	__u32 visits;
	__u32 visit_entries;
	__u32 dropped;
	__u32 unsent;     /* events since the ring was last looked at */
	__u8 ended;       /* its end was sent: the entry waits to be used again */
	__u8 defunct;     /* the start was lost: nothing more is sent */
	__u8 env_vmalloc; /* env lies in vmalloc space */
	__u8 pad[5];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct load);
} loads SEC(".maps");

/* Thread groups below the traced command. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, 1 /* BPF_F_NO_PREALLOC */);
	__type(key, __u32);
	__type(value, __u8);
} followed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 32 << 20);
} events SEC(".maps");

static const struct load no_load = {};

struct loss_counts losses = {};
__u64 last_verification = 0;
/* The tracer's thread group as the kernel counts, whatever its PID namespace. */
__u32 own_pid = 0;
/* Loads in `loads`: the test every allocation on the machine pays for. */
__u32 active = 0;
/* Set once every probe is attached: a load is traced whole or not at all. */
__u32 ready = 0;
/* Every slow path of the slab is probed: without a sign of one it was the fast. */
__u8 path_probe = 0;
/* Several programs serve each point of the ledger. */
__u8 paired = 0;

static __always_inline struct load *current_load(const void *ctx)
{
	__u32 tid;

	if (!active || in_interrupt(ctx))
		return NULL;
	tid = (__u32)bpf_get_current_pid_tgid();
	return bpf_map_lookup_elem(&loads, &tid);
}

/* The load whose env is live. */
static __always_inline struct load *current_verification(const void *ctx)
{
	struct load *load = current_load(ctx);

	return load && load->env && !load->release_ns && !load->ended ? load : NULL;
}

#endif
