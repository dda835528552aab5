/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loads in flight: a task has a slot of `loads` from its bpf(BPF_PROG_LOAD) call to
 * that call's return. A verification runs in one task from start to end, so no two CPUs
 * touch a slot at once.
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

/* The last event on record, see standin.h; site 0: none, or all programs came by since. */
struct reported {
	__u64 ptr;
	__u64 site;
};

/*
 * Events of one verification on their way to the ring buffer: what follows the
 * header there, as many bytes as were used.
 */
#define BATCH_BYTES 2048

struct batch {
	struct event_header h;
	__u8 events[BATCH_BYTES];
};

struct load {
	__u32 tid;  /* 0: the slot is free */
	__u32 slot; /* in `loads` */
	__u64 verification;
	__u64 enter_ns;
	__u64 begin_ns;
	__u64 release_ns;
	__u64 env;
	__u64 aux; /* struct bpf_prog_aux of env's program, 0: not read */
	__u64 visit_ns;
	struct pending alloc;
	struct pending outer; /* of an allocator that allocates, see latency.h */
	struct pending_vmalloc vmalloc;
	struct pending_vmalloc outer_vmalloc; /* of one that needs another's pages */
	struct pending_vmalloc area; /* the last vmalloc, whose pages may not be had */
	struct failed_alloc failed; /* a kmalloc that gave NULL: kvmalloc falls back */
	struct failed_alloc first_failed;
	__u64 announced; /* the slab cache whose name was sent last */
	struct task_usage usage; /* at env's allocation, then the difference */
	__u64 left_ns;           /* when the task was last taken from its CPU; 0: it is on one */
	__u64 off_cpu_ns;        /* for how long it was on none */
	struct load_request request;
	struct verifier_result result;
	__u32 allocs;
	__u32 frees;
	__u32 visits;
	__u32 visit_entries;
	__u32 dropped;
	__u32 blind;      /* slices in which a probe may have been skipped */
	__u32 cache_names;
	__u32 names;      /* of the program's functions and target */
	__u32 failures;   /* allocations that failed */
	__u32 failed_events;
	__u32 task_state; /* see failure.h */
	__u32 used;       /* bytes of batch */
	__u32 flushed;    /* events before those of batch */
	__u32 since_ns;   /* of the last event that was timed, see batched_header */
	__u32 changes;    /* loads_changed when an event was last timed for its sake */
	__u32 slice;      /* how many there were */
	__u32 skipped;    /* the last in which classic programs are skipped; 0: none yet */
	__u32 both;       /* the last in which an event may have been missed by those and by
			   * their stand-ins; 0: none yet */
	__u32 stood_in;   /* the last in which a stand-in is known to have run; 0: none yet */
	__u32 inside;     /* enum flavour: the task is in that stand-in; 0: in none */
	struct reported reported;
	__u16 cpu;        /* where the task runs */
	__u8 ended;       /* its end was sent: the slot waits to be used again */
	__u8 defunct;     /* the start was lost: nothing is sent */
	__u8 env_vmalloc; /* env lies in vmalloc space */
	__u8 begun_by;    /* the begin_probe that saw it last */
	__u8 log_use;     /* enum log_use, see words.h */
	__u8 log_cut;     /* the log has lost its beginning */
	__u8 half;        /* of the calls that are kept, the one being filled */
	__u8 calls_cut;   /* earlier calls are not kept */
	__u8 in_state;    /* the calls write a state */
	__u8 pad;
	__u64 log;        /* its end, in the loader's memory */
	__u32 log_len;    /* 0: there is none */
	__u16 called[2];  /* bytes of each half of the calls that are kept */
	struct batch batch;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1024); /* a power of two */
	__type(key, __u32);
	__type(value, struct load);
} loads SEC(".maps");

/*
 * The last calls that write a log: those of a slot of `loads`, in two halves. One that is
 * full gives way to the other, which then loses what it had.
 */
struct calls {
	struct calls_event half[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1024); /* as many as `loads` */
	__type(key, __u32);
	__type(value, struct calls);
} calls_of_loads SEC(".maps");

/* What a CPU runs, see slice.h: a cache line each. */
struct cpu {
	__u64 task; /* its task_struct's address, 0: look again */
	__u32 load; /* the slot, plus one, of the load that the task is in; 0: none */
	__u32 pad;
	__u64 floor_task; /* see floor.h */
	__u64 floor_ns;
	__u64 floor_span; /* the last one that ended here */
	__u64 offset; /* of its per-CPU variables; 0: not read yet */
	__u64 room[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* as many as CPUs are possible */
	__type(key, __u32);
	__type(value, struct cpu);
} cpus SEC(".maps");

/*
 * Threads whose load found no room, from its begin to its return, with the
 * begin_probe that saw it last.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, 1 /* BPF_F_NO_PREALLOC */);
	__type(key, __u32);
	__type(value, __u8);
} turned_away SEC(".maps");

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} events SEC(".maps");

/* The ring buffer in use: the reader may put a larger one in its place. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct ring);
} rings SEC(".maps") = { .values = { &events } };

struct loss_counts losses = {};
__u64 last_verification = 0;
/* The tracer's thread group as the kernel counts, whatever its PID namespace. */
__u32 own_pid = 0;
/* Loads in `loads`: the test every allocation on the machine pays for. */
__u32 active = 0;
/* How often a load has come or gone: added to while `active` has it. */
__u32 loads_changed = 0;
/* Set once every probe is attached: a load is traced whole or not at all. */
__u32 ready = 0;
/* Every slow path of the slab is probed: without a sign of one it was the fast. */
__u8 path_probe = 0;
/* There are programs that the kernel skips while bpf_prog_active is held. */
__u8 skippable = 0;
/* The ledger has classic programs and may get stand-ins: each notes what it reports. */
__u8 noting = 0;
/* How many stand-ins the ledger has, each twice; 0: none. */
__u32 stand_ins = 0;

/*
 * Open addressing by thread id, without a hash: threads of a process have ids one
 * after another, and as many loads as there are slots find room.
 */
#define PROBES 8

static __always_inline struct load *find_load(__u32 tid)
{
	for (__u32 i = 0; i < PROBES; i++) {
		__u32 slot = (tid + i) & config.slot_mask;
		struct load *load = bpf_map_lookup_elem(&loads, &slot);

		if (load && load->tid == tid)
			return load;
	}
	return NULL;
}

static __always_inline struct load *claim_load(__u32 tid)
{
	for (__u32 i = 0; i < PROBES; i++) {
		__u32 slot = (tid + i) & config.slot_mask;
		struct load *load = bpf_map_lookup_elem(&loads, &slot);

		if (load && !__sync_val_compare_and_swap(&load->tid, 0, tid)) {
			load->slot = slot;
			return load;
		}
	}
	return NULL;
}

static __always_inline struct cpu *this_cpu(void)
{
	__u32 n = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &n);
}

#endif
