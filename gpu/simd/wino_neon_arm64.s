#include "textflag.h"
#include "neon_arm64.h"

// Winograd F(4x4, 3x3) with interpolation points 0, a, -a, b, -b, infinity for
// a = sqrt(2), b = 1/a, on 4 channels a register. The formulas and the layouts
// are in wino_generic.go, the constants in ·winoConst.

// Constant i of ·winoConst in all lanes; R14 points at the first.
#define CONST(i, f, v) \
	FMOVS (i*4)(R14), f \
	VDUP  v.S[0], v.S4

// One dimension of the input transform. In: V0-V5. Out: V6 V0 V7 V1 V4 V5 in the
// order of the points. V16 a, V17 b, V18 a2, V19 b2, V20 a2+b2.
#define IN1D \
	FADD(6, 0, 4)   \
	FMLS(6, 2, 20)  \
	FADD(5, 1, 5)   \
	FMLS(5, 3, 20)  \
	MOVV(7, 4)      \
	FMLS(7, 2, 19)  \
	MOVV(8, 3)      \
	FMLS(8, 1, 19)  \
	FMLS(4, 2, 18)  \
	FMLS(3, 1, 18)  \
	MOVV(0, 7)      \
	FMLA(0, 8, 16)  \
	FMLS(7, 8, 16)  \
	MOVV(1, 4)      \
	FMLA(1, 3, 17)  \
	FMLS(4, 3, 17)

#define PIXEL(i, f) \
	MOVD  (i*8)(R0), R8 \
	ADD   R1, R8        \
	FMOVQ (R8), f

// Column j of the patch, transformed down the column into the scratch.
#define INCOL(j) \
	PIXEL(j, F0)              \
	PIXEL((6+j), F1)          \
	PIXEL((12+j), F2)         \
	PIXEL((18+j), F3)         \
	PIXEL((24+j), F4)         \
	PIXEL((30+j), F5)         \
	IN1D                      \
	FMOVQ F6, (j*16)(R15)     \
	FMOVQ F0, (96+j*16)(R15)  \
	FMOVQ F7, (192+j*16)(R15) \
	FMOVQ F1, (288+j*16)(R15) \
	FMOVQ F4, (384+j*16)(R15) \
	FMOVQ F5, (480+j*16)(R15)

#define PUT(f) \
	FMOVQ f, (R10) \
	ADD   R3, R10

// Row i of the scratch, transformed along the row into six planes.
#define INROW(i) \
	FMOVQ (i*96)(R15), F0    \
	FMOVQ (i*96+16)(R15), F1 \
	FMOVQ (i*96+32)(R15), F2 \
	FMOVQ (i*96+48)(R15), F3 \
	FMOVQ (i*96+64)(R15), F4 \
	FMOVQ (i*96+80)(R15), F5 \
	IN1D                     \
	PUT(F6)                  \
	PUT(F0)                  \
	PUT(F7)                  \
	PUT(F1)                  \
	PUT(F4)                  \
	PUT(F5)

// func winoInNEON(px *[36]*float32, off int, dst *float32, plane, n4 int)
//
//	R0  px    R1  byte offset from the pixels    R2  dst, 16 bytes a turn
//	R3  plane    R4  groups of 4 channels left    R10  walks the planes
//	R15  scratch, 36 registers    R8 pointer in use
TEXT ·winoInNEON(SB), 0, $608-40
	MOVD px+0(FP), R0
	MOVD off+8(FP), R1
	MOVD dst+16(FP), R2
	MOVD plane+24(FP), R3
	MOVD n4+32(FP), R4
	MOVD $·winoConst(SB), R14
	CONST(0, F16, V16)
	CONST(1, F17, V17)
	CONST(2, F18, V18)
	CONST(3, F19, V19)
	CONST(4, F20, V20)
	MOVD RSP, R15
	ADD  $16, R15

inloop:
	INCOL(0)
	INCOL(1)
	INCOL(2)
	INCOL(3)
	INCOL(4)
	INCOL(5)
	MOVD R2, R10
	INROW(0)
	INROW(1)
	INROW(2)
	INROW(3)
	INROW(4)
	INROW(5)
	ADD  $16, R1
	ADD  $16, R2
	SUBS $1, R4
	BNE  inloop
	RET

// One dimension of the output transform. In: V0-V5. Out: V0 V1 V2 V5.
// V16 a, V17 b, V18 a2, V19 b2, V20 a3, V21 b3.
#define OUT1D \
	FADD(6, 1, 2)   \
	FSUB(7, 1, 2)   \
	FADD(8, 3, 4)   \
	FSUB(9, 3, 4)   \
	FADD(0, 0, 6)   \
	FADD(0, 0, 8)   \
	FMUL(1, 7, 16)  \
	FMLA(1, 9, 17)  \
	FMUL(2, 6, 18)  \
	FMLA(2, 8, 19)  \
	FMLA(5, 7, 20)  \
	FMLA(5, 9, 21)

#define GET(f) \
	FMOVQ (R10), f \
	ADD   R12, R10

// Column j of the planes, transformed into the scratch at o. R10 walks down the
// column, six planes a step, and ends a plane on.
#define OUTCOL(j, o) \
	GET(F0)                       \
	GET(F1)                       \
	GET(F2)                       \
	GET(F3)                       \
	GET(F4)                       \
	GET(F5)                       \
	SUB   R13, R10                \
	OUT1D                         \
	FMOVQ F0, (o+j*16)(R15)       \
	FMOVQ F1, (o+96+j*16)(R15)    \
	FMOVQ F2, (o+192+j*16)(R15)   \
	FMOVQ F5, (o+288+j*16)(R15)

#define OUTCOLS(o) \
	OUTCOL(0, o) \
	OUTCOL(1, o) \
	OUTCOL(2, o) \
	OUTCOL(3, o) \
	OUTCOL(4, o) \
	OUTCOL(5, o)

// Row i of the scratch at o.
#define OUTROW(i, o) \
	FMOVQ (o+i*96)(R15), F0    \
	FMOVQ (o+i*96+16)(R15), F1 \
	FMOVQ (o+i*96+32)(R15), F2 \
	FMOVQ (o+i*96+48)(R15), F3 \
	FMOVQ (o+i*96+64)(R15), F4 \
	FMOVQ (o+i*96+80)(R15), F5 \
	OUT1D

// Pixels of row i for 8 channels: V0 V1 V2 V5, and V10-V13 the lower four.
#define OUTROW8(i) \
	OUTROW(i, 0)  \
	MOVV(10, 0)   \
	MOVV(11, 1)   \
	MOVV(12, 2)   \
	MOVV(13, 5)   \
	OUTROW(i, 384)

// The prologue that both output routines share:
//
//	R0  src, 32 bytes a turn    R3  plane    R12  six planes    R13  36 planes less one
//	R2  the tile's pointers: 16 pixels, 16 rows of sign bits
//	R1  byte offset from the pixels    R5  from the bits    R4  groups of 8 left
//	R15 scratch, two of 24 registers    R10 walks the planes    R8 pointer in use
//	V22 the bit of each of 8 lanes
#define OUTSTART \
	MOVD $·winoConst(SB), R14  \
	CONST(0, F16, V16)         \
	CONST(1, F17, V17)         \
	CONST(2, F18, V18)         \
	CONST(3, F19, V19)         \
	CONST(5, F20, V20)         \
	CONST(6, F21, V21)         \
	MOVD $·laneBits(SB), R14   \
	FMOVQ (R14), F22           \
	ADD  R3<<1, R3, R12        \
	LSL  $1, R12               \
	ADD  R12<<1, R12, R13      \
	LSL  $1, R13               \
	SUB  R3, R13               \
	MOVD RSP, R15              \
	ADD  $16, R15

#define OUTCOLS8 \
	MOVD R0, R10     \
	OUTCOLS(0)       \
	ADD  $16, R0, R10 \
	OUTCOLS(384)

// Pixel p, lower channels in lo and upper in hi: add the bias, ReLU (NaN passes),
// store, and note the sign.
#define FORWARD(p, lo, hi, flo, fhi) \
	FADD(lo, lo, 14)         \
	FADD(hi, hi, 15)         \
	FCMLT0(6, lo)            \
	FCMLT0(7, hi)            \
	BICV(lo, lo, 6)           \
	BICV(hi, hi, 7)           \
	MOVD  (p*8)(R2), R8      \
	ADD   R1, R8             \
	FMOVQ flo, (R8)          \
	FMOVQ fhi, 16(R8)        \
	FCMGT0(6, lo)            \
	FCMGT0(7, hi)            \
	UZP8(6, 6, 7)            \
	ANDV(6, 6, 22)            \
	ADDV8(6, 6)              \
	FMOVS F6, R9             \
	MOVD  (128+p*8)(R2), R8  \
	MOVB  R9, (R8)(R5)

#define FORWARDROW(i) \
	OUTROW8(i)                           \
	FORWARD((i*4), 10, 0, F10, F0)       \
	FORWARD((i*4+1), 11, 1, F11, F1)     \
	FORWARD((i*4+2), 12, 2, F12, F2)     \
	FORWARD((i*4+3), 13, 5, F13, F5)

// func winoOutNEON(src *float32, plane int, tile *Tile, off, bits, n8 int, bias *float32)
//
// R6 walks the bias; V14 V15 hold eight of it.
TEXT ·winoOutNEON(SB), 0, $800-56
	MOVD src+0(FP), R0
	MOVD plane+8(FP), R3
	MOVD tile+16(FP), R2
	MOVD off+24(FP), R1
	MOVD bits+32(FP), R5
	MOVD n8+40(FP), R4
	OUTSTART
	MOVD bias+48(FP), R6

outloop:
	OUTCOLS8
	FMOVQ (R6), F14
	FMOVQ 16(R6), F15
	FORWARDROW(0)
	FORWARDROW(1)
	FORWARDROW(2)
	FORWARDROW(3)
	ADD  $32, R0
	ADD  $32, R1
	ADD  $32, R6
	ADD  $1, R5
	SUBS $1, R4
	BNE  outloop
	RET

// Pixel p: add what is there under the mask V24, keep the lanes whose bit is set
// (V25: all), store.
#define BACKWARD(p, lo, hi, flo, fhi) \
	MOVD  (128+p*8)(R2), R8  \
	MOVBU (R8)(R5), R9       \
	VDUP  R9, V6.H8          \
	ANDV(6, 6, 22)            \
	CMEQ8(6, 6, 22)          \
	ORRV(6, 6, 25)            \
	HIGH8(7, 6)              \
	LOW8(6, 6)               \
	MOVD  (p*8)(R2), R8      \
	ADD   R1, R8             \
	FMOVQ (R8), F8           \
	FMOVQ 16(R8), F9         \
	ANDV(8, 8, 24)            \
	ANDV(9, 9, 24)            \
	FADD(lo, lo, 8)          \
	FADD(hi, hi, 9)          \
	ANDV(lo, lo, 6)           \
	ANDV(hi, hi, 7)           \
	FMOVQ flo, (R8)          \
	FMOVQ fhi, 16(R8)

#define BACKWARDROW(i) \
	OUTROW8(i)                            \
	BACKWARD((i*4), 10, 0, F10, F0)       \
	BACKWARD((i*4+1), 11, 1, F11, F1)     \
	BACKWARD((i*4+2), 12, 2, F12, F2)     \
	BACKWARD((i*4+3), 13, 5, F13, F5)

// func winoBackNEON(src *float32, plane int, tile *Tile, off, bits, n8 int, add, gate int)
//
// V24 is all ones to add to the pixels, V25 all ones to ignore the bits.
TEXT ·winoBackNEON(SB), 0, $800-64
	MOVD src+0(FP), R0
	MOVD plane+8(FP), R3
	MOVD tile+16(FP), R2
	MOVD off+24(FP), R1
	MOVD bits+32(FP), R5
	MOVD n8+40(FP), R4
	OUTSTART
	MOVD add+48(FP), R6
	NEG  R6, R6
	VDUP R6, V24.D2
	MOVD gate+56(FP), R6
	SUB  $1, R6
	VDUP R6, V25.D2

backloop:
	OUTCOLS8
	BACKWARDROW(0)
	BACKWARDROW(1)
	BACKWARDROW(2)
	BACKWARDROW(3)
	ADD  $32, R0
	ADD  $32, R1
	ADD  $1, R5
	SUBS $1, R4
	BNE  backloop
	RET

// One dimension of the filter transform of V0 V1 V2. Out: V0 V4 V5 V6 V7 V2.
// V16 na, V17 na*a2, V18 na*a, V19 nb, V20 nb*b2, V21 nb*b; the first weight is 1.
#define G1D \
	FMUL(4, 2, 17)  \
	FMLA(4, 0, 16)  \
	MOVV(5, 4)      \
	FMLA(4, 1, 18)  \
	FMLS(5, 1, 18)  \
	FMUL(6, 2, 20)  \
	FMLA(6, 0, 19)  \
	MOVV(7, 6)      \
	FMLA(6, 1, 21)  \
	FMLS(7, 1, 21)

// Tap column j of one row point: weights V24 V25 V26 of taps 0, 1 and 2.
#define GCOL(j, o, t) \
	FMOVQ (j*64+o)(R0), F9       \
	FMUL(t, 9, 24)               \
	FMOVQ (192+j*64+o)(R0), F10  \
	FMLA(t, 10, 25)              \
	FMOVQ (384+j*64+o)(R0), F11  \
	FMLA(t, 11, 26)

#define GPUT(f) \
	FMOVQ f, (R10) \
	ADD   R2, R10

#define GQUARTER(o) \
	GCOL(0, o, 0)        \
	GCOL(1, o, 1)        \
	GCOL(2, o, 2)        \
	G1D                  \
	ADD $o, R1, R10      \
	GPUT(F0)             \
	GPUT(F4)             \
	GPUT(F5)             \
	GPUT(F6)             \
	GPUT(F7)             \
	GPUT(F2)

// func winoFilterNEON(src, dst *float32, plane, n int, row *[3]float32)
//
//	R0  src, 9 rows of 16 outputs a turn    R1  dst, a row of 16 a turn
//	R2  plane    R3  input channels left    R10  walks the planes
TEXT ·winoFilterNEON(SB), NOSPLIT, $0-40
	MOVD src+0(FP), R0
	MOVD dst+8(FP), R1
	MOVD plane+16(FP), R2
	MOVD n+24(FP), R3
	MOVD row+32(FP), R14
	CONST(0, F24, V24)
	CONST(1, F25, V25)
	CONST(2, F26, V26)
	MOVD $·winoConst(SB), R14
	CONST(7, F16, V16)
	CONST(8, F17, V17)
	CONST(9, F18, V18)
	CONST(10, F19, V19)
	CONST(11, F20, V20)
	CONST(12, F21, V21)

filterloop:
	GQUARTER(0)
	GQUARTER(16)
	GQUARTER(32)
	GQUARTER(48)
	ADD  $576, R0
	ADD  $64, R1
	SUBS $1, R3
	BNE  filterloop
	RET
