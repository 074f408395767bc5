#include "textflag.h"

// Winograd F(4x4, 3x3) with interpolation points 0, a, -a, b, -b, infinity for
// a = sqrt(2), b = 1/a, on 16 channels a register. The formulas and the
// layouts are in wino_generic.go, the constants in ·winoConst.

// One dimension of the input transform. In: Z0-Z5. Out: Z6 Z7 Z9 Z10 Z12 Z8
// in the order of the points. Z27 a2+b2, Z28 b2, Z29 a2, Z30 b, Z31 a.
#define IN1D \
	VADDPS       Z0, Z4, Z6    \
	VFNMADD231PS Z2, Z27, Z6   \
	VADDPS       Z1, Z5, Z8    \
	VFNMADD231PS Z3, Z27, Z8   \
	VMOVAPS      Z4, Z9        \
	VFNMADD231PS Z2, Z28, Z9   \
	VMOVAPS      Z3, Z11       \
	VFNMADD231PS Z1, Z28, Z11  \
	VFNMADD231PS Z2, Z29, Z4   \
	VFNMADD231PS Z1, Z29, Z3   \
	VMOVAPS      Z9, Z7        \
	VFMADD231PS  Z11, Z31, Z7  \
	VFNMADD231PS Z11, Z31, Z9  \
	VMOVAPS      Z4, Z10       \
	VFMADD231PS  Z3, Z30, Z10  \
	VFNMADD231PS Z3, Z30, Z4

// Column j of the 6x6 patch: six pixel pointers, transformed down the column
// into the scratch (6 rows of 6 lines). 36 pixels, like 36 planes, are more
// streams than the processor follows by itself: the next turn's line of each
// is fetched ahead, of the planes the one after it, for a store must own it.
#define INCOL(j) \
	MOVQ (j*8)(AX), R8              \
	MOVQ (48+j*8)(AX), R9           \
	MOVQ (96+j*8)(AX), R10          \
	MOVQ (144+j*8)(AX), R11         \
	MOVQ (192+j*8)(AX), R12         \
	MOVQ (240+j*8)(AX), R13         \
	VMOVUPS (R8)(DX*1), Z0          \
	VMOVUPS (R9)(DX*1), Z1          \
	VMOVUPS (R10)(DX*1), Z2         \
	VMOVUPS (R11)(DX*1), Z3         \
	VMOVUPS (R12)(DX*1), Z4         \
	VMOVUPS (R13)(DX*1), Z5         \
	PREFETCHT0 64(R8)(DX*1)        \
	PREFETCHT0 64(R9)(DX*1)        \
	PREFETCHT0 64(R10)(DX*1)       \
	PREFETCHT0 64(R11)(DX*1)       \
	PREFETCHT0 64(R12)(DX*1)       \
	PREFETCHT0 64(R13)(DX*1)       \
	IN1D                            \
	VMOVAPS Z6, (j*64)(R15)         \
	VMOVAPS Z7, (384+j*64)(R15)     \
	VMOVAPS Z9, (768+j*64)(R15)     \
	VMOVAPS Z10, (1152+j*64)(R15)   \
	VMOVAPS Z4, (1536+j*64)(R15)    \
	VMOVAPS Z8, (1920+j*64)(R15)

// Row i of the scratch, transformed along the row into six planes.
#define INROW(i) \
	VMOVAPS (i*384)(R15), Z0        \
	VMOVAPS (i*384+64)(R15), Z1     \
	VMOVAPS (i*384+128)(R15), Z2    \
	VMOVAPS (i*384+192)(R15), Z3    \
	VMOVAPS (i*384+256)(R15), Z4    \
	VMOVAPS (i*384+320)(R15), Z5    \
	IN1D                            \
	VMOVUPS Z6, (R10)               \
	VMOVUPS Z7, (R10)(R9*1)         \
	VMOVUPS Z9, (R10)(R9*2)         \
	VMOVUPS Z10, (R11)              \
	VMOVUPS Z4, (R11)(R9*1)         \
	VMOVUPS Z8, (R11)(R9*2)         \
	PREFETCHT0 128(R10)               \
	PREFETCHT0 128(R10)(R9*1)         \
	PREFETCHT0 128(R10)(R9*2)         \
	PREFETCHT0 128(R11)               \
	PREFETCHT0 128(R11)(R9*1)         \
	PREFETCHT0 128(R11)(R9*2)         \
	ADDQ R12, R10                   \
	ADDQ R12, R11

// func winoInAVX512(px *[36]*float32, off int, dst *float32, plane, n16 int)
//
//	AX  px    DX  byte offset from the pixels    DI  dst, 64 bytes a turn
//	CX  groups of 16 channels left    R15 scratch, 36 lines
//	R8-R13 the pixels of a column; then R9 plane, R10 R11 planes 0 and 3 of a
//	row of six, R12 six planes
TEXT ·winoInAVX512(SB), 0, $2368-40
	MOVQ px+0(FP), AX
	MOVQ off+8(FP), DX
	MOVQ dst+16(FP), DI
	MOVQ n16+32(FP), CX
	VBROADCASTSS ·winoConst+0(SB), Z31
	VBROADCASTSS ·winoConst+4(SB), Z30
	VBROADCASTSS ·winoConst+8(SB), Z29
	VBROADCASTSS ·winoConst+12(SB), Z28
	VBROADCASTSS ·winoConst+16(SB), Z27
	LEAQ 63(SP), R15
	ANDQ $~63, R15

inloop:
	INCOL(0)
	INCOL(1)
	INCOL(2)
	INCOL(3)
	INCOL(4)
	INCOL(5)
	MOVQ plane+24(FP), R9
	LEAQ (R9)(R9*2), R11
	LEAQ (R11)(R11*1), R12
	ADDQ DI, R11
	MOVQ DI, R10
	INROW(0)
	INROW(1)
	INROW(2)
	INROW(3)
	INROW(4)
	INROW(5)
	ADDQ $64, DI
	ADDQ $64, DX
	DECQ CX
	JNZ  inloop
	VZEROUPPER
	RET

// One dimension of the output transform. In: Z0-Z5. Out: Z0 Z1 Z2 Z5.
// Z26 b3, Z27 a3, Z28 b2, Z29 a2, Z30 b, Z31 a.
#define OUT1D \
	VADDPS      Z1, Z2, Z6    \
	VSUBPS      Z2, Z1, Z7    \
	VADDPS      Z3, Z4, Z8    \
	VSUBPS      Z4, Z3, Z9    \
	VADDPS      Z6, Z0, Z0    \
	VADDPS      Z8, Z0, Z0    \
	VMULPS      Z7, Z31, Z1   \
	VFMADD231PS Z9, Z30, Z1   \
	VMULPS      Z6, Z29, Z2   \
	VFMADD231PS Z8, Z28, Z2   \
	VFMADD231PS Z7, Z27, Z5   \
	VFMADD231PS Z9, Z26, Z5

// Column j of the products, and ahead the same of the next tile, a panel's row
// of 128 bytes on.
#define OUTCOL(j) \
	VMOVUPS (R10), Z0             \
	VMOVUPS (R10)(R12*1), Z1      \
	VMOVUPS (R10)(R12*2), Z2      \
	VMOVUPS (R11), Z3             \
	VMOVUPS (R11)(R12*1), Z4      \
	VMOVUPS (R11)(R12*2), Z5      \
	PREFETCHT0 128(R10)           \
	PREFETCHT0 128(R10)(R12*1)    \
	PREFETCHT0 128(R10)(R12*2)    \
	PREFETCHT0 128(R11)           \
	PREFETCHT0 128(R11)(R12*1)    \
	PREFETCHT0 128(R11)(R12*2)    \
	OUT1D                         \
	VMOVAPS Z0, (j*64)(R15)       \
	VMOVAPS Z1, (384+j*64)(R15)   \
	VMOVAPS Z2, (768+j*64)(R15)   \
	VMOVAPS Z5, (1152+j*64)(R15)  \
	ADDQ R9, R10                  \
	ADDQ R9, R11

#define OUTCOLS \
	MOVQ SI, R10            \
	LEAQ (R12)(R12*2), R11  \
	ADDQ SI, R11            \
	OUTCOL(0)               \
	OUTCOL(1)               \
	OUTCOL(2)               \
	OUTCOL(3)               \
	OUTCOL(4)               \
	OUTCOL(5)

#define OUTLD(i) \
	VMOVAPS (i*384)(R15), Z0      \
	VMOVAPS (i*384+64)(R15), Z1   \
	VMOVAPS (i*384+128)(R15), Z2  \
	VMOVAPS (i*384+192)(R15), Z3  \
	VMOVAPS (i*384+256)(R15), Z4  \
	VMOVAPS (i*384+320)(R15), Z5  \
	OUT1D

// Pixel p: add the bias, ReLU (NaN passes: the value is the second source),
// store, fetch the line of the next turn, and note the sign.
#define FORWARD(p, v) \
	VADDPS  Z10, v, v               \
	VMAXPS  v, Z11, v               \
	MOVQ    (p*8)(AX), R8           \
	VMOVUPS v, (R8)(DX*1)           \
	PREFETCHT0 64(R8)(DX*1)         \
	VCMPPS  $30, Z11, v, K1         \
	MOVQ    (128+p*8)(AX), R8       \
	KMOVW   K1, (R8)(R13*1)

#define FORWARDROW(i) \
	OUTLD(i)              \
	FORWARD((i*4), Z0)    \
	FORWARD((i*4+1), Z1)  \
	FORWARD((i*4+2), Z2)  \
	FORWARD((i*4+3), Z5)

// The prologue and the walk that both output routines share:
//
//	AX  the tile's pointers: 16 pixels, 16 rows of sign bits
//	SI  src, 64 bytes a turn    R9  plane    R12 six planes
//	DX  byte offset from the pixels    R13 from the bits
//	CX  groups of 16 channels left    R15 scratch, 24 lines
//	R10 R11 walk the planes; R8 the pointer in use
#define OUTSTART \
	VBROADCASTSS ·winoConst+0(SB), Z31    \
	VBROADCASTSS ·winoConst+4(SB), Z30    \
	VBROADCASTSS ·winoConst+8(SB), Z29    \
	VBROADCASTSS ·winoConst+12(SB), Z28   \
	VBROADCASTSS ·winoConst+20(SB), Z27   \
	VBROADCASTSS ·winoConst+24(SB), Z26   \
	LEAQ (R9)(R9*2), R12                  \
	ADDQ R12, R12                         \
	LEAQ 63(SP), R15                      \
	ANDQ $~63, R15

// func winoOutAVX512(src *float32, plane int, tile *Tile, off, bits, n16 int, bias *float32)
//
// BX walks the bias; Z10 holds it, Z11 zero.
TEXT ·winoOutAVX512(SB), 0, $1600-56
	MOVQ src+0(FP), SI
	MOVQ plane+8(FP), R9
	MOVQ tile+16(FP), AX
	MOVQ off+24(FP), DX
	MOVQ bits+32(FP), R13
	MOVQ n16+40(FP), CX
	OUTSTART
	MOVQ bias+48(FP), BX
	VPXORQ Z11, Z11, Z11

outloop:
	OUTCOLS
	VMOVUPS (BX), Z10
	FORWARDROW(0)
	FORWARDROW(1)
	FORWARDROW(2)
	FORWARDROW(3)
	ADDQ $64, SI
	ADDQ $64, BX
	ADDQ $64, DX
	ADDQ $2, R13
	DECQ CX
	JNZ  outloop
	VZEROUPPER
	RET

// Pixel p: add what is there under K2, keep the lanes whose bit is set (K3:
// all), store.
#define BACKWARD(p, v) \
	MOVQ      (128+p*8)(AX), R8       \
	KMOVW     (R8)(R13*1), K1         \
	KORW      K3, K1, K1              \
	MOVQ      (p*8)(AX), R8           \
	VADDPS    (R8)(DX*1), v, K2, v    \
	VMOVAPS.Z v, K1, v                \
	VMOVUPS   v, (R8)(DX*1)

#define BACKWARDROW(i) \
	OUTLD(i)               \
	BACKWARD((i*4), Z0)    \
	BACKWARD((i*4+1), Z1)  \
	BACKWARD((i*4+2), Z2)  \
	BACKWARD((i*4+3), Z5)

// func winoBackAVX512(src *float32, plane int, tile *Tile, off, bits, n16 int, add, gate int)
//
// K2 is all ones to add to the pixels, K3 all ones to ignore the bits.
TEXT ·winoBackAVX512(SB), 0, $1600-64
	MOVQ src+0(FP), SI
	MOVQ plane+8(FP), R9
	MOVQ tile+16(FP), AX
	MOVQ off+24(FP), DX
	MOVQ bits+32(FP), R13
	MOVQ n16+40(FP), CX
	OUTSTART
	MOVQ  add+48(FP), BX
	NEGQ  BX
	KMOVW BX, K2
	MOVQ  gate+56(FP), BX
	DECQ  BX
	KMOVW BX, K3

backloop:
	OUTCOLS
	BACKWARDROW(0)
	BACKWARDROW(1)
	BACKWARDROW(2)
	BACKWARDROW(3)
	ADDQ $64, SI
	ADDQ $64, DX
	ADDQ $2, R13
	DECQ CX
	JNZ  backloop
	VZEROUPPER
	RET

// One dimension of the filter transform of Z0 Z1 Z2. Out: Z0 Z4 Z5 Z6 Z7 Z2.
// Z25 na, Z26 na*a2, Z27 na*a, Z28 nb, Z29 nb*b2, Z30 nb*b; the first weight is 1.
#define G1D \
	VMULPS      Z0, Z25, Z4   \
	VFMADD231PS Z2, Z26, Z4   \
	VMULPS      Z1, Z27, Z8   \
	VSUBPS      Z8, Z4, Z5    \
	VADDPS      Z8, Z4, Z4    \
	VMULPS      Z0, Z28, Z6   \
	VFMADD231PS Z2, Z29, Z6   \
	VMULPS      Z1, Z30, Z8   \
	VSUBPS      Z8, Z6, Z7    \
	VADDPS      Z8, Z6, Z6

// Tap column j of one row point: weights Z13 Z14 Z15 of taps 0, 1 and 2.
#define GCOL(j, o, t) \
	VMULPS      (j*128+o)(SI), Z13, t      \
	VFMADD231PS (384+j*128+o)(SI), Z14, t  \
	VFMADD231PS (768+j*128+o)(SI), Z15, t

#define GHALF(o) \
	GCOL(0, o, Z0)              \
	GCOL(1, o, Z1)              \
	GCOL(2, o, Z2)              \
	G1D                         \
	VMOVUPS Z0, o(DI)           \
	VMOVUPS Z4, o(DI)(R9*1)     \
	VMOVUPS Z5, o(DI)(R9*2)     \
	VMOVUPS Z6, o(R11)          \
	VMOVUPS Z7, o(R11)(R9*1)    \
	VMOVUPS Z2, o(R11)(R9*2)

// func winoFilterAVX512(src, dst *float32, plane, n int, row *[3]float32)
//
//	SI  src, 9 rows of 32 outputs a turn    DI  dst, a row of 32 a turn
//	CX  input channels left    R9  plane    R11 DI + 3 planes
TEXT ·winoFilterAVX512(SB), NOSPLIT, $0-40
	MOVQ src+0(FP), SI
	MOVQ dst+8(FP), DI
	MOVQ plane+16(FP), R9
	MOVQ n+24(FP), CX
	MOVQ row+32(FP), AX
	VBROADCASTSS (AX), Z13
	VBROADCASTSS 4(AX), Z14
	VBROADCASTSS 8(AX), Z15
	VBROADCASTSS ·winoConst+28(SB), Z25
	VBROADCASTSS ·winoConst+32(SB), Z26
	VBROADCASTSS ·winoConst+36(SB), Z27
	VBROADCASTSS ·winoConst+40(SB), Z28
	VBROADCASTSS ·winoConst+44(SB), Z29
	VBROADCASTSS ·winoConst+48(SB), Z30
	LEAQ (R9)(R9*2), R11
	ADDQ DI, R11

filterloop:
	GHALF(0)
	GHALF(64)
	ADDQ $1152, SI
	ADDQ $128, DI
	ADDQ $128, R11
	DECQ CX
	JNZ  filterloop
	VZEROUPPER
	RET
