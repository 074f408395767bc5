#include "textflag.h"
#include "neon_arm64.h"

// Pooling of finished tiles and its inverse, ReLU, on 8 or 16 channels a turn. The
// layouts are in tile.go: in a Tile, pixels lie at 0, pooled values at 256, low winner
// bits at 288, high at 320; in an Unpool, gradients at 0, signs at 288, low bits at
// 576, high at 864, factors at 1152.

#define LOAD8(p, f, g) \
	MOVD  (p*8)(R0), R8 \
	ADD   R1, R8        \
	FMOVQ (R8), f       \
	FMOVQ 16(R8), g

// Where e beats the running maximum v or is NaN, in k; then v.
#define BEATS(v, e, k) \
	FCMGT(k, e, v)  \
	FCMEQ(16, e, e) \
	ORNV(k, k, 16)   \
	BITV(v, e, k)

// Low and high bit of the winner's place from its masks k1 k2 k3, in k1 and k2.
#define PLACE(k1, k2, k3) \
	BICV(k1, k1, k2) \
	ORRV(k1, k1, k3) \
	ORRV(k2, k2, k3)

// The 8 bits of the masks lo and hi, to byte R4 of the row that the tile has at o.
#define BITS(lo, hi, o) \
	UZP8(16, lo, hi)   \
	ANDV(16, 16, 22)    \
	ADDV8(16, 16)      \
	FMOVS F16, R9      \
	MOVD  (o)(R0), R8  \
	MOVB  R9, (R8)(R4)

#define WINDOW(w, p0, p1, p2, p3) \
	LOAD8(p0, F0, F1)         \
	LOAD8(p1, F2, F3)         \
	LOAD8(p2, F4, F5)         \
	LOAD8(p3, F6, F7)         \
	BEATS(0, 2, 8)            \
	BEATS(1, 3, 9)            \
	BEATS(0, 4, 10)           \
	BEATS(1, 5, 11)           \
	BEATS(0, 6, 12)           \
	BEATS(1, 7, 13)           \
	PLACE(8, 10, 12)          \
	PLACE(9, 11, 13)          \
	FMUL(0, 0, 23)            \
	FMUL(1, 1, 23)            \
	MOVD  (256+w*8)(R0), R8   \
	ADD   R3, R8              \
	FMOVQ F0, (R8)            \
	FMOVQ F1, 16(R8)          \
	BITS(8, 9, (288+w*8))     \
	BITS(10, 11, (320+w*8))

// func poolMaxNEON(t *Tile, off, pool, bits, n8 int, scale float32)
//
//	R0  tile    R1 R3 R4  byte offsets from the pixels, the pooled values, the bits
//	R5  groups of 8 channels left    R8 pointer in use, R9 bits    V23 scale
//	V0 V1  running maximum, V2-V7 the other pixels; V8-V13 who beat it
TEXT ·poolMaxNEON(SB), NOSPLIT, $0-44
	MOVD  t+0(FP), R0
	MOVD  off+8(FP), R1
	MOVD  pool+16(FP), R3
	MOVD  bits+24(FP), R4
	MOVD  n8+32(FP), R5
	FMOVS scale+40(FP), F23
	VDUP  V23.S[0], V23.S4
	MOVD  $·laneBits(SB), R8
	FMOVQ (R8), F22

maxloop:
	WINDOW(0, 0, 1, 4, 5)
	WINDOW(1, 2, 3, 6, 7)
	WINDOW(2, 8, 9, 12, 13)
	WINDOW(3, 10, 11, 14, 15)
	ADD  $32, R1
	ADD  $32, R3
	ADD  $1, R4
	SUBS $1, R5
	BNE  maxloop
	RET

#define MEAN(w, p0, p1, p2, p3) \
	LOAD8(p0, F0, F1)       \
	LOAD8(p1, F2, F3)       \
	LOAD8(p2, F4, F5)       \
	LOAD8(p3, F6, F7)       \
	FADD(0, 0, 2)           \
	FADD(1, 1, 3)           \
	FADD(4, 4, 6)           \
	FADD(5, 5, 7)           \
	FADD(0, 0, 4)           \
	FADD(1, 1, 5)           \
	FMUL(0, 0, 23)          \
	FMUL(1, 1, 23)          \
	MOVD  (256+w*8)(R0), R8 \
	ADD   R3, R8            \
	FMOVQ F0, (R8)          \
	FMOVQ F1, 16(R8)

// func poolAvgNEON(t *Tile, off, pool, n8 int, scale float32)
//
// The registers are poolMaxNEON's; scale is already divided by 4.
TEXT ·poolAvgNEON(SB), NOSPLIT, $0-36
	MOVD  t+0(FP), R0
	MOVD  off+8(FP), R1
	MOVD  pool+16(FP), R3
	MOVD  n8+24(FP), R5
	FMOVS scale+32(FP), F23
	VDUP  V23.S[0], V23.S4

avgloop:
	MEAN(0, 0, 1, 4, 5)
	MEAN(1, 2, 3, 6, 7)
	MEAN(2, 8, 9, 12, 13)
	MEAN(3, 10, 11, 14, 15)
	ADD  $32, R1
	ADD  $32, R3
	SUBS $1, R5
	BNE  avgloop
	RET

// Channels o/4 on of a pixel, 4 of the 8 whose masks are in m, by half.
#define SPREAD4(half, m, o) \
	half(5, m)               \
	FMOVQ (o)(R9), F6        \
	FMUL(6, 6, 4)            \
	ANDV(6, 6, 5)             \
	FMOVQ F6, (o)(R1)

// Pixel i of 16 channels, which gets its window's gradient where its sign bit is set
// and the winner's bits, flipped or not, are those of its place.
#define SPREAD(i, lo, hi) \
	MOVD  (576+i*8)(R0), R8     \
	MOVHU (R8)(R4), R9          \
	MOVD  (864+i*8)(R0), R8     \
	MOVHU (R8)(R4), R10         \
	EOR   lo, R9                \
	EOR   hi, R10               \
	AND   R10, R9               \
	ORR   R5, R9                \
	MOVD  (288+i*8)(R0), R8     \
	MOVHU (R8)(R3), R10         \
	AND   R10, R9               \
	VDUP  R9, V0.H8             \
	ANDV(1, 0, 22)               \
	CMEQ8(1, 1, 22)             \
	ANDV(2, 0, 23)               \
	CMEQ8(2, 2, 23)             \
	FMOVS (1152+i*4)(R0), F4    \
	VDUP  V4.S[0], V4.S4        \
	MOVD  (i*8)(R0), R9         \
	ADD   R2, R9                \
	SPREAD4(LOW8, 1, 0)         \
	SPREAD4(HIGH8, 1, 16)       \
	SPREAD4(LOW8, 2, 32)        \
	SPREAD4(HIGH8, 2, 48)       \
	ADD   $64, R1

// A row of the patch whose pixels have high bit 1 (its first, third, fifth) or 0.
#define SPREADROW(i, hi) \
	SPREAD((i+0), R11, hi)  \
	SPREAD((i+1), R12, hi)  \
	SPREAD((i+2), R11, hi)  \
	SPREAD((i+3), R12, hi)  \
	SPREAD((i+4), R11, hi)  \
	SPREAD((i+5), R12, hi)

// func unpoolNEON(dst *float32, u *Unpool, dy, sign, arg, avg int)
//
//	R0  u    R1  dst, a line a pixel    R2 R3 R4  byte offsets of gradient, signs, winners
//	R5  all ones for average pooling, where all win    R9 the pixel's gradient
//	R11 R12  zero and 16 ones, to flip bits with    V22 V23 the bit of each lane
TEXT ·unpoolNEON(SB), NOSPLIT, $0-48
	MOVD  dst+0(FP), R1
	MOVD  u+8(FP), R0
	MOVD  dy+16(FP), R2
	MOVD  sign+24(FP), R3
	MOVD  arg+32(FP), R4
	MOVD  avg+40(FP), R5
	NEG   R5, R5
	MOVD  $0, R11
	MOVD  $0xffff, R12
	MOVD  $·laneBits(SB), R8
	FMOVQ (R8), F22
	FMOVQ 16(R8), F23
	SPREADROW(0, R11)
	SPREADROW(6, R12)
	SPREADROW(12, R11)
	SPREADROW(18, R12)
	SPREADROW(24, R11)
	SPREADROW(30, R12)
	RET

#define RECTIFY(v, k) \
	FCMLT0(k, v) \
	BICV(v, v, k)

// func reluNEON(x *float32, sign *byte, n16 int)
//
//	R0  x, 64 bytes a turn    R1  sign or nil, 2 bytes a turn    R2  turns left
//	V0-V3  the values    V4-V7  which are positive    V22  the bit of each byte
TEXT ·reluNEON(SB), NOSPLIT, $0-24
	MOVD  x+0(FP), R0
	MOVD  sign+8(FP), R1
	MOVD  n16+16(FP), R2
	MOVD  $·laneBits(SB), R8
	FMOVQ 32(R8), F22

reluloop:
	VLD1  (R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	RECTIFY(0, 4)
	RECTIFY(1, 5)
	RECTIFY(2, 6)
	RECTIFY(3, 7)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	CBZ   R1, relunext
	FCMGT0(4, 0)
	FCMGT0(5, 1)
	FCMGT0(6, 2)
	FCMGT0(7, 3)
	UZP8(4, 4, 5)
	UZP8(6, 6, 7)
	UZP16(4, 4, 6)
	ANDV(4, 4, 22)
	ADDP16(4, 4)
	ADDP16(4, 4)
	ADDP16(4, 4)
	FMOVS F4, R9
	MOVH  R9, (R1)
	ADD   $2, R1

relunext:
	SUBS $1, R2
	BNE  reluloop
	RET
