#include "textflag.h"
#include "neon_arm64.h"

// Four elements of the vector at r times those in V6 (the first two) and V7, added
// to acc and acc2.
#define PRODUCT(r, acc, acc2) \
	FMOVQ.P 16(r), F8 \
	FCVTL(9, 8)       \
	FCVTL2(10, 8)     \
	FMLA2(acc, 9, 6)  \
	FMLA2(acc2, 10, 7)

#define TOTAL(acc, acc2, f, o) \
	FADD2(acc, acc, acc2) \
	FADDP2(acc, acc)      \
	FMOVD f, (o)(R5)

// func dotsNEON(v, a, b, c *float32, n4 int, out *[3]float64)
//
//	R0  v    R1 R2 R3 a b c    R4 groups of 4 left    R5 out
//	V0 V1 V2  sums of the even pairs, V3 V4 V5 of the odd    V6 V7  v in float64
TEXT ·dotsNEON(SB), NOSPLIT, $0-48
	MOVD v+0(FP), R0
	MOVD a+8(FP), R1
	MOVD b+16(FP), R2
	MOVD c+24(FP), R3
	MOVD n4+32(FP), R4
	MOVD out+40(FP), R5
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VEOR V4.B16, V4.B16, V4.B16
	VEOR V5.B16, V5.B16, V5.B16

dots:
	FMOVQ.P 16(R0), F8
	FCVTL(6, 8)
	FCVTL2(7, 8)
	PRODUCT(R1, 0, 3)
	PRODUCT(R2, 1, 4)
	PRODUCT(R3, 2, 5)
	SUBS $1, R4
	BNE  dots
	TOTAL(0, 3, F0, 0)
	TOTAL(1, 4, F1, 8)
	TOTAL(2, 5, F2, 16)
	RET

// func axpyNEON(dst *float32, s float32, x *float32, n4 int)
//
//	R0 dst    R1 x    R2 groups of 4 left    V1 s    V0 the group
TEXT ·axpyNEON(SB), NOSPLIT, $0-32
	MOVD  dst+0(FP), R0
	FMOVS s+8(FP), F1
	VDUP  V1.S[0], V1.S4
	MOVD  x+16(FP), R1
	MOVD  n4+24(FP), R2

axpy:
	FMOVQ   (R0), F0
	FMOVQ.P 16(R1), F2
	FMLA(0, 2, 1)
	FMOVQ.P F0, 16(R0)
	SUBS    $1, R2
	BNE     axpy
	RET

// The matching score of 4 columns: the sum of nine products of pixels, three along a
// diagonal in each of three similarity matrices, in the order of Diag3At. R20 is the
// matrices' byte offset of the columns.
#define DIAGONAL(r, v, f) \
	ADD   R20, r, R8   \
	FMOVQ (R8), f      \
	ADD   R11, R8      \
	FMOVQ (R8), F4     \
	ADD   R11, R8      \
	FMOVQ (R8), F5     \
	FADD(v, v, 4)      \
	FADD(v, v, 5)

// func diag3NEON(out *float32, count, step int, s *[3]*float32, ld int, inv, bias *float32, n int)
//
//	R0  out    R1  patches left    R2  bytes from patch to patch
//	R3 R4 R5  the three matrices at the patch's first pixel, row 0
//	R11  byte distance to the diagonal's next term
//	R6 R7  inv and bias, R9 R10 walk them    R12  columns in groups of 4, R13 left
//	V3  running maximum, where NaN loses    V16 minus infinity
TEXT ·diag3NEON(SB), NOSPLIT, $0-64
	MOVD out+0(FP), R0
	MOVD count+8(FP), R1
	MOVD step+16(FP), R2
	LSL  $2, R2
	MOVD s+24(FP), R8
	MOVD (R8), R3
	MOVD 8(R8), R4
	MOVD 16(R8), R5
	MOVD ld+32(FP), R11
	ADD  $1, R11
	LSL  $2, R11
	MOVD inv+40(FP), R6
	MOVD bias+48(FP), R7
	MOVD n+56(FP), R12
	LSR  $2, R12
	MOVD $0xff800000, R8
	VDUP R8, V16.S4

patch:
	MOVV(3, 16)
	MOVD R12, R13
	MOVD R6, R9
	MOVD R7, R10
	MOVD $0, R20

columns:
	DIAGONAL(R3, 0, F0)
	DIAGONAL(R4, 1, F1)
	DIAGONAL(R5, 2, F2)
	FADD(0, 0, 1)
	FADD(0, 0, 2)
	FMOVQ.P 16(R9), F4
	FMUL(0, 0, 4)
	FMOVQ.P 16(R10), F5
	FADD(0, 0, 5)
	FMAXNM(3, 3, 0)
	ADD  $16, R20
	SUBS $1, R13
	BNE  columns
	FMAXNMV(3, 3)
	FMOVS F3, (R0)
	ADD  $4, R0
	ADD  R2, R3
	ADD  R2, R4
	ADD  R2, R5
	SUBS $1, R1
	BNE  patch
	RET

// func peakNEON(n int)
//
// n rounds of 24 independent multiply-adds of 4 lanes.
TEXT ·peakNEON(SB), NOSPLIT, $0-8
	MOVD n+0(FP), R0

peak:
	FMLA(0, 30, 31)
	FMLA(1, 30, 31)
	FMLA(2, 30, 31)
	FMLA(3, 30, 31)
	FMLA(4, 30, 31)
	FMLA(5, 30, 31)
	FMLA(6, 30, 31)
	FMLA(7, 30, 31)
	FMLA(8, 30, 31)
	FMLA(9, 30, 31)
	FMLA(10, 30, 31)
	FMLA(11, 30, 31)
	FMLA(12, 30, 31)
	FMLA(13, 30, 31)
	FMLA(14, 30, 31)
	FMLA(15, 30, 31)
	FMLA(16, 30, 31)
	FMLA(17, 30, 31)
	FMLA(18, 30, 31)
	FMLA(19, 30, 31)
	FMLA(20, 30, 31)
	FMLA(21, 30, 31)
	FMLA(22, 30, 31)
	FMLA(23, 30, 31)
	SUBS $1, R0
	BNE  peak
	RET
