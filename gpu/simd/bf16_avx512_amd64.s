#include "textflag.h"

// Go's assembler lacks AVX512_BF16, so this instruction is spelled in bytes. Its
// operands are numbers of registers, in the assembler's order. EVEX: 62, then
// RXBR'0mmm, Wvvvv1pp and zL'LbV'aaa, the opcode and ModRM; R, X, B, R', v and V' are
// inverted.

// VDPBF16PS adds to each float32 of Z(acc) the products of two bfloat16 of Z(a) and of Z(b).
#define VDPBF16PS(b, a, acc) \
	BYTE $0x62                                                                               \
	BYTE $(((~(acc)&8)<<4) | ((~(b)&16)<<2) | ((~(b)&8)<<2) | (~(acc)&16) | 2)               \
	BYTE $(((~(a)&15)<<3) | 6)                                                               \
	BYTE $(0x40 | ((~(a)&16)>>1))                                                            \
	BYTE $0x52                                                                               \
	BYTE $(0xc0 | (((acc)&7)<<3) | ((b)&7))

// func mulBF16AVX512(m int, a *uint16, stride int, offsets *int, steps int, b *uint16, c *float32, crs, acc int)
//
// C (m x 32) = or += the products of pixels and a panel of B, in blocks of 12, 8, 4 and
// single pixels. A step is 32 inputs, 16 pairs. Strides arrive in bytes.
//
//	AX  pixel 0 of the block, current pair   BX  pixel 6 of the block
//	R8  bytes from pixel to pixel   R10 3*R8    R13 5*R8
//	SI  B, current pair (the second half of its outputs lies 1024 bytes further)
//	DI  C, row 0 of the block    R12 C row stride
//	R11 A, block base   R14 B base   R9 offsets   DX steps left   R15 fours of pairs left
//	CX  pixels left
//	Z0-Z23 sums, pixel i in Z(2i), Z(2i+1)
//	Z28 Z29 the two halves of B's pair; Z30 Z31 a pixel's pair, 16 times

#define PIXEL30(addr, lo, hi) \
	VPBROADCASTD addr, Z30 \
	VDPBF16PS(28, 30, lo)  \
	VDPBF16PS(29, 30, hi)

#define PIXEL31(addr, lo, hi) \
	VPBROADCASTD addr, Z31 \
	VDPBF16PS(28, 31, lo)  \
	VDPBF16PS(29, 31, hi)

// The pair at byte 4*n of the pixels; the next step's filters are fetched meanwhile.
#define PIXELS1(n) \
	VMOVDQU64 (64*n)(SI), Z28      \
	VMOVDQU64 (64*n+1024)(SI), Z29 \
	PIXEL30((4*n)(AX), 0, 1)

#define PIXELS4(n) \
	PIXELS1(n)                       \
	PIXEL31((4*n)(AX)(R8*1), 2, 3)   \
	PREFETCHT0 (64*n+2048)(SI)       \
	PIXEL30((4*n)(AX)(R8*2), 4, 5)   \
	PIXEL31((4*n)(AX)(R10*1), 6, 7)  \
	PREFETCHT0 (64*n+3072)(SI)

#define PIXELS8(n) \
	PIXELS4(n)                       \
	PIXEL30((4*n)(AX)(R8*4), 8, 9)   \
	PIXEL31((4*n)(AX)(R13*1), 10, 11) \
	PIXEL30((4*n)(BX), 12, 13)       \
	PIXEL31((4*n)(BX)(R8*1), 14, 15)

#define PIXELS12(n) \
	PIXELS8(n)                       \
	PIXEL30((4*n)(BX)(R8*2), 16, 17) \
	PIXEL31((4*n)(BX)(R10*1), 18, 19) \
	PIXEL30((4*n)(BX)(R8*4), 20, 21) \
	PIXEL31((4*n)(BX)(R13*1), 22, 23)

#define ZERO2(lo, hi) \
	VPXORQ lo, lo, lo \
	VPXORQ hi, hi, hi

#define GETC(lo, hi) \
	VMOVUPS (DX), lo   \
	VMOVUPS 64(DX), hi \
	ADDQ    R12, DX

#define PUTC(lo, hi) \
	VMOVUPS lo, (DI)   \
	VMOVUPS hi, 64(DI) \
	ADDQ    R12, DI

// Each is f of the sums of 4, 8 or 12 pixels.
#define ROWS4(f) \
	f(Z0, Z1) \
	f(Z2, Z3) \
	f(Z4, Z5) \
	f(Z6, Z7)

#define ROWS8(f) \
	ROWS4(f)    \
	f(Z8, Z9)   \
	f(Z10, Z11) \
	f(Z12, Z13) \
	f(Z14, Z15)

#define ROWS12(f) \
	ROWS8(f)    \
	f(Z16, Z17) \
	f(Z18, Z19) \
	f(Z20, Z21) \
	f(Z22, Z23)

// A block starts at the first step, with DX at its sums and the flags of acc == 0.
#define BLOCK \
	MOVQ R14, SI            \
	MOVQ offsets+24(FP), R9 \
	MOVQ DI, DX             \
	CMPQ acc+64(FP), $0

#define STEP \
	MOVQ (R9), AX           \
	ADDQ $8, R9             \
	LEAQ (R11)(AX*2), AX    \
	LEAQ (AX)(R10*2), BX    \
	MOVQ $4, R15

#define FOUR(pixels) \
	pixels(0)     \
	pixels(1)     \
	pixels(2)     \
	pixels(3)     \
	ADDQ $16, AX  \
	ADDQ $16, BX  \
	ADDQ $256, SI \
	DECQ R15

TEXT ·mulBF16AVX512(SB), NOSPLIT, $0-72
	MOVQ m+0(FP), CX
	MOVQ a+8(FP), R11
	MOVQ stride+16(FP), R8
	MOVQ b+40(FP), R14
	MOVQ c+48(FP), DI
	MOVQ crs+56(FP), R12
	LEAQ (R8)(R8*2), R10
	LEAQ (R8)(R8*4), R13

	// Sixteen pixels are better as 8 + 8 than as 12 + 4.
pixels12:
	CMPQ CX, $12
	JLT  pixels8
	CMPQ CX, $16
	JEQ  pixels8
	BLOCK
	JNE  get12
	ROWS12(ZERO2)
	JMP  start12

get12:
	ROWS12(GETC)

start12:
	MOVQ steps+32(FP), DX

step12:
	STEP

four12:
	FOUR(PIXELS12)
	JNZ  four12
	ADDQ $1024, SI
	DECQ DX
	JNZ  step12
	ROWS12(PUTC)
	LEAQ (R11)(R10*4), R11
	SUBQ $12, CX
	JMP  pixels12

pixels8:
	CMPQ CX, $8
	JLT  pixels4
	BLOCK
	JNE  get8
	ROWS8(ZERO2)
	JMP  start8

get8:
	ROWS8(GETC)

start8:
	MOVQ steps+32(FP), DX

step8:
	STEP

four8:
	FOUR(PIXELS8)
	JNZ  four8
	ADDQ $1024, SI
	DECQ DX
	JNZ  step8
	ROWS8(PUTC)
	LEAQ (R11)(R8*8), R11
	SUBQ $8, CX
	JMP  pixels12

pixels4:
	CMPQ CX, $4
	JLT  pixels1
	BLOCK
	JNE  get4
	ROWS4(ZERO2)
	JMP  start4

get4:
	ROWS4(GETC)

start4:
	MOVQ steps+32(FP), DX

step4:
	STEP

four4:
	FOUR(PIXELS4)
	JNZ  four4
	ADDQ $1024, SI
	DECQ DX
	JNZ  step4
	ROWS4(PUTC)
	LEAQ (R11)(R8*4), R11
	SUBQ $4, CX
	JMP  pixels4

pixels1:
	TESTQ CX, CX
	JZ   end
	BLOCK
	JNE  get1
	ZERO2(Z0, Z1)
	JMP  start1

get1:
	GETC(Z0, Z1)

start1:
	MOVQ steps+32(FP), DX

step1:
	STEP

four1:
	FOUR(PIXELS1)
	JNZ  four1
	ADDQ $1024, SI
	DECQ DX
	JNZ  step1
	PUTC(Z0, Z1)
	ADDQ R8, R11
	SUBQ $1, CX
	JMP  pixels1

end:
	VZEROUPPER
	RET

// func peakBF16AVX512(n int)
//
// n rounds of 12 independent VDPBF16PS on Z0-Z11 (768 flop a round); CX counts.
TEXT ·peakBF16AVX512(SB), NOSPLIT, $0-8
	MOVQ n+0(FP), CX
	ROWS4(ZERO2)
	ZERO2(Z8, Z9)
	ZERO2(Z10, Z11)
	VPXORQ Z12, Z12, Z12

peak:
	VDPBF16PS(12, 12, 0)
	VDPBF16PS(12, 12, 1)
	VDPBF16PS(12, 12, 2)
	VDPBF16PS(12, 12, 3)
	VDPBF16PS(12, 12, 4)
	VDPBF16PS(12, 12, 5)
	VDPBF16PS(12, 12, 6)
	VDPBF16PS(12, 12, 7)
	VDPBF16PS(12, 12, 8)
	VDPBF16PS(12, 12, 9)
	VDPBF16PS(12, 12, 10)
	VDPBF16PS(12, 12, 11)
	DECQ CX
	JNZ  peak
	VZEROUPPER
	RET
