#include "textflag.h"

// func gemmAVX2(m, k int, a *float32, ars, acs int, b, c *float32, crs, acc int, next *float32, ahead int)
//
// C (m x 16) = or += A (m x k) * B (k x 16), a panel of B against rows of A,
// in blocks of 6, 4 and single rows. Strides arrive in bytes.
//
//	AX  A, row 0 of the block, current k    BX  A, row 3 of the block
//	R8  A row stride    R10 3*R8    R9  A step from k to k+1
//	SI  B, current k    DI  C, row 0 of the block    R12 C row stride
//	R11 A, block base   R14 B base   CX  rows left   DX  k left
//	R15 prefetch: walks what the next call will read, ahead bytes a step
//	Y0-Y11 accumulators, row r in Y(2r), Y(2r+1)
//	Y12 Y13 the two halves of B's row; Y14 Y15 broadcast elements of A
//
// A step of 6 rows is 12 FMAs (6 cycles on two ports) with 8 loads.

#define ROW(addr, t, lo, hi) \
	VBROADCASTSS addr, t     \
	VFMADD231PS  Y12, t, lo  \
	VFMADD231PS  Y13, t, hi

#define LOADB(off) \
	VMOVUPS off(SI), Y12     \
	VMOVUPS (off+32)(SI), Y13

#define STEP6(off) \
	LOADB(off)                      \
	ROW((AX), Y14, Y0, Y1)          \
	ROW((AX)(R8*1), Y15, Y2, Y3)    \
	ROW((AX)(R8*2), Y14, Y4, Y5)    \
	PREFETCHT1 (R15)                \
	ADDQ       ahead+80(FP), R15    \
	ROW((BX), Y15, Y6, Y7)          \
	ROW((BX)(R8*1), Y14, Y8, Y9)    \
	ROW((BX)(R8*2), Y15, Y10, Y11)  \
	ADDQ R9, AX                     \
	ADDQ R9, BX

#define STEP4(off) \
	LOADB(off)                   \
	ROW((AX), Y14, Y0, Y1)       \
	ROW((AX)(R8*1), Y15, Y2, Y3) \
	ROW((AX)(R8*2), Y14, Y4, Y5) \
	ROW((BX), Y15, Y6, Y7)       \
	ADDQ R9, AX                  \
	ADDQ R9, BX

#define STEP1(off) \
	LOADB(off)             \
	ROW((AX), Y14, Y0, Y1) \
	ADDQ R9, AX

#define ZERO(a) VXORPS a, a, a

#define ZERO4(a, b, c, d) \
	ZERO(a) \
	ZERO(b) \
	ZERO(c) \
	ZERO(d)

// Each of these walks DX over two rows of C.
#define ADDC2(a, b, c, d) \
	VADDPS (DX), a, a   \
	VADDPS 32(DX), b, b \
	ADDQ R12, DX        \
	VADDPS (DX), c, c   \
	VADDPS 32(DX), d, d \
	ADDQ R12, DX

#define PUTC2(a, b, c, d) \
	VMOVUPS a, (DX)   \
	VMOVUPS b, 32(DX) \
	ADDQ R12, DX      \
	VMOVUPS c, (DX)   \
	VMOVUPS d, 32(DX) \
	ADDQ R12, DX

// Start of a block: base registers, and k in fours in DX.
#define BLOCK \
	MOVQ R11, AX          \
	LEAQ (R11)(R10*1), BX \
	MOVQ R14, SI          \
	MOVQ k+8(FP), DX      \
	SHRQ $2, DX

TEXT ·gemmAVX2(SB), NOSPLIT, $0-88
	MOVQ m+0(FP), CX
	MOVQ a+16(FP), R11
	MOVQ ars+24(FP), R8
	MOVQ acs+32(FP), R9
	MOVQ b+40(FP), R14
	MOVQ c+48(FP), DI
	MOVQ crs+56(FP), R12
	MOVQ next+72(FP), R15
	LEAQ (R8)(R8*2), R10

	// Eight rows are better as 4 + 4 than as 6 + 1 + 1.
rows6:
	CMPQ CX, $6
	JLT  rows4
	CMPQ CX, $8
	JEQ  rows4
	BLOCK
	ZERO4(Y0, Y1, Y2, Y3)
	ZERO4(Y4, Y5, Y6, Y7)
	ZERO4(Y8, Y9, Y10, Y11)
	TESTQ DX, DX
	JZ   odd6

four6:
	STEP6(0)
	STEP6(64)
	STEP6(128)
	STEP6(192)
	ADDQ $256, SI
	DECQ DX
	JNZ  four6

odd6:
	MOVQ k+8(FP), DX
	ANDQ $3, DX
	JZ   done6

one6:
	STEP6(0)
	ADDQ $64, SI
	DECQ DX
	JNZ  one6

done6:
	CMPQ acc+64(FP), $0
	JEQ  put6
	MOVQ DI, DX
	ADDC2(Y0, Y1, Y2, Y3)
	ADDC2(Y4, Y5, Y6, Y7)
	ADDC2(Y8, Y9, Y10, Y11)

put6:
	MOVQ DI, DX
	PUTC2(Y0, Y1, Y2, Y3)
	PUTC2(Y4, Y5, Y6, Y7)
	PUTC2(Y8, Y9, Y10, Y11)
	MOVQ DX, DI
	LEAQ (R11)(R10*2), R11
	SUBQ $6, CX
	JMP  rows6

rows4:
	CMPQ CX, $4
	JLT  rows1
	BLOCK
	ZERO4(Y0, Y1, Y2, Y3)
	ZERO4(Y4, Y5, Y6, Y7)
	TESTQ DX, DX
	JZ   odd4

four4:
	STEP4(0)
	STEP4(64)
	STEP4(128)
	STEP4(192)
	ADDQ $256, SI
	DECQ DX
	JNZ  four4

odd4:
	MOVQ k+8(FP), DX
	ANDQ $3, DX
	JZ   done4

one4:
	STEP4(0)
	ADDQ $64, SI
	DECQ DX
	JNZ  one4

done4:
	CMPQ acc+64(FP), $0
	JEQ  put4
	MOVQ DI, DX
	ADDC2(Y0, Y1, Y2, Y3)
	ADDC2(Y4, Y5, Y6, Y7)

put4:
	MOVQ DI, DX
	PUTC2(Y0, Y1, Y2, Y3)
	PUTC2(Y4, Y5, Y6, Y7)
	MOVQ DX, DI
	LEAQ (R11)(R8*4), R11
	SUBQ $4, CX
	JMP  rows4

rows1:
	TESTQ CX, CX
	JZ   end
	BLOCK
	ZERO(Y0)
	ZERO(Y1)
	MOVQ k+8(FP), DX
	TESTQ DX, DX
	JZ   done1

one1:
	STEP1(0)
	ADDQ $64, SI
	DECQ DX
	JNZ  one1

done1:
	CMPQ acc+64(FP), $0
	JEQ  put1
	VADDPS (DI), Y0, Y0
	VADDPS 32(DI), Y1, Y1

put1:
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ R12, DI
	ADDQ R8, R11
	DECQ CX
	JMP  rows1

end:
	VZEROUPPER
	RET
