package kernel

// ThreadSize is THREAD_SIZE of x86-64 without KASAN, in bytes: the size of a task's stack
// in the kernel (arch/x86/include/asm/page_64_types.h).
const ThreadSize = 16 << 10
