#include "textflag.h"

// The matching score: the product of two 3x3 patches is the sum of nine
// products of pixels, three along a diagonal in each of three similarity
// matrices (rows ld apart).
//
//	R8 R9 R10    the three matrices at the patch's first pixel, row 0
//	R11 R12      byte distance to the diagonal's second and third term
//	BX SI        inv and bias    AX  byte offset of the columns, to DX
//	DI           out    CX  patches left    R13  bytes from patch to patch

#define NINE(r0, r1, r2) \
	VMOVUPS (R8)(AX*1), r0         \
	VMOVUPS (R9)(AX*1), r1         \
	VMOVUPS (R10)(AX*1), r2        \
	LEAQ    (AX)(R11*1), R15       \
	VADDPS  (R8)(R15*1), r0, r0    \
	VADDPS  (R9)(R15*1), r1, r1    \
	VADDPS  (R10)(R15*1), r2, r2   \
	LEAQ    (AX)(R12*1), R15       \
	VADDPS  (R8)(R15*1), r0, r0    \
	VADDPS  (R9)(R15*1), r1, r1    \
	VADDPS  (R10)(R15*1), r2, r2   \
	VADDPS  r1, r0, r0             \
	VADDPS  r2, r0, r0             \
	VMULPS  (BX)(AX*1), r0, r0     \
	VADDPS  (SI)(AX*1), r0, r0

// func diag3AVX512(out *float32, count, step int, s *[3]*float32, ld int, inv, bias *float32, n int)
//
// Z3 is the running maximum; a NaN, the first source of VMAXPS, loses.
TEXT ·diag3AVX512(SB), NOSPLIT, $0-64
	MOVQ out+0(FP), DI
	MOVQ count+8(FP), CX
	MOVQ step+16(FP), R13
	MOVQ s+24(FP), AX
	MOVQ (AX), R8
	MOVQ 8(AX), R9
	MOVQ 16(AX), R10
	MOVQ ld+32(FP), R11
	MOVQ inv+40(FP), BX
	MOVQ bias+48(FP), SI
	MOVQ n+56(FP), DX
	SHLQ $2, DX
	LEAQ 4(R11*4), R11
	LEAQ (R11)(R11*1), R12
	SHLQ $2, R13
	MOVL $0xff800000, AX
	VMOVD AX, X4
	VBROADCASTSS X4, Z4

patch5:
	VMOVAPS Z4, Z3
	XORQ AX, AX

columns5:
	NINE(Z0, Z1, Z2)
	VMAXPS Z3, Z0, Z3
	ADDQ $64, AX
	CMPQ AX, DX
	JLT  columns5
	VEXTRACTF64X4 $1, Z3, Y0
	VMAXPS Y0, Y3, Y3
	VEXTRACTF128 $1, Y3, X0
	VMAXPS X0, X3, X3
	VPERMILPS $0x4e, X3, X0
	VMAXPS X0, X3, X3
	VPERMILPS $0xb1, X3, X0
	VMAXPS X0, X3, X3
	VMOVSS X3, (DI)
	ADDQ $4, DI
	ADDQ R13, R8
	ADDQ R13, R9
	ADDQ R13, R10
	DECQ CX
	JNZ  patch5
	VZEROUPPER
	RET

// func diag3AVX2(out *float32, count, step int, s *[3]*float32, ld int, inv, bias *float32, n int)
//
// Y3 is the running maximum; a NaN, the first source of VMAXPS, loses.
TEXT ·diag3AVX2(SB), NOSPLIT, $0-64
	MOVQ out+0(FP), DI
	MOVQ count+8(FP), CX
	MOVQ step+16(FP), R13
	MOVQ s+24(FP), AX
	MOVQ (AX), R8
	MOVQ 8(AX), R9
	MOVQ 16(AX), R10
	MOVQ ld+32(FP), R11
	MOVQ inv+40(FP), BX
	MOVQ bias+48(FP), SI
	MOVQ n+56(FP), DX
	SHLQ $2, DX
	LEAQ 4(R11*4), R11
	LEAQ (R11)(R11*1), R12
	SHLQ $2, R13
	MOVL $0xff800000, AX
	VMOVD AX, X4
	VBROADCASTSS X4, Y4

patch2:
	VMOVAPS Y4, Y3
	XORQ AX, AX

columns2:
	NINE(Y0, Y1, Y2)
	VMAXPS Y3, Y0, Y3
	ADDQ $32, AX
	CMPQ AX, DX
	JLT  columns2
	VEXTRACTF128 $1, Y3, X0
	VMAXPS X0, X3, X3
	VPERMILPS $0x4e, X3, X0
	VMAXPS X0, X3, X3
	VPERMILPS $0xb1, X3, X0
	VMAXPS X0, X3, X3
	VMOVSS X3, (DI)
	ADDQ $4, DI
	ADDQ R13, R8
	ADDQ R13, R9
	ADDQ R13, R10
	DECQ CX
	JNZ  patch2
	VZEROUPPER
	RET
