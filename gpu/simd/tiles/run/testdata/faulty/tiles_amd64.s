#include "textflag.h"

// func configure(cfg *[64]byte)
TEXT ·configure(SB), NOSPLIT, $0-8
	MOVQ cfg+0(FP), AX
	BYTE $0xc4; BYTE $0xe2; BYTE $0x78; BYTE $0x49; BYTE $0x00 // ldtilecfg [rax]
	RET

// func release()
TEXT ·release(SB), NOSPLIT, $0-0
	BYTE $0xc4; BYTE $0xe2; BYTE $0x78; BYTE $0x49; BYTE $0xc0 // tilerelease
	RET

// func zero()
TEXT ·zero(SB), NOSPLIT, $0-0
	BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x49; BYTE $0xc0 // tilezero tmm0
	RET

// func multiply()
TEXT ·multiply(SB), NOSPLIT, $0-0
	BYTE $0xc4; BYTE $0xe2; BYTE $0x6a; BYTE $0x5c; BYTE $0xc1 // tdpbf16ps tmm0, tmm1, tmm2
	RET

// func load(at unsafe.Pointer)
TEXT ·load(SB), NOSPLIT, $0-8
	MOVQ at+0(FP), SI
	MOVQ $64, CX
	BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x4b; BYTE $0x14; BYTE $0x0e // tileloadd tmm2, [rsi+rcx*1]
	RET

// func undefined()
TEXT ·undefined(SB), NOSPLIT, $0-0
	UNDEF
	RET
