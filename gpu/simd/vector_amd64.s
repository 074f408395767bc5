#include "textflag.h"

// Four lanes of float64 from memory at p+o times v, added to acc.
#define PRODUCT(p, o, v, acc) \
	VCVTPS2PD   o(p), Y9 \
	VFMADD231PD Y9, v, acc

// The sum of the lanes of a and b, to out. x is a's lower half.
#define TOTAL(a, x, b, out) \
	VADDPD       b, a, a    \
	VEXTRACTF128 $1, a, X9  \
	VADDPD       X9, x, x   \
	VPERMILPD    $1, x, X9  \
	VADDSD       X9, x, x   \
	VMOVSD       x, out

// func dotsAVX2(v, a, b, c *float32, n8 int, out *[3]float64)
//
//	SI v    AX BX DX a b c    CX groups of 8 left    DI out
//	Y0 Y1 Y2  sums of the even groups of four, Y3 Y4 Y5 of the odd
//	Y6 Y7  v in float64    Y9 the other factor
TEXT ·dotsAVX2(SB), NOSPLIT, $0-48
	MOVQ   v+0(FP), SI
	MOVQ   a+8(FP), AX
	MOVQ   b+16(FP), BX
	MOVQ   c+24(FP), DX
	MOVQ   n8+32(FP), CX
	MOVQ   out+40(FP), DI
	VXORPD Y0, Y0, Y0
	VXORPD Y1, Y1, Y1
	VXORPD Y2, Y2, Y2
	VXORPD Y3, Y3, Y3
	VXORPD Y4, Y4, Y4
	VXORPD Y5, Y5, Y5

dots:
	VCVTPS2PD (SI), Y6
	VCVTPS2PD 16(SI), Y7
	PRODUCT(AX, 0, Y6, Y0)
	PRODUCT(BX, 0, Y6, Y1)
	PRODUCT(DX, 0, Y6, Y2)
	PRODUCT(AX, 16, Y7, Y3)
	PRODUCT(BX, 16, Y7, Y4)
	PRODUCT(DX, 16, Y7, Y5)
	ADDQ $32, SI
	ADDQ $32, AX
	ADDQ $32, BX
	ADDQ $32, DX
	DECQ CX
	JNZ  dots

	TOTAL(Y0, X0, Y3, 0(DI))
	TOTAL(Y1, X1, Y4, 8(DI))
	TOTAL(Y2, X2, Y5, 16(DI))
	VZEROUPPER
	RET

// func axpyAVX2(dst *float32, s float32, x *float32, n8 int)
//
//	DI dst    SI x    CX groups of 8 left    Y0 s    Y1 the group
TEXT ·axpyAVX2(SB), NOSPLIT, $0-32
	MOVQ         dst+0(FP), DI
	VBROADCASTSS s+8(FP), Y0
	MOVQ         x+16(FP), SI
	MOVQ         n8+24(FP), CX

axpy:
	VMOVUPS     (DI), Y1
	VFMADD231PS (SI), Y0, Y1
	VMOVUPS     Y1, (DI)
	ADDQ        $32, DI
	ADDQ        $32, SI
	DECQ        CX
	JNZ         axpy
	VZEROUPPER
	RET
