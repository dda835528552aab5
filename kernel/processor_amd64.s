#include "textflag.h"

// func cpuid(leaf uint32) (eax, ebx, ecx, edx uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-24
	MOVL leaf+0(FP), AX
	XORL CX, CX
	CPUID
	MOVL AX, eax+8(FP)
	MOVL BX, ebx+12(FP)
	MOVL CX, ecx+16(FP)
	MOVL DX, edx+20(FP)
	RET

// func loopTicks(n uint64) uint64
TEXT ·loopTicks(SB), NOSPLIT, $0-16
	MOVQ n+0(FP), CX
	RDTSC
	SHLQ $32, DX
	LEAQ (DX)(AX*1), R8
again:
	DECQ CX
	JNZ  again
	RDTSC
	SHLQ $32, DX
	ADDQ AX, DX
	SUBQ R8, DX
	MOVQ DX, ret+8(FP)
	RET
