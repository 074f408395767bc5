#include "textflag.h"

// Single-precision arithmetic on the 32 lanes of a register, 8 at a time, each
// operation rounded once to nearest; a NaN result becomes 0x7fffffff as PTX
// defines. func(d, a, b, c *lanes), c read by fma only.

#define PROLOGUE \
	MOVQ d+0(FP), DI \
	MOVQ a+8(FP), SI \
	MOVQ b+16(FP), DX \
	MOVL $0x7fffffff, AX \
	MOVQ AX, X7 \
	VPBROADCASTD X7, Y7 \
	XORQ BX, BX

#define STORE \
	VCMPPS $3, Y0, Y0, Y1 \
	VBLENDVPS Y1, Y7, Y0, Y0 \
	VMOVUPS Y0, (DI)(BX*1) \
	ADDQ $32, BX \
	CMPQ BX, $128

// func fmaAVX2(d, a, b, c *lanes)
TEXT ·fmaAVX2(SB), NOSPLIT, $0-32
	PROLOGUE
	MOVQ c+24(FP), CX
loop:
	VMOVUPS (CX)(BX*1), Y0
	VMOVUPS (SI)(BX*1), Y2
	VFMADD231PS (DX)(BX*1), Y2, Y0
	STORE
	JLT loop
	VZEROUPPER
	RET

// func addAVX2(d, a, b, c *lanes)
TEXT ·addAVX2(SB), NOSPLIT, $0-32
	PROLOGUE
loop:
	VMOVUPS (SI)(BX*1), Y0
	VADDPS (DX)(BX*1), Y0, Y0
	STORE
	JLT loop
	VZEROUPPER
	RET

// func subAVX2(d, a, b, c *lanes)
TEXT ·subAVX2(SB), NOSPLIT, $0-32
	PROLOGUE
loop:
	VMOVUPS (SI)(BX*1), Y0
	VSUBPS (DX)(BX*1), Y0, Y0
	STORE
	JLT loop
	VZEROUPPER
	RET

// func mulAVX2(d, a, b, c *lanes)
TEXT ·mulAVX2(SB), NOSPLIT, $0-32
	PROLOGUE
loop:
	VMOVUPS (SI)(BX*1), Y0
	VMULPS (DX)(BX*1), Y0, Y0
	STORE
	JLT loop
	VZEROUPPER
	RET
