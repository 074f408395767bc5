#include "textflag.h"

// func gemmAVX512(m, k int, a *float32, ars, acs int, b, c *float32, crs, acc int, next *float32, ahead int)
//
// C (m x 32) = or += A (m x k) * B (k x 32), a panel of B against rows of A,
// in blocks of 12, 8, 4 and single rows. Strides arrive in bytes.
//
//	AX  A, row 0 of the block, current k    BX  A, row 6 of the block
//	R8  A row stride    R10 3*R8    R13 5*R8    R9  A step from k to k+1
//	SI  B, current k    DI  C, row 0 of the block    R12 C row stride
//	R11 A, block base   R14 B base   CX  rows left   DX  k left
//	R15 prefetch: walks what the next call will read, ahead bytes a step
//	Z0-Z23 accumulators, row r in Z(2r), Z(2r+1)
//	Z28 Z29 the two halves of B's row; Z30 Z31 broadcast elements of A
//
// A step of 12 rows is 24 FMAs (12 cycles on two ports) with 14 loads and 43
// micro-operations (11 cycles), so the FMA ports are the limit.

#define ROW(addr, t, lo, hi) \
	VBROADCASTSS addr, t     \
	VFMADD231PS  Z28, t, lo  \
	VFMADD231PS  Z29, t, hi

#define LOADB(off) \
	VMOVUPS off(SI), Z28     \
	VMOVUPS (off+64)(SI), Z29

#define ROWS4 \
	ROW((AX), Z30, Z0, Z1)        \
	ROW((AX)(R8*1), Z31, Z2, Z3)  \
	ROW((AX)(R8*2), Z30, Z4, Z5)  \
	ROW((AX)(R10*1), Z31, Z6, Z7)

#define STEP12(off) \
	LOADB(off)                      \
	ROWS4                           \
	ROW((AX)(R8*4), Z30, Z8, Z9)    \
	ROW((AX)(R13*1), Z31, Z10, Z11) \
	PREFETCHT1 (R15)                \
	ADDQ       ahead+80(FP), R15    \
	ROW((BX), Z30, Z12, Z13)        \
	ROW((BX)(R8*1), Z31, Z14, Z15)  \
	ROW((BX)(R8*2), Z30, Z16, Z17)  \
	ROW((BX)(R10*1), Z31, Z18, Z19) \
	ROW((BX)(R8*4), Z30, Z20, Z21)  \
	ROW((BX)(R13*1), Z31, Z22, Z23) \
	ADDQ R9, AX                     \
	ADDQ R9, BX

#define STEP8(off) \
	LOADB(off)                      \
	ROWS4                           \
	ROW((AX)(R8*4), Z30, Z8, Z9)    \
	ROW((AX)(R13*1), Z31, Z10, Z11) \
	ROW((BX), Z30, Z12, Z13)        \
	ROW((BX)(R8*1), Z31, Z14, Z15)  \
	ADDQ R9, AX                     \
	ADDQ R9, BX

#define STEP4(off) \
	LOADB(off)  \
	ROWS4       \
	ADDQ R9, AX

#define STEP1(off) \
	LOADB(off)             \
	ROW((AX), Z30, Z0, Z1) \
	ADDQ R9, AX

#define ZERO(a) VPXORQ a, a, a

#define ZERO8(a, b, c, d, e, f, g, h) \
	ZERO(a) \
	ZERO(b) \
	ZERO(c) \
	ZERO(d) \
	ZERO(e) \
	ZERO(f) \
	ZERO(g) \
	ZERO(h)

#define ADDC(off, lo, hi) \
	VADDPS (off), lo, lo    \
	VADDPS 64(off), hi, hi

#define PUTC(off, lo, hi) \
	VMOVUPS lo, (off)   \
	VMOVUPS hi, 64(off)

// Each of these walks DX over four rows of C.
#define ADDC4(a, b, c, d, e, f, g, h) \
	ADDC(DX, a, b) \
	ADDQ R12, DX   \
	ADDC(DX, c, d) \
	ADDQ R12, DX   \
	ADDC(DX, e, f) \
	ADDQ R12, DX   \
	ADDC(DX, g, h) \
	ADDQ R12, DX

#define PUTC4(a, b, c, d, e, f, g, h) \
	PUTC(DX, a, b) \
	ADDQ R12, DX   \
	PUTC(DX, c, d) \
	ADDQ R12, DX   \
	PUTC(DX, e, f) \
	ADDQ R12, DX   \
	PUTC(DX, g, h) \
	ADDQ R12, DX

// Start of a block: base registers, and k in fours in DX.
#define BLOCK \
	MOVQ R11, AX        \
	LEAQ (R10)(R10*1), BX \
	ADDQ R11, BX        \
	MOVQ R14, SI        \
	MOVQ k+8(FP), DX    \
	SHRQ $2, DX

TEXT ·gemmAVX512(SB), NOSPLIT, $0-88
	MOVQ m+0(FP), CX
	MOVQ a+16(FP), R11
	MOVQ ars+24(FP), R8
	MOVQ acs+32(FP), R9
	MOVQ b+40(FP), R14
	MOVQ c+48(FP), DI
	MOVQ crs+56(FP), R12
	MOVQ next+72(FP), R15
	LEAQ (R8)(R8*2), R10
	LEAQ (R8)(R8*4), R13

	// Sixteen rows are better as 8 + 8 than as 12 + 4.
rows12:
	CMPQ CX, $12
	JLT  rows8
	CMPQ CX, $16
	JEQ  rows8
	BLOCK
	ZERO8(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)
	ZERO8(Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)
	ZERO8(Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23)
	TESTQ DX, DX
	JZ   odd12

four12:
	STEP12(0)
	STEP12(128)
	STEP12(256)
	STEP12(384)
	ADDQ $512, SI
	DECQ DX
	JNZ  four12

odd12:
	MOVQ k+8(FP), DX
	ANDQ $3, DX
	JZ   done12

one12:
	STEP12(0)
	ADDQ $128, SI
	DECQ DX
	JNZ  one12

done12:
	CMPQ acc+64(FP), $0
	JEQ  put12
	MOVQ DI, DX
	ADDC4(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)
	ADDC4(Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)
	ADDC4(Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23)

put12:
	MOVQ DI, DX
	PUTC4(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)
	PUTC4(Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)
	PUTC4(Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23)
	MOVQ DX, DI
	LEAQ (R10)(R10*1), DX
	LEAQ (R11)(DX*2), R11
	SUBQ $12, CX
	JMP  rows12

rows8:
	CMPQ CX, $8
	JLT  rows4
	BLOCK
	ZERO8(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)
	ZERO8(Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)
	TESTQ DX, DX
	JZ   odd8

four8:
	STEP8(0)
	STEP8(128)
	STEP8(256)
	STEP8(384)
	ADDQ $512, SI
	DECQ DX
	JNZ  four8

odd8:
	MOVQ k+8(FP), DX
	ANDQ $3, DX
	JZ   done8

one8:
	STEP8(0)
	ADDQ $128, SI
	DECQ DX
	JNZ  one8

done8:
	CMPQ acc+64(FP), $0
	JEQ  put8
	MOVQ DI, DX
	ADDC4(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)
	ADDC4(Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)

put8:
	MOVQ DI, DX
	PUTC4(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)
	PUTC4(Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)
	MOVQ DX, DI
	LEAQ (R11)(R8*8), R11
	SUBQ $8, CX
	JMP  rows12

rows4:
	CMPQ CX, $4
	JLT  rows1
	BLOCK
	ZERO8(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)
	TESTQ DX, DX
	JZ   odd4

four4:
	STEP4(0)
	STEP4(128)
	STEP4(256)
	STEP4(384)
	ADDQ $512, SI
	DECQ DX
	JNZ  four4

odd4:
	MOVQ k+8(FP), DX
	ANDQ $3, DX
	JZ   done4

one4:
	STEP4(0)
	ADDQ $128, SI
	DECQ DX
	JNZ  one4

done4:
	CMPQ acc+64(FP), $0
	JEQ  put4
	MOVQ DI, DX
	ADDC4(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)

put4:
	MOVQ DI, DX
	PUTC4(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)
	MOVQ DX, DI
	LEAQ (R11)(R8*4), R11
	SUBQ $4, CX
	JMP  rows4

rows1:
	TESTQ CX, CX
	JZ   end
	BLOCK
	ZERO(Z0)
	ZERO(Z1)
	MOVQ k+8(FP), DX
	TESTQ DX, DX
	JZ   done1

one1:
	STEP1(0)
	ADDQ $128, SI
	DECQ DX
	JNZ  one1

done1:
	CMPQ acc+64(FP), $0
	JEQ  put1
	ADDC(DI, Z0, Z1)

put1:
	PUTC(DI, Z0, Z1)
	ADDQ R12, DI
	ADDQ R8, R11
	DECQ CX
	JMP  rows1

end:
	VZEROUPPER
	RET
