#include "textflag.h"

// Pooling of finished tiles and its inverse, on 8 channels a register. The
// layouts are in tile.go: in a Tile, pixels lie at 0, pooled values at 256,
// low winner bits at 288, high at 320; in an Unpool, gradients at 0, signs at
// 288, low bits at 576, high at 864, factors at 1152.

#define PIXELS(p0, p1, p2, p3) \
	MOVQ (p0*8)(AX), R8     \
	MOVQ (p1*8)(AX), R9     \
	MOVQ (p2*8)(AX), R10    \
	MOVQ (p3*8)(AX), R11    \
	VMOVUPS (R8)(DX*1), Y0  \
	VMOVUPS (R9)(DX*1), Y1  \
	VMOVUPS (R10)(DX*1), Y2 \
	VMOVUPS (R11)(DX*1), Y3

// The lanes where e beats the running maximum Y0 or is NaN, in k; then Y0.
#define BEATS(e, k) \
	VCMPPS    $30, Y0, e, k \
	VCMPPS    $3, e, e, Y8  \
	VORPS     Y8, k, k      \
	VBLENDVPS k, e, Y0, Y0

#define WINDOW(w, p0, p1, p2, p3) \
	PIXELS(p0, p1, p2, p3)      \
	BEATS(Y1, Y5)               \
	BEATS(Y2, Y6)               \
	BEATS(Y3, Y7)               \
	VANDNPS   Y5, Y6, Y5        \
	VORPS     Y7, Y5, Y5        \
	VORPS     Y7, Y6, Y6        \
	VMULPS    Y15, Y0, Y0       \
	MOVQ      (256+w*8)(AX), R8 \
	VMOVUPS   Y0, (R8)(BX*1)    \
	MOVQ      (288+w*8)(AX), R8 \
	VMOVMSKPS Y5, R9            \
	MOVB      R9, (R8)(DI*1)    \
	MOVQ      (320+w*8)(AX), R8 \
	VMOVMSKPS Y6, R9            \
	MOVB      R9, (R8)(DI*1)

// func poolMaxAVX2(t *Tile, off, pool, bits, n8 int, scale float32)
//
//	AX  tile    DX BX DI  byte offsets from the pixels, the pooled values, the bits
//	CX  groups of 8 channels left    R8-R11 pointers in use, R9 bits    Y15 scale
//	Y0  running maximum, Y1-Y3 the other pixels; Y5 low bit, Y6 high bit
TEXT ·poolMaxAVX2(SB), NOSPLIT, $0-44
	MOVQ t+0(FP), AX
	MOVQ off+8(FP), DX
	MOVQ pool+16(FP), BX
	MOVQ bits+24(FP), DI
	MOVQ n8+32(FP), CX
	VBROADCASTSS scale+40(FP), Y15

maxloop:
	WINDOW(0, 0, 1, 4, 5)
	WINDOW(1, 2, 3, 6, 7)
	WINDOW(2, 8, 9, 12, 13)
	WINDOW(3, 10, 11, 14, 15)
	ADDQ $32, DX
	ADDQ $32, BX
	INCQ DI
	DECQ CX
	JNZ  maxloop
	VZEROUPPER
	RET

#define MEAN(w, p0, p1, p2, p3) \
	PIXELS(p0, p1, p2, p3)    \
	VADDPS  Y1, Y0, Y0        \
	VADDPS  Y3, Y2, Y2        \
	VADDPS  Y2, Y0, Y0        \
	VMULPS  Y15, Y0, Y0       \
	MOVQ    (256+w*8)(AX), R8 \
	VMOVUPS Y0, (R8)(BX*1)

// func poolAvgAVX2(t *Tile, off, pool, n8 int, scale float32)
//
// The registers are poolMaxAVX2's; scale is already divided by 4.
TEXT ·poolAvgAVX2(SB), NOSPLIT, $0-36
	MOVQ t+0(FP), AX
	MOVQ off+8(FP), DX
	MOVQ pool+16(FP), BX
	MOVQ n8+24(FP), CX
	VBROADCASTSS scale+32(FP), Y15

avgloop:
	MEAN(0, 0, 1, 4, 5)
	MEAN(1, 2, 3, 6, 7)
	MEAN(2, 8, 9, 12, 13)
	MEAN(3, 10, 11, 14, 15)
	ADDQ $32, DX
	ADDQ $32, BX
	DECQ CX
	JNZ  avgloop
	VZEROUPPER
	RET

// laneBit selects bit c of a byte in lane c.
DATA laneBit<>+0(SB)/4, $1
DATA laneBit<>+4(SB)/4, $2
DATA laneBit<>+8(SB)/4, $4
DATA laneBit<>+12(SB)/4, $8
DATA laneBit<>+16(SB)/4, $16
DATA laneBit<>+20(SB)/4, $32
DATA laneBit<>+24(SB)/4, $64
DATA laneBit<>+28(SB)/4, $128
GLOBL laneBit<>(SB), RODATA, $32

// Pixel i, channels o/4 on of 16, which gets its window's gradient where its
// sign bit is set and the winner's bits, flipped or not, are those of its
// place. The bits of 8 channels are combined in a byte of R8.
#define SPREADHALF(i, b, o, lo, hi) \
	MOVQ    (576+i*8)(AX), R9        \
	MOVBLZX b(R9)(BX*1), R9          \
	MOVQ    (864+i*8)(AX), R10       \
	MOVBLZX b(R10)(BX*1), R10        \
	XORL    lo, R9                   \
	XORL    hi, R10                  \
	ANDL    R10, R9                  \
	ORL     CX, R9                   \
	MOVQ    (288+i*8)(AX), R8        \
	MOVBLZX b(R8)(SI*1), R8          \
	ANDL    R9, R8                   \
	VMOVD   R8, X0                   \
	VPBROADCASTD X0, Y0              \
	VPAND   Y15, Y0, Y0              \
	VPCMPEQD Y15, Y0, Y0             \
	VMULPS  o(R11)(DX*1), Y1, Y2     \
	VANDPS  Y2, Y0, Y0               \
	VMOVUPS Y0, (i*64+o)(DI)

#define SPREAD(i, lo, hi) \
	MOVQ (i*8)(AX), R11              \
	VBROADCASTSS (1152+i*4)(AX), Y1  \
	SPREADHALF(i, 0, 0, lo, hi)      \
	SPREADHALF(i, 1, 32, lo, hi)

// A row of the patch whose pixels have high bit 1 (its first, third, fifth) or 0.
#define SPREADROW(i, hi) \
	SPREAD((i+0), $0, hi)    \
	SPREAD((i+1), $255, hi)  \
	SPREAD((i+2), $0, hi)    \
	SPREAD((i+3), $255, hi)  \
	SPREAD((i+4), $0, hi)    \
	SPREAD((i+5), $255, hi)

// func unpoolAVX2(dst *float32, u *Unpool, dy, sign, arg, avg int)
//
//	AX  u    DI  dst, a line a pixel    DX SI BX  byte offsets of gradient, signs, winners
//	CX  all ones for average pooling, where all win    R11 the pixel's gradient
//	R8-R10 sign, low, high bits    Y15 laneBit
TEXT ·unpoolAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ u+8(FP), AX
	MOVQ dy+16(FP), DX
	MOVQ sign+24(FP), SI
	MOVQ arg+32(FP), BX
	MOVQ avg+40(FP), CX
	NEGQ CX
	VMOVUPS laneBit<>(SB), Y15
	SPREADROW(0, $0)
	SPREADROW(6, $255)
	SPREADROW(12, $0)
	SPREADROW(18, $255)
	SPREADROW(24, $0)
	SPREADROW(30, $255)
	VZEROUPPER
	RET
