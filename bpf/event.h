/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What crosses from the BPF programs to user space: the ring buffer's events,
 * the configuration and the loss counters. Go sees these structs through
 * bpf2go -type, never through a hand-made copy. Padding is explicit.
 */
#ifndef VERIALLOC_EVENT_H
#define VERIALLOC_EVENT_H

#define COMM_LEN 16
#define PROG_NAME_LEN 16
#define PROG_TAG_LEN 8
#define CACHE_NAME_LEN 32
/*
 * KSYM_NAME_LEN, which bounds the names of functions in a program's BTF: 512 from 6.1
 * (b8a94bfb3395). So long a name is still valid; the byte more is for its end.
 */
#define LONG_NAME_LEN (512 + 1)

/* No latency: the entry probe was off or missed this call. */
#define LATENCY_NONE (~0ULL)

enum event_kind {
	/* records of the ring buffer */
	EVENT_START = 1, /* the env of a verification was allocated */
	EVENT_BATCH,     /* what happened in it since, see struct batch */
	EVENT_END,       /* the bpf() system call returned */
	EVENT_ORPHAN,    /* a load not traced: begun before the probes, or without room */
	/* events in a batch */
	EVENT_ALLOC,
	EVENT_FREE,
	EVENT_VISIT, /* one return of is_state_visited() */
	EVENT_CACHE, /* the name of a slab cache, ahead of its first alloc */
	EVENT_FAILED, /* an allocation that gave NULL, and that nothing took the place of */
	EVENT_NAME,  /* a name of the program's, from the kernel's types */
	/* records of the ring buffer, of a load that failed */
	EVENT_LOG,   /* the end of the log that the loader asked for */
	EVENT_CALLS, /* the last calls that write the log, see struct log_call */
};

enum alloc_source {
	SOURCE_KMALLOC = 1,
	SOURCE_CACHE,
	SOURCE_VMALLOC,
};

/* The slowest step that the allocator took, as far as the probes see it. */
enum alloc_path {
	PATH_UNKNOWN,
	PATH_FAST,     /* per-CPU freelist or sheaf */
	PATH_SLOW,     /* ___slab_alloc() or an empty sheaf */
	PATH_NEW_SLAB, /* allocate_slab(): pages from the buddy allocator */
};

struct event_header {
	__u64 verification; /* unique while the tracer lives, from 1 */
	__u64 time_ns;      /* CLOCK_MONOTONIC of the initial time namespace */
	__u32 tid;
	__u16 cpu;
	__u8 kind;
	__u8 pad;
};

/* What became of the loading task, see failure.h. */
enum task_state {
	TASK_INTERRUPTED = 1, /* a signal, a stop or a freeze awaits it: the verifier gives up */
	TASK_DYING = 2,       /* it will not return to its program */
	TASK_OOM_VICTIM = 4,  /* the kernel kills its process for memory */
	TASK_EXEC = 8,       /* it dies as another thread of the process calls execve() */
	TASK_STATE_MASK = 0xff,
};

/* In a batch an event follows the one before it without a gap; its kind gives its size. */
struct batched_header {
	__u32 since_ns; /* since time_ns of the batch */
	__u16 cpu;
	__u8 kind;
	__u8 pad;
};

/* Whose copy of bpf_attr a request was read from. */
enum request_source {
	REQUEST_UNREAD,
	REQUEST_LOADER, /* the loader's memory, which another thread may write to */
	REQUEST_KERNEL, /* the kernel's own copy, which bpf_check() is given */
};

/* What BPF_PROG_LOAD takes of union bpf_attr, in the layout of uapi/linux/bpf.h. */
struct load_attr {
	__u32 prog_type;
	__u32 insn_cnt;
	__u64 insns;
	__u64 license;
	__u32 log_level;
	__u32 log_size;
	__u64 log_buf;
	__u32 kern_version;
	__u32 prog_flags;
	__u8 prog_name[PROG_NAME_LEN];
	__u32 prog_ifindex;
	__u32 expected_attach_type;
	__u32 prog_btf_fd;
	__u32 func_info_rec_size;
	__u64 func_info;
	__u32 func_info_cnt;
	__u32 line_info_rec_size;
	__u64 line_info;
	__u32 line_info_cnt;
	__u32 attach_btf_id;
	__u32 attach_fd; /* attach_prog_fd or attach_btf_obj_fd */
	__u32 core_relo_cnt;
	__u64 fd_array;
	__u64 core_relos;
	__u32 core_relo_rec_size;
	__u32 log_true_size;
	__s32 prog_token_fd; /* from 6.9 */
	__u32 fd_array_cnt;  /* from 6.14 */
	__u64 signature;     /* from 6.18 */
	__u32 signature_size;
	__s32 keyring_id;
};

/* What the loader asked for. */
struct load_request {
	struct load_attr attr;
	__u32 source; /* enum request_source: attr is all zeros if it was not read */
	__u32 pad;
};

struct start_event {
	struct event_header h;
	struct load_request request;
	__u64 cgroup_id;
	__u64 env;
	__u64 process_start; /* by CLOCK_BOOTTIME, as /proc/PID/stat rounds it */
	__u32 pid;
	__u32 uid;
	__u8 comm[COMM_LEN];
};

struct alloc_event {
	struct batched_header h;
	__u64 ptr;
	__u64 call_site; /* 0: not known */
	__u64 requested; /* 0: not known */
	__u64 allocated;
	__u64 latency_ns; /* LATENCY_NONE: not known */
	__u64 cache;      /* struct kmem_cache *, 0: not known */
	__u32 gfp;
	__s16 node;
	__u8 source;
	__u8 path;
};

struct failed_alloc {
	__u64 requested; /* 0: none */
	__u64 call_site; /* 0: not known */
	__u32 gfp;
	__u8 source;
	__u8 reports; /* events that it had */
	__u8 pad[2];
};

struct failed_event {
	struct batched_header h;
	struct failed_alloc alloc;
};

struct free_event {
	struct batched_header h;
	__u64 ptr;
	__u64 call_site;
};

struct visit_event {
	struct batched_header h;
	__u64 latency_ns;
	__s32 result; /* 1: pruned, 0: go on, <0: -errno */
	__u32 pad;
};

struct cache_event {
	struct batched_header h;
	__u64 cache;
	__u8 name[CACHE_NAME_LEN];
};

/* What a name is of. */
enum name_owner {
	NAME_FUNCTION = 1,  /* of the program: index 0 is its entry */
	NAME_ATTACH_TARGET, /* the function, tracepoint or member that it attaches to */
};

/* The name follows, filled up with whatever to a multiple of eight bytes. */
struct name_event {
	struct batched_header h;
	__u32 index;
	__u16 length; /* of the name, in bytes */
	__u8 owner;   /* enum name_owner */
	__u8 pad;
};

/* How much of a log's end is read. The words for a rejection, and a report behind them, fit. */
#define LOG_TAIL 4096

struct log_event {
	struct event_header h;
	__u32 len;
	__u8 cut; /* the log has lost its beginning, or this has */
	__u8 pad[3];
	__u8 text[LOG_TAIL];
};

#define CALL_ARGS 8
#define CALLS_BYTES 2048

enum call_limit {
	CALL_TEXT_LEN = 96,
	CALL_FORMAT_LEN = 160,
};

/*
 * A call that writes the log: what the verifier hands to its printf(). Behind it come the
 * format and the texts that arguments point to, each with its zero. One that is as long as
 * there is room for may have been longer.
 */
struct log_call {
	__u16 size;      /* with what comes behind it, a multiple of 8 */
	__u8 format_len; /* 0: it could not be read */
	__u8 pad[5];
	__u8 text_len[CALL_ARGS]; /* 0: the argument points to no text */
	__u64 args[CALL_ARGS];
};

/* The longest call. */
#define CALL_BYTES (sizeof(struct log_call) + CALL_FORMAT_LEN + CALL_ARGS * CALL_TEXT_LEN)

struct calls_event {
	struct event_header h;
	__u8 cut; /* earlier calls are not here */
	__u8 pad[7];
	__u8 calls[CALLS_BYTES];
};

/* What the verifier lets a load do by the loader's capabilities, and so spares itself. */
enum privilege {
	PRIVILEGE_BPF = 1,
	PRIVILEGE_LEAK_POINTERS = 2,
	PRIVILEGE_BYPASS_SPEC_V1 = 4, /* no paths that are executed by speculation alone */
	PRIVILEGE_BYPASS_SPEC_V4 = 8,
};

/* What struct bpf_verifier_env holds when it is released. */
struct verifier_result {
	__u64 verification_time_ns; /* the verifier's own clock */
	__u32 insns_processed;
	__u32 total_states;
	__u32 peak_states;
	__u32 max_states_per_insn;
	__u32 longest_mark_read_walk;
	__u32 subprograms;
	__u32 prog_type;
	__u32 expected_attach_type;
	__u32 xlated_insns;
	__u32 log_level; /* of the log that the verifier wrote */
	__u32 log_size;
	__u32 functions; /* that the program's types describe */
	__u32 attach_btf_id;
	__u32 attach_prog_id; /* of the program that it attaches to */
	__u32 pad;
	__u8 tag[PROG_TAG_LEN];
	__u8 name[PROG_NAME_LEN];
	__u8 attach_prog_name[PROG_NAME_LEN];
	__u8 valid; /* 0: env was never read */
	__u8 gpl_compatible;
	__u8 attach_prog; /* the program attaches to another */
	__u8 privileges;  /* enum privilege */
};

struct task_usage {
	__u64 min_flt;
	__u64 maj_flt;
	__u64 nvcsw;
	__u64 nivcsw;
	__u64 off_cpu_ns; /* only its growth says something */
};

struct end_event {
	struct event_header h; /* verification 0: bpf_check() was not reached */
	struct verifier_result result;
	struct load_request request;
	struct task_usage usage; /* of the task, from env to env's release */
	struct failed_alloc first_failed; /* if failures is not 0 */
	__u64 enter_ns;          /* the system call's entry */
	__u64 begin_ns;          /* bpf_check()'s entry, or env's allocation */
	__u64 release_ns;        /* env's release; 0: not seen */
	__u64 cgroup_id;
	__u64 process_start;
	__s64 ret;               /* of the system call */
	__u32 pid;
	__u32 uid;
	__u32 allocs; /* events sent, to be compared with events received */
	__u32 frees;
	__u32 visits;
	__u32 dropped; /* events that found the ring buffer full */
	__u32 visit_entries;
	__u32 names;
	__u32 prog_id; /* 0: not accepted, or not known */
	__u32 blind;   /* slices of the task in which the kernel may skip a probe */
	__u8 returned; /* 0: the system call's return was not seen, nor ret */
	__u8 no_room;  /* an orphan that found no room in `loads` */
	__u8 pad[2];
	__u32 failures;   /* allocations that failed, each an event while it has an env */
	__u32 task_state; /* bits of enum task_state, and 256 times the signal that kills */
	__u32 failed_events;
	__u8 comm[COMM_LEN];
};

struct tracer_config {
	__u64 env_size;              /* sizeof(struct bpf_verifier_env) */
	__u64 per_cpu_offsets;       /* address of the kernel's __per_cpu_offset[] */
	__u32 interrupt_mask;        /* bits of preempt_count, see interrupt.h */
	__u32 preempt_count_offset;  /* within the per-CPU variable */
	__u32 page_size;
	__u32 thread_size; /* of a task's kernel stack, in bytes */
	__u32 only_pid;  /* trace this thread group alone; 0: trace all */
	__u32 slot_mask;             /* of `loads`, see find_load() */
	__u32 wakeup_bytes;          /* wake the reader once this many bytes wait for it */
	__u32 bpf_syscall_nr;
	__u8 follow; /* trace only descendants of the tracer */
	__u8 match_comm;
	__u8 include_self;
	__u8 interrupt_by_stack;
	__u8 sees_skips;            /* bpf_prog_active can be read, see slice.h */
	__u8 counted_syscalls;      /* programs on system call tracepoints hold it */
	__u8 timed;            /* somebody wants to know when each event was */
	__u8 needs_stand_ins;  /* the kernel may skip all programs of the ledger, see standin.h */
	__u8 comm[COMM_LEN];
};

/* Losses that no event can report. */
struct loss_counts {
	__u64 starts;      /* whole verifications: no room for their start */
	__u64 ends;        /* ends that found the ring buffer full */
	__u64 loads_full;  /* loads that found no room */
	__u64 ring_full;   /* events of traced verifications */
	__u64 orphans;     /* records of loads that are not traced */
};

#endif
