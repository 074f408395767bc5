#include "textflag.h"

// Winograd F(4x4, 3x3) with interpolation points 0, a, -a, b, -b, infinity for
// a = sqrt(2), b = 1/a, on 8 channels a register. The formulas and the layouts
// are in wino_generic.go, the constants in ·winoConst.

// One dimension of the input transform. In: Y0-Y5. Out: Y6 Y0 Y7 Y1 Y4 Y5
// in the order of the points. Y10 b, Y11 a, Y13 a2+b2, Y14 b2, Y15 a2.
#define IN1D \
	VADDPS       Y0, Y4, Y6    \
	VFNMADD231PS Y2, Y13, Y6   \
	VADDPS       Y1, Y5, Y5    \
	VFNMADD231PS Y3, Y13, Y5   \
	VMOVAPS      Y4, Y7        \
	VFNMADD231PS Y2, Y14, Y7   \
	VMOVAPS      Y3, Y8        \
	VFNMADD231PS Y1, Y14, Y8   \
	VFNMADD231PS Y2, Y15, Y4   \
	VFNMADD231PS Y1, Y15, Y3   \
	VMOVAPS      Y7, Y0        \
	VFMADD231PS  Y8, Y11, Y0   \
	VFNMADD231PS Y8, Y11, Y7   \
	VMOVAPS      Y4, Y1        \
	VFMADD231PS  Y3, Y10, Y1   \
	VFNMADD231PS Y3, Y10, Y4

#define INCOLH(j, o) \
	VMOVUPS o(R8)(DX*1), Y0         \
	VMOVUPS o(R9)(DX*1), Y1         \
	VMOVUPS o(R10)(DX*1), Y2        \
	VMOVUPS o(R11)(DX*1), Y3        \
	VMOVUPS o(R12)(DX*1), Y4        \
	VMOVUPS o(R13)(DX*1), Y5        \
	IN1D                            \
	VMOVAPS Y6, (j*64+o)(R15)       \
	VMOVAPS Y0, (384+j*64+o)(R15)   \
	VMOVAPS Y7, (768+j*64+o)(R15)   \
	VMOVAPS Y1, (1152+j*64+o)(R15)  \
	VMOVAPS Y4, (1536+j*64+o)(R15)  \
	VMOVAPS Y5, (1920+j*64+o)(R15)

// Column j of the 6x6 patch: six pixel pointers, 16 channels, transformed down
// the column into the scratch (6 rows of 6 lines).
#define INCOL(j) \
	MOVQ (j*8)(AX), R8       \
	MOVQ (48+j*8)(AX), R9    \
	MOVQ (96+j*8)(AX), R10   \
	MOVQ (144+j*8)(AX), R11  \
	MOVQ (192+j*8)(AX), R12  \
	MOVQ (240+j*8)(AX), R13  \
	INCOLH(j, 0)             \
	INCOLH(j, 32)

#define INROWH(i, o) \
	VMOVAPS (i*384+o)(R15), Y0      \
	VMOVAPS (i*384+64+o)(R15), Y1   \
	VMOVAPS (i*384+128+o)(R15), Y2  \
	VMOVAPS (i*384+192+o)(R15), Y3  \
	VMOVAPS (i*384+256+o)(R15), Y4  \
	VMOVAPS (i*384+320+o)(R15), Y5  \
	IN1D                            \
	VMOVUPS Y6, o(R10)              \
	VMOVUPS Y0, o(R10)(R9*1)        \
	VMOVUPS Y7, o(R10)(R9*2)        \
	VMOVUPS Y1, o(R11)              \
	VMOVUPS Y4, o(R11)(R9*1)        \
	VMOVUPS Y5, o(R11)(R9*2)

// Row i of the scratch, transformed along the row into six planes.
#define INROW(i) \
	INROWH(i, 0)   \
	INROWH(i, 32)  \
	ADDQ R12, R10  \
	ADDQ R12, R11

// func winoInAVX2(px *[36]*float32, off int, dst *float32, plane, n16 int)
//
//	AX  px    DX  byte offset from the pixels    DI  dst, 64 bytes a turn
//	CX  groups of 16 channels left    R15 scratch, 36 lines
//	R8-R13 the pixels of a column; then R9 plane, R10 R11 planes 0 and 3 of a
//	row of six, R12 six planes
TEXT ·winoInAVX2(SB), 0, $2368-40
	MOVQ px+0(FP), AX
	MOVQ off+8(FP), DX
	MOVQ dst+16(FP), DI
	MOVQ n16+32(FP), CX
	VBROADCASTSS ·winoConst+0(SB), Y11
	VBROADCASTSS ·winoConst+4(SB), Y10
	VBROADCASTSS ·winoConst+8(SB), Y15
	VBROADCASTSS ·winoConst+12(SB), Y14
	VBROADCASTSS ·winoConst+16(SB), Y13
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

// One dimension of the output transform. In: Y0-Y5. Out: Y0 Y1 Y2 Y5.
// Y10 b, Y11 a, Y12 b3, Y13 a3, Y14 b2, Y15 a2.
#define OUT1D \
	VADDPS      Y1, Y2, Y6    \
	VSUBPS      Y2, Y1, Y7    \
	VADDPS      Y3, Y4, Y8    \
	VSUBPS      Y4, Y3, Y9    \
	VADDPS      Y6, Y0, Y0    \
	VADDPS      Y8, Y0, Y0    \
	VMULPS      Y7, Y11, Y1   \
	VFMADD231PS Y9, Y10, Y1   \
	VMULPS      Y6, Y15, Y2   \
	VFMADD231PS Y8, Y14, Y2   \
	VFMADD231PS Y7, Y13, Y5   \
	VFMADD231PS Y9, Y12, Y5

#define OUTCOL(j) \
	VMOVUPS (R10), Y0             \
	VMOVUPS (R10)(R12*1), Y1      \
	VMOVUPS (R10)(R12*2), Y2      \
	VMOVUPS (R11), Y3             \
	VMOVUPS (R11)(R12*1), Y4      \
	VMOVUPS (R11)(R12*2), Y5      \
	OUT1D                         \
	VMOVAPS Y0, (j*32)(R15)       \
	VMOVAPS Y1, (192+j*32)(R15)   \
	VMOVAPS Y2, (384+j*32)(R15)   \
	VMOVAPS Y5, (576+j*32)(R15)   \
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
	VMOVAPS (i*192)(R15), Y0      \
	VMOVAPS (i*192+32)(R15), Y1   \
	VMOVAPS (i*192+64)(R15), Y2   \
	VMOVAPS (i*192+96)(R15), Y3   \
	VMOVAPS (i*192+128)(R15), Y4  \
	VMOVAPS (i*192+160)(R15), Y5  \
	OUT1D

// Pixel p: add the bias, ReLU (NaN passes: the value is the second source),
// store, and note the sign.
#define FORWARD(p, v) \
	VADDPS    Y6, v, v               \
	VMAXPS    v, Y7, v               \
	MOVQ      (p*8)(AX), R8          \
	VMOVUPS   v, (R8)(DX*1)          \
	VCMPPS    $30, Y7, v, Y8         \
	VMOVMSKPS Y8, DI                 \
	MOVQ      (128+p*8)(AX), R8      \
	MOVB      DI, (R8)(R13*1)

#define FORWARDROW(i) \
	OUTLD(i)              \
	VMOVUPS (BX), Y6      \
	VXORPS  Y7, Y7, Y7    \
	FORWARD((i*4), Y0)    \
	FORWARD((i*4+1), Y1)  \
	FORWARD((i*4+2), Y2)  \
	FORWARD((i*4+3), Y5)

// The prologue and the walk that both output routines share:
//
//	AX  the tile's pointers: 16 pixels, 16 rows of sign bits
//	SI  src, 32 bytes a turn    R9  plane    R12 six planes
//	DX  byte offset from the pixels    R13 from the bits
//	CX  groups of 8 channels left    R15 scratch, 24 half lines
//	R10 R11 walk the planes; R8 the pointer in use
#define OUTSTART \
	VBROADCASTSS ·winoConst+0(SB), Y11    \
	VBROADCASTSS ·winoConst+4(SB), Y10    \
	VBROADCASTSS ·winoConst+8(SB), Y15    \
	VBROADCASTSS ·winoConst+12(SB), Y14   \
	VBROADCASTSS ·winoConst+20(SB), Y13   \
	VBROADCASTSS ·winoConst+24(SB), Y12   \
	LEAQ (R9)(R9*2), R12                  \
	ADDQ R12, R12                         \
	LEAQ 63(SP), R15                      \
	ANDQ $~63, R15

// func winoOutAVX2(src *float32, plane int, tile *Tile, off, bits, n8 int, bias *float32)
//
// BX walks the bias; DI passes the sign bits.
TEXT ·winoOutAVX2(SB), 0, $832-56
	MOVQ src+0(FP), SI
	MOVQ plane+8(FP), R9
	MOVQ tile+16(FP), AX
	MOVQ off+24(FP), DX
	MOVQ bits+32(FP), R13
	MOVQ n8+40(FP), CX
	OUTSTART
	MOVQ bias+48(FP), BX

outloop:
	OUTCOLS
	FORWARDROW(0)
	FORWARDROW(1)
	FORWARDROW(2)
	FORWARDROW(3)
	ADDQ $32, SI
	ADDQ $32, BX
	ADDQ $32, DX
	INCQ R13
	DECQ CX
	JNZ  outloop
	VZEROUPPER
	RET

// bitOf selects bit c of a byte in lane c.
DATA bitOf<>+0(SB)/4, $1
DATA bitOf<>+4(SB)/4, $2
DATA bitOf<>+8(SB)/4, $4
DATA bitOf<>+12(SB)/4, $8
DATA bitOf<>+16(SB)/4, $16
DATA bitOf<>+20(SB)/4, $32
DATA bitOf<>+24(SB)/4, $64
DATA bitOf<>+28(SB)/4, $128
GLOBL bitOf<>(SB), RODATA, $32

// Pixel p: add what is there under the mask at 768(R15), keep the lanes whose
// bit is set (Y7: all), store.
#define BACKWARD(p, v) \
	MOVQ         (128+p*8)(AX), R8     \
	VPBROADCASTB (R8)(R13*1), Y6       \
	VPAND        bitOf<>(SB), Y6, Y6   \
	VPCMPEQD     bitOf<>(SB), Y6, Y6   \
	VORPS        Y7, Y6, Y6            \
	MOVQ         (p*8)(AX), R8         \
	VMOVUPS      (R8)(DX*1), Y8        \
	VANDPS       768(R15), Y8, Y8      \
	VADDPS       Y8, v, v              \
	VANDPS       Y6, v, v              \
	VMOVUPS      v, (R8)(DX*1)

#define BACKWARDROW(i) \
	OUTLD(i)               \
	VMOVAPS 800(R15), Y7   \
	BACKWARD((i*4), Y0)    \
	BACKWARD((i*4+1), Y1)  \
	BACKWARD((i*4+2), Y2)  \
	BACKWARD((i*4+3), Y5)

// func winoBackAVX2(src *float32, plane int, tile *Tile, off, bits, n8 int, add, gate int)
//
// 768(R15) is all ones to add to the pixels, 800(R15) and Y7 all ones to
// ignore the bits.
TEXT ·winoBackAVX2(SB), 0, $896-64
	MOVQ src+0(FP), SI
	MOVQ plane+8(FP), R9
	MOVQ tile+16(FP), AX
	MOVQ off+24(FP), DX
	MOVQ bits+32(FP), R13
	MOVQ n8+40(FP), CX
	OUTSTART
	MOVQ  add+48(FP), BX
	NEGQ  BX
	VMOVQ BX, X6
	VPBROADCASTD X6, Y6
	VMOVAPS Y6, 768(R15)
	MOVQ  gate+56(FP), BX
	DECQ  BX
	VMOVQ BX, X6
	VPBROADCASTD X6, Y6
	VMOVAPS Y6, 800(R15)

backloop:
	OUTCOLS
	BACKWARDROW(0)
	BACKWARDROW(1)
	BACKWARDROW(2)
	BACKWARDROW(3)
	ADDQ $32, SI
	ADDQ $32, DX
	INCQ R13
	DECQ CX
	JNZ  backloop
	VZEROUPPER
	RET

// One dimension of the filter transform of Y0 Y1 Y2. Out: Y0 Y4 Y5 Y6 Y7 Y2.
// Y14 na, Y13 na*a2, Y12 na*a, Y11 nb, Y10 nb*b2, Y9 nb*b; the first weight is 1.
#define G1D \
	VMULPS      Y0, Y14, Y4   \
	VFMADD231PS Y2, Y13, Y4   \
	VMULPS      Y1, Y12, Y8   \
	VSUBPS      Y8, Y4, Y5    \
	VADDPS      Y8, Y4, Y4    \
	VMULPS      Y0, Y11, Y6   \
	VFMADD231PS Y2, Y10, Y6   \
	VMULPS      Y1, Y9, Y8    \
	VSUBPS      Y8, Y6, Y7    \
	VADDPS      Y8, Y6, Y6

// Tap column j of one row point: weights Y3 Y8 Y15 of taps 0, 1 and 2.
#define GCOL(j, o, t) \
	VMULPS      (j*64+o)(SI), Y3, t       \
	VFMADD231PS (192+j*64+o)(SI), Y8, t   \
	VFMADD231PS (384+j*64+o)(SI), Y15, t

#define GHALF(o) \
	VBROADCASTSS 4(AX), Y8      \
	GCOL(0, o, Y0)              \
	GCOL(1, o, Y1)              \
	GCOL(2, o, Y2)              \
	G1D                         \
	VMOVUPS Y0, o(DI)           \
	VMOVUPS Y4, o(DI)(R9*1)     \
	VMOVUPS Y5, o(DI)(R9*2)     \
	VMOVUPS Y6, o(R11)          \
	VMOVUPS Y7, o(R11)(R9*1)    \
	VMOVUPS Y2, o(R11)(R9*2)

// func winoFilterAVX2(src, dst *float32, plane, n int, row *[3]float32)
//
//	SI  src, 9 rows of 16 outputs a turn    DI  dst, a row of 16 a turn
//	CX  input channels left    R9  plane    R11 DI + 3 planes    AX  row
TEXT ·winoFilterAVX2(SB), NOSPLIT, $0-40
	MOVQ src+0(FP), SI
	MOVQ dst+8(FP), DI
	MOVQ plane+16(FP), R9
	MOVQ n+24(FP), CX
	MOVQ row+32(FP), AX
	VBROADCASTSS (AX), Y3
	VBROADCASTSS 8(AX), Y15
	VBROADCASTSS ·winoConst+28(SB), Y14
	VBROADCASTSS ·winoConst+32(SB), Y13
	VBROADCASTSS ·winoConst+36(SB), Y12
	VBROADCASTSS ·winoConst+40(SB), Y11
	VBROADCASTSS ·winoConst+44(SB), Y10
	VBROADCASTSS ·winoConst+48(SB), Y9
	LEAQ (R9)(R9*2), R11
	ADDQ DI, R11

filterloop:
	GHALF(0)
	GHALF(32)
	ADDQ $576, SI
	ADDQ $64, DI
	ADDQ $64, R11
	DECQ CX
	JNZ  filterloop
	VZEROUPPER
	RET
