#include "textflag.h"

// func gemmNEON(k int, a *float32, ars, acs int, b, c *float32, crs, acc int)
//
// C (6 x 16) = or += A (6 x k) * B (k x 16). Strides arrive in bytes.
//
//	R0  k left    R1 R9-R13  the six rows of A, at the current k
//	R2  A row stride    R3  A step from k to k+1
//	R4  B, current k    R6  C, current row    R7  C row stride    R8  acc
//	V0-V23   accumulators, row r in V(4r) to V(4r+3)
//	V24-V27  B's row, or a row of C    V28 V29  an element of A in all lanes

#define ROW(addr, t, a, b, c, d) \
	VLD1R (addr), [t.S4]          \
	ADD   R3, addr                \
	VFMLA t.S4, V24.S4, a.S4      \
	VFMLA t.S4, V25.S4, b.S4      \
	VFMLA t.S4, V26.S4, c.S4      \
	VFMLA t.S4, V27.S4, d.S4

#define ZERO4(a, b, c, d) \
	VEOR a.B16, a.B16, a.B16 \
	VEOR b.B16, b.B16, b.B16 \
	VEOR c.B16, c.B16, c.B16 \
	VEOR d.B16, d.B16, d.B16

// This assembler has no vector addition: C is added as C times V28, all ones.
#define ADDC(a, b, c, d) \
	VLD1  (R14), [V24.S4, V25.S4, V26.S4, V27.S4] \
	ADD   R7, R14                                 \
	VFMLA V28.S4, V24.S4, a.S4                    \
	VFMLA V28.S4, V25.S4, b.S4                    \
	VFMLA V28.S4, V26.S4, c.S4                    \
	VFMLA V28.S4, V27.S4, d.S4

#define PUTC(a, b, c, d) \
	VST1 [a.S4, b.S4, c.S4, d.S4], (R6) \
	ADD  R7, R6

TEXT ·gemmNEON(SB), NOSPLIT, $0-64
	MOVD k+0(FP), R0
	MOVD a+8(FP), R1
	MOVD ars+16(FP), R2
	MOVD acs+24(FP), R3
	MOVD b+32(FP), R4
	MOVD c+40(FP), R6
	MOVD crs+48(FP), R7
	MOVD acc+56(FP), R8
	ADD  R2, R1, R9
	ADD  R2, R9, R10
	ADD  R2, R10, R11
	ADD  R2, R11, R12
	ADD  R2, R12, R13
	ZERO4(V0, V1, V2, V3)
	ZERO4(V4, V5, V6, V7)
	ZERO4(V8, V9, V10, V11)
	ZERO4(V12, V13, V14, V15)
	ZERO4(V16, V17, V18, V19)
	ZERO4(V20, V21, V22, V23)

loop:
	VLD1.P 64(R4), [V24.S4, V25.S4, V26.S4, V27.S4]
	ROW(R1, V28, V0, V1, V2, V3)
	ROW(R9, V29, V4, V5, V6, V7)
	ROW(R10, V28, V8, V9, V10, V11)
	ROW(R11, V29, V12, V13, V14, V15)
	ROW(R12, V28, V16, V17, V18, V19)
	ROW(R13, V29, V20, V21, V22, V23)
	SUBS $1, R0
	BNE  loop
	CBZ  R8, store
	FMOVS $1.0, F28
	VDUP V28.S[0], V28.S4
	MOVD R6, R14
	ADDC(V0, V1, V2, V3)
	ADDC(V4, V5, V6, V7)
	ADDC(V8, V9, V10, V11)
	ADDC(V12, V13, V14, V15)
	ADDC(V16, V17, V18, V19)
	ADDC(V20, V21, V22, V23)

store:
	PUTC(V0, V1, V2, V3)
	PUTC(V4, V5, V6, V7)
	PUTC(V8, V9, V10, V11)
	PUTC(V12, V13, V14, V15)
	PUTC(V16, V17, V18, V19)
	PUTC(V20, V21, V22, V23)
	RET

// func gemmRowNEON(k int, a *float32, acs int, b, c *float32, acc int)
//
// One row of gemmNEON: C (1 x 16). The registers are its.
TEXT ·gemmRowNEON(SB), NOSPLIT, $0-48
	MOVD k+0(FP), R0
	MOVD a+8(FP), R1
	MOVD acs+16(FP), R3
	MOVD b+24(FP), R4
	MOVD c+32(FP), R6
	MOVD acc+40(FP), R8
	MOVD $0, R7
	ZERO4(V0, V1, V2, V3)

row:
	VLD1.P 64(R4), [V24.S4, V25.S4, V26.S4, V27.S4]
	ROW(R1, V28, V0, V1, V2, V3)
	SUBS $1, R0
	BNE  row
	CBZ  R8, put
	FMOVS $1.0, F28
	VDUP V28.S[0], V28.S4
	MOVD R6, R14
	ADDC(V0, V1, V2, V3)

put:
	PUTC(V0, V1, V2, V3)
	RET
