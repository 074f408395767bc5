//go:build cuda && linux

// One symbol is one jump through its pointer in bind.c. A jump leaves registers
// and stack as the caller set them, so no signature is needed.

#include "symbols.h"

#if defined(__x86_64__)
#define SYMBOL(name, emulated) \
	.globl name; .hidden name; .type name, @function; \
	name: jmp *bound_##name(%rip);
#elif defined(__aarch64__)
#define SYMBOL(name, emulated) \
	.globl name; .hidden name; .type name, %function; \
	name: adrp x16, bound_##name; ldr x16, [x16, :lo12:bound_##name]; br x16;
#else
#error "cuda/libcuda knows amd64 and arm64"
#endif

	.text
	SYMBOLS

	.section .note.GNU-stack, "", %progbits
