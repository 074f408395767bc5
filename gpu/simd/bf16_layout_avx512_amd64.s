#include "textflag.h"

// Conversions and layouts of bfloat16. Strides arrive in bytes.

// VCVTNEPS2BF16_Z0_Y0 rounds the sixteen float32 of Z0 to bfloat16 in Y0. Go's assembler
// lacks it.
#define VCVTNEPS2BF16_Z0_Y0 BYTE $0x62; BYTE $0xf2; BYTE $0x7e; BYTE $0x48; BYTE $0x72; BYTE $0xc0

// func roundBF16AVX512(dst *uint16, src *float32, n16 int)
TEXT ·roundBF16AVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n16+16(FP), CX

round:
	VMOVUPS (SI), Z0
	VCVTNEPS2BF16_Z0_Y0
	VMOVDQU64 Y0, (DI)
	ADDQ $64, SI
	ADDQ $32, DI
	DECQ CX
	JNZ  round
	VZEROUPPER
	RET

// func widenBF16AVX512(dst *float32, src *uint16, n16 int)
TEXT ·widenBF16AVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n16+16(FP), CX

widen:
	VPMOVZXWD (SI), Z0
	VPSLLD $16, Z0, Z0
	VMOVUPS Z0, (DI)
	ADDQ $32, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  widen
	VZEROUPPER
	RET

// func residueBF16AVX512(dst *uint16, src *float32, rounded *uint16, n16 int)
TEXT ·residueBF16AVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ rounded+16(FP), DX
	MOVQ n16+24(FP), CX

residue:
	VPMOVZXWD (DX), Z1
	VPSLLD $16, Z1, Z1
	VMOVUPS (SI), Z0
	VSUBPS Z1, Z0, Z0
	VCVTNEPS2BF16_Z0_Y0
	VMOVDQU64 Y0, (DI)
	ADDQ $64, SI
	ADDQ $32, DX
	ADDQ $32, DI
	DECQ CX
	JNZ  residue
	VZEROUPPER
	RET

// func roundGatedBF16AVX512(dst *uint16, stride int, src *float32, gate *byte, gateStride, rows int)
TEXT ·roundGatedBF16AVX512(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ src+16(FP), SI
	MOVQ gate+24(FP), DX
	MOVQ gateStride+32(FP), R9
	MOVQ rows+40(FP), CX

row:
	KMOVW (DX), K1
	KMOVW 2(DX), K2
	VMOVUPS (SI), Z0
	VCVTNEPS2BF16_Z0_Y0
	VMOVDQU16.Z Y0, K1, Y1
	VMOVUPS 64(SI), Z0
	VCVTNEPS2BF16_Z0_Y0
	VMOVDQU16.Z Y0, K2, Y2
	VMOVDQU64 Y1, (DI)
	VMOVDQU64 Y2, 32(DI)
	ADDQ $128, SI
	ADDQ R9, DX
	ADDQ R8, DI
	DECQ CX
	JNZ  row
	VZEROUPPER
	RET

// func activateBF16AVX512(sums, bias *float32, dst *uint16, stride int, sign *byte, signStride, rows int)
//
//	SI sums   DI dst, R8 apart   DX signs, R9 apart   CX rows left
//	Z3 Z4 bias   Z5 zero   K1 K2 which are positive
TEXT ·activateBF16AVX512(SB), NOSPLIT, $0-56
	MOVQ sums+0(FP), SI
	MOVQ bias+8(FP), AX
	MOVQ dst+16(FP), DI
	MOVQ stride+24(FP), R8
	MOVQ sign+32(FP), DX
	MOVQ signStride+40(FP), R9
	MOVQ rows+48(FP), CX
	VMOVUPS (AX), Z3
	VMOVUPS 64(AX), Z4
	VPXORQ Z5, Z5, Z5

activate:
	VADDPS (SI), Z3, Z0
	VMAXPS Z0, Z5, Z0
	VCMPPS $30, Z5, Z0, K1
	VMOVUPS Z0, (SI)
	VCVTNEPS2BF16_Z0_Y0
	VMOVDQU64 Y0, (DI)
	VADDPS 64(SI), Z4, Z0
	VMAXPS Z0, Z5, Z0
	VCMPPS $30, Z5, Z0, K2
	VMOVUPS Z0, 64(SI)
	VCVTNEPS2BF16_Z0_Y0
	VMOVDQU64 Y0, 32(DI)
	KMOVW K1, (DX)
	KMOVW K2, 2(DX)
	ADDQ $128, SI
	ADDQ R8, DI
	ADDQ R9, DX
	DECQ CX
	JNZ  activate
	VZEROUPPER
	RET

// func keepBF16AVX512(dst, src *uint16, bits *byte, n32 int)
TEXT ·keepBF16AVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ bits+16(FP), DX
	MOVQ n32+24(FP), CX

keep:
	KMOVD (DX), K1
	VMOVDQU16.Z (SI), K1, Z0
	VMOVDQU64 Z0, (DI)
	ADDQ $64, SI
	ADDQ $4, DX
	ADDQ $64, DI
	DECQ CX
	JNZ  keep
	VZEROUPPER
	RET

// func packBF16AVX512(step, src *uint16, stride int)
//
// A round takes two rows, whose values become pairs.
TEXT ·packBF16AVX512(SB), NOSPLIT, $0-24
	MOVQ step+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), R8
	MOVQ $16, CX

pair:
	VPMOVZXWD (SI), Z0
	VPMOVZXWD 32(SI), Z1
	VPMOVZXWD (SI)(R8*1), Z2
	VPMOVZXWD 32(SI)(R8*1), Z3
	VPSLLD $16, Z2, Z2
	VPSLLD $16, Z3, Z3
	VPORD Z0, Z2, Z2
	VPORD Z1, Z3, Z3
	VMOVDQU64 Z2, (DI)
	VMOVDQU64 Z3, 1024(DI)
	LEAQ (SI)(R8*2), SI
	ADDQ $64, DI
	DECQ CX
	JNZ  pair
	VZEROUPPER
	RET

// QUADS transposes four rows in squares of 4 by 4 pairs: of rows a b c d, columns 4L to
// 4L+3 become lane L of a, b, c and d.
#define QUADS(a, b, c, d) \
	VPUNPCKLDQ b, a, Z16      \
	VPUNPCKHDQ b, a, Z17      \
	VPUNPCKLDQ d, c, Z18      \
	VPUNPCKHDQ d, c, Z19      \
	VPUNPCKLQDQ Z18, Z16, a   \
	VPUNPCKHQDQ Z18, Z16, b   \
	VPUNPCKLQDQ Z19, Z17, c   \
	VPUNPCKHQDQ Z19, Z17, d

// COLUMNS stores columns k, k+4, k+8 and k+12, which are the lanes of a b c d.
#define COLUMNS(k, a, b, c, d) \
	VSHUFI32X4 $0x88, b, a, Z16     \
	VSHUFI32X4 $0x88, d, c, Z17     \
	VSHUFI32X4 $0xdd, b, a, Z18     \
	VSHUFI32X4 $0xdd, d, c, Z19     \
	VSHUFI32X4 $0x88, Z17, Z16, Z20 \
	VSHUFI32X4 $0x88, Z19, Z18, Z21 \
	VSHUFI32X4 $0xdd, Z17, Z16, Z22 \
	VSHUFI32X4 $0xdd, Z19, Z18, Z23 \
	VMOVDQU64 Z20, (64*k)(DI)       \
	VMOVDQU64 Z21, (64*k+256)(DI)   \
	VMOVDQU64 Z22, (64*k+512)(DI)   \
	VMOVDQU64 Z23, (64*k+768)(DI)

// func transposeBF16AVX512(dst, step *uint16)
//
// Each half of a step is 16 pairs of inputs by 16 outputs, a square of 32-bit numbers.
TEXT ·transposeBF16AVX512(SB), NOSPLIT, $0-16
	MOVQ dst+0(FP), DI
	MOVQ step+8(FP), SI
	MOVQ $2, CX

half:
	VMOVDQU64 (SI), Z0
	VMOVDQU64 64(SI), Z1
	VMOVDQU64 128(SI), Z2
	VMOVDQU64 192(SI), Z3
	VMOVDQU64 256(SI), Z4
	VMOVDQU64 320(SI), Z5
	VMOVDQU64 384(SI), Z6
	VMOVDQU64 448(SI), Z7
	VMOVDQU64 512(SI), Z8
	VMOVDQU64 576(SI), Z9
	VMOVDQU64 640(SI), Z10
	VMOVDQU64 704(SI), Z11
	VMOVDQU64 768(SI), Z12
	VMOVDQU64 832(SI), Z13
	VMOVDQU64 896(SI), Z14
	VMOVDQU64 960(SI), Z15
	QUADS(Z0, Z1, Z2, Z3)
	QUADS(Z4, Z5, Z6, Z7)
	QUADS(Z8, Z9, Z10, Z11)
	QUADS(Z12, Z13, Z14, Z15)
	COLUMNS(0, Z0, Z4, Z8, Z12)
	COLUMNS(1, Z1, Z5, Z9, Z13)
	COLUMNS(2, Z2, Z6, Z10, Z14)
	COLUMNS(3, Z3, Z7, Z11, Z15)
	ADDQ $1024, SI
	ADDQ $1024, DI
	DECQ CX
	JNZ  half
	VZEROUPPER
	RET
