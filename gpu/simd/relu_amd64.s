#include "textflag.h"

// func reluAVX512(x *float32, sign *byte, n16 int)
//
//	SI  x, 64 bytes a turn    DI  sign or nil, 2 bytes a turn    CX  turns left
//	Z0  the values    Z1  zero    K1  which are positive
TEXT ·reluAVX512(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ sign+8(FP), DI
	MOVQ n16+16(FP), CX
	VPXORQ Z1, Z1, Z1

loop5:
	VMOVUPS (SI), Z0
	VMAXPS Z0, Z1, Z0
	VMOVUPS Z0, (SI)
	TESTQ DI, DI
	JZ next5
	VCMPPS $30, Z1, Z0, K1
	KMOVW K1, (DI)
	ADDQ $2, DI

next5:
	ADDQ $64, SI
	DECQ CX
	JNZ  loop5
	VZEROUPPER
	RET

// func reluAVX2(x *float32, sign *byte, n16 int)
//
//	SI  x, 64 bytes a turn    DI  sign or nil, 2 bytes a turn    CX  turns left
//	Y0 Y1  the values    Y2  zero    Y3, AX  which are positive
TEXT ·reluAVX2(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ sign+8(FP), DI
	MOVQ n16+16(FP), CX
	VXORPS Y2, Y2, Y2

loop2:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMAXPS Y0, Y2, Y0
	VMAXPS Y1, Y2, Y1
	VMOVUPS Y0, (SI)
	VMOVUPS Y1, 32(SI)
	TESTQ DI, DI
	JZ next2
	VCMPPS $30, Y2, Y0, Y3
	VMOVMSKPS Y3, AX
	MOVB AX, (DI)
	VCMPPS $30, Y2, Y1, Y3
	VMOVMSKPS Y3, AX
	MOVB AX, 1(DI)
	ADDQ $2, DI

next2:
	ADDQ $64, SI
	DECQ CX
	JNZ  loop2
	VZEROUPPER
	RET
