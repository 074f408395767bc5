#include "textflag.h"

// Pooling of finished tiles and its inverse, on 16 channels a register. The
// layouts are in tile.go: in a Tile, pixels lie at 0, pooled values at 256,
// low winner bits at 288, high at 320; in an Unpool, gradients at 0, signs at
// 288, low bits at 576, high at 864, factors at 1152.

#define PIXELS(p0, p1, p2, p3) \
	MOVQ (p0*8)(AX), R8     \
	MOVQ (p1*8)(AX), R9     \
	MOVQ (p2*8)(AX), R10    \
	MOVQ (p3*8)(AX), R11    \
	VMOVUPS (R8)(DX*1), Z0  \
	VMOVUPS (R9)(DX*1), Z1  \
	VMOVUPS (R10)(DX*1), Z2 \
	VMOVUPS (R11)(DX*1), Z3

// K of the lanes where e beats the running maximum Z0 or is NaN; then Z0.
#define BEATS(e, k) \
	VCMPPS  $30, Z0, e, k \
	VCMPPS  $3, e, e, K5  \
	KORW    K5, k, k      \
	VMOVAPS e, k, Z0

#define WINDOW(w, p0, p1, p2, p3) \
	PIXELS(p0, p1, p2, p3)    \
	BEATS(Z1, K1)             \
	BEATS(Z2, K2)             \
	BEATS(Z3, K3)             \
	KANDNW  K1, K2, K1        \
	KORW    K3, K1, K1        \
	KORW    K3, K2, K2        \
	VMULPS  Z31, Z0, Z0       \
	MOVQ    (256+w*8)(AX), R8 \
	VMOVUPS Z0, (R8)(BX*1)    \
	MOVQ    (288+w*8)(AX), R8 \
	KMOVW   K1, (R8)(DI*1)    \
	MOVQ    (320+w*8)(AX), R8 \
	KMOVW   K2, (R8)(DI*1)

// func poolMaxAVX512(t *Tile, off, pool, bits, n16 int, scale float32)
//
//	AX  tile    DX BX DI  byte offsets from the pixels, the pooled values, the bits
//	CX  groups of 16 channels left    R8-R11 pointers in use    Z31 scale
//	Z0  running maximum, Z1-Z3 the other pixels; K1 low bit, K2 high bit
TEXT ·poolMaxAVX512(SB), NOSPLIT, $0-44
	MOVQ t+0(FP), AX
	MOVQ off+8(FP), DX
	MOVQ pool+16(FP), BX
	MOVQ bits+24(FP), DI
	MOVQ n16+32(FP), CX
	VBROADCASTSS scale+40(FP), Z31

maxloop:
	WINDOW(0, 0, 1, 4, 5)
	WINDOW(1, 2, 3, 6, 7)
	WINDOW(2, 8, 9, 12, 13)
	WINDOW(3, 10, 11, 14, 15)
	ADDQ $64, DX
	ADDQ $64, BX
	ADDQ $2, DI
	DECQ CX
	JNZ  maxloop
	VZEROUPPER
	RET

#define MEAN(w, p0, p1, p2, p3) \
	PIXELS(p0, p1, p2, p3)    \
	VADDPS  Z1, Z0, Z0        \
	VADDPS  Z3, Z2, Z2        \
	VADDPS  Z2, Z0, Z0        \
	VMULPS  Z31, Z0, Z0       \
	MOVQ    (256+w*8)(AX), R8 \
	VMOVUPS Z0, (R8)(BX*1)

// func poolAvgAVX512(t *Tile, off, pool, n16 int, scale float32)
//
// The registers are poolMaxAVX512's; scale is already divided by 4.
TEXT ·poolAvgAVX512(SB), NOSPLIT, $0-36
	MOVQ t+0(FP), AX
	MOVQ off+8(FP), DX
	MOVQ pool+16(FP), BX
	MOVQ n16+24(FP), CX
	VBROADCASTSS scale+32(FP), Z31

avgloop:
	MEAN(0, 0, 1, 4, 5)
	MEAN(1, 2, 3, 6, 7)
	MEAN(2, 8, 9, 12, 13)
	MEAN(3, 10, 11, 14, 15)
	ADDQ $64, DX
	ADDQ $64, BX
	DECQ CX
	JNZ  avgloop
	VZEROUPPER
	RET

// Pixel i, which gets its window's gradient where its sign bit is set and the
// winner's bits, flipped by K6 or not by K5, are those of its place.
#define SPREAD(i, flipLo, flipHi) \
	MOVQ  (288+i*8)(AX), R8             \
	KMOVW (R8)(SI*1), K1                \
	MOVQ  (576+i*8)(AX), R9             \
	KMOVW (R9)(BX*1), K2                \
	MOVQ  (864+i*8)(AX), R10            \
	KMOVW (R10)(BX*1), K3               \
	KXORW flipLo, K2, K2                \
	KXORW flipHi, K3, K3                \
	KANDW K2, K3, K3                    \
	KORW  K4, K3, K3                    \
	KANDW K3, K1, K1                    \
	MOVQ  (i*8)(AX), R11                \
	VBROADCASTSS (1152+i*4)(AX), Z1     \
	VMULPS.Z (R11)(DX*1), Z1, K1, Z0    \
	VMOVUPS Z0, (i*64)(DI)

// A row of the patch whose pixels have high bit 1 (its first, third, fifth) or 0.
#define SPREADROW(i, flipHi) \
	SPREAD((i+0), K5, flipHi) \
	SPREAD((i+1), K6, flipHi) \
	SPREAD((i+2), K5, flipHi) \
	SPREAD((i+3), K6, flipHi) \
	SPREAD((i+4), K5, flipHi) \
	SPREAD((i+5), K6, flipHi)

// func unpoolAVX512(dst *float32, u *Unpool, dy, sign, arg, avg int)
//
//	AX  u    DI  dst, a line a pixel    DX SI BX  byte offsets of gradient, signs, winners
//	K5  zero: the winner's bit must be set    K6  all ones: it must be clear
//	K4  all ones for average pooling, where all win; K1-K3 sign, low, high bits
TEXT ·unpoolAVX512(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ u+8(FP), AX
	MOVQ dy+16(FP), DX
	MOVQ sign+24(FP), SI
	MOVQ arg+32(FP), BX
	MOVQ avg+40(FP), CX
	NEGQ CX
	KMOVW CX, K4
	KXORW K5, K5, K5
	KXNORW K6, K6, K6
	SPREADROW(0, K5)
	SPREADROW(6, K6)
	SPREADROW(12, K5)
	SPREADROW(18, K6)
	SPREADROW(24, K5)
	SPREADROW(30, K6)
	VZEROUPPER
	RET
