#include "textflag.h"

// Go's assembler lacks the tile instructions, so they are spelled in bytes: VEX C4, then
// RXBmmmmm, WvvvvLpp, the opcode, ModRM, SIB and displacement; R, X, B and v are inverted.
// t, a and b are numbers of tiles, base and index those of registers below, at a distance
// in bytes. gpu/simd/tiles runs these instructions where the processor cannot.

#define rAX 0
#define rBX 3
#define rSI 6
#define rDI 7
#define rR8 8
#define rR10 10
#define rR12 12
#define rR13 13

// LDTILECFG_AX configures the tiles from the 64 bytes at AX.
#define LDTILECFG_AX BYTE $0xc4; BYTE $0xe2; BYTE $0x78; BYTE $0x49; BYTE $0x00
#define TILERELEASE  BYTE $0xc4; BYTE $0xe2; BYTE $0x78; BYTE $0x49; BYTE $0xc0
#define TILEZERO(t)  BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x49; BYTE $(0xc0 | (t)<<3)

// The address of row i of a tile is base + at + i*index.
#define TILEMEMORY(pp, base, index, at, t) \
	BYTE $0xc4                                              \
	BYTE $(0x82 | ((~(index)&8)<<3) | ((~(base)&8)<<2))     \
	BYTE $(0x78 | (pp))                                     \
	BYTE $0x4b                                              \
	BYTE $(0x84 | (t)<<3)                                   \
	BYTE $((((index)&7)<<3) | ((base)&7))                   \
	LONG $(at)

#define TILELOADD(base, index, at, t) TILEMEMORY(3, base, index, at, t)
#define TILESTORED(t, base, index, at) TILEMEMORY(2, base, index, at, t)

// TDPBF16PS adds to tile t (16 pixels, 16 outputs) the product of a (16 pixels, 32
// inputs) and b (16 pairs of inputs, 16 outputs, 2).
#define TDPBF16PS(b, a, t) \
	BYTE $0xc4; BYTE $0xe2; BYTE $(0x02 | ((~(b)&15)<<3)); BYTE $0x5c; BYTE $(0xc0 | (t)<<3 | (a))

// FETCH brings eight cache lines of the filters after the next step's into the cache.
#define FETCH(at) \
	PREFETCHT0 (at)(SI)     \
	PREFETCHT0 (at+64)(SI)  \
	PREFETCHT0 (at+128)(SI) \
	PREFETCHT0 (at+192)(SI) \
	PREFETCHT0 (at+256)(SI) \
	PREFETCHT0 (at+320)(SI) \
	PREFETCHT0 (at+384)(SI) \
	PREFETCHT0 (at+448)(SI)

// func mulBF16AMX(blocks int, a *uint16, stride int, offsets *int, steps int, b *uint16, c *float32, crs, acc int, cfg *tileConfig)
//
// C (m x 32) = or += the products of pixels and a panel of B, in blocks of as many
// pixels as the tiles are configured for, 17 to 32. A step is 32 inputs. Strides arrive in
// bytes.
//
//	tiles 0 1 2 3  sums: upper pixels by outputs 0-15 and 16-31, then lower pixels
//	tiles 4 5      upper and lower pixels     tiles 6 7  filters of outputs 0-15, 16-31
//
//	AX BX  upper and lower pixels of the step    R8  bytes from pixel to pixel, R15 16*R8
//	SI     filters of the step   R14 of the first   R10  64, the bytes of their rows
//	DI R13 C, upper and lower rows    R12  bytes from row to row
//	R11    A, block base   R9 offsets   DX steps left   CX blocks left
//
// Tiles are configured and released within the call, so no other code meets them, and
// a goroutine cannot move to another thread before.
TEXT ·mulBF16AMX(SB), NOSPLIT, $0-80
	MOVQ blocks+0(FP), CX
	MOVQ a+8(FP), R11
	MOVQ stride+16(FP), R8
	MOVQ b+40(FP), R14
	MOVQ c+48(FP), DI
	MOVQ crs+56(FP), R12
	MOVQ cfg+72(FP), AX
	MOVQ $64, R10
	MOVQ R8, R15
	SHLQ $4, R15
	LDTILECFG_AX

block:
	MOVQ R12, R13
	SHLQ $4, R13
	ADDQ DI, R13
	CMPQ acc+64(FP), $0
	JNE  get
	TILEZERO(0)
	TILEZERO(1)
	TILEZERO(2)
	TILEZERO(3)
	JMP  start

get:
	TILELOADD(rDI, rR12, 0, 0)
	TILELOADD(rDI, rR12, 64, 1)
	TILELOADD(rR13, rR12, 0, 2)
	TILELOADD(rR13, rR12, 64, 3)

start:
	MOVQ R14, SI
	MOVQ offsets+24(FP), R9
	MOVQ steps+32(FP), DX

step:
	MOVQ (R9), AX
	ADDQ $8, R9
	LEAQ (R11)(AX*2), AX
	LEAQ (AX)(R15*1), BX
	TILELOADD(rSI, rR10, 0, 6)
	TILELOADD(rAX, rR8, 0, 4)
	TILELOADD(rBX, rR8, 0, 5)
	TILELOADD(rSI, rR10, 1024, 7)
	TDPBF16PS(6, 4, 0)
	FETCH(4096)
	TDPBF16PS(6, 5, 2)
	FETCH(4608)
	TDPBF16PS(7, 4, 1)
	FETCH(5120)
	TDPBF16PS(7, 5, 3)
	FETCH(5632)
	ADDQ $2048, SI
	DECQ DX
	JNZ  step
	TILESTORED(0, rDI, rR12, 0)
	TILESTORED(1, rDI, rR12, 64)
	TILESTORED(2, rR13, rR12, 0)
	TILESTORED(3, rR13, rR12, 64)
	LEAQ (R11)(R15*2), R11
	MOVQ R12, AX
	SHLQ $5, AX
	ADDQ AX, DI
	DECQ CX
	JNZ  block
	TILERELEASE
	RET

// func mulBF16AMXUpper(a *uint16, stride int, offsets *int, steps int, b *uint16, c *float32, crs, acc int, cfg *tileConfig)
//
// It is a block of 1 to 16 pixels: the upper tiles alone.
TEXT ·mulBF16AMXUpper(SB), NOSPLIT, $0-72
	MOVQ a+0(FP), R11
	MOVQ stride+8(FP), R8
	MOVQ offsets+16(FP), R9
	MOVQ steps+24(FP), DX
	MOVQ b+32(FP), SI
	MOVQ c+40(FP), DI
	MOVQ crs+48(FP), R12
	MOVQ cfg+64(FP), AX
	MOVQ $64, R10
	LDTILECFG_AX
	CMPQ acc+56(FP), $0
	JNE  getUpper
	TILEZERO(0)
	TILEZERO(1)
	JMP  stepUpper

getUpper:
	TILELOADD(rDI, rR12, 0, 0)
	TILELOADD(rDI, rR12, 64, 1)

stepUpper:
	MOVQ (R9), AX
	ADDQ $8, R9
	LEAQ (R11)(AX*2), AX
	TILELOADD(rSI, rR10, 0, 6)
	TILELOADD(rAX, rR8, 0, 4)
	TILELOADD(rSI, rR10, 1024, 7)
	TDPBF16PS(6, 4, 0)
	FETCH(4096)
	FETCH(4608)
	TDPBF16PS(7, 4, 1)
	FETCH(5120)
	FETCH(5632)
	ADDQ $2048, SI
	DECQ DX
	JNZ  stepUpper
	TILESTORED(0, rDI, rR12, 0)
	TILESTORED(1, rDI, rR12, 64)
	TILERELEASE
	RET

// func peakAMX(n int, cfg *tileConfig)
//
// n rounds of 4 independent products of zeros in tiles (65536 flop a round); CX counts.
// The tiles are never loaded, so this is more than a kernel can reach.
TEXT ·peakAMX(SB), NOSPLIT, $0-16
	MOVQ n+0(FP), CX
	MOVQ cfg+8(FP), AX
	LDTILECFG_AX

peak:
	TDPBF16PS(6, 4, 0)
	TDPBF16PS(6, 5, 2)
	TDPBF16PS(7, 4, 1)
	TDPBF16PS(7, 5, 3)
	DECQ CX
	JNZ  peak
	TILERELEASE
	RET
