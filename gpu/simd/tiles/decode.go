// Package tiles runs Intel's tile instructions (AMX) for bfloat16 in Go. So the
// assembly that uses them can be tested on machines whose processors lack them. Package
// run, the command beside it, runs them for the threads of another program.
//
// It follows chapter 4 of Intel's Software Developer's Manual, volume 2: the order of
// the sums, rounding to nearest even, numbers below 2^-126 taken as zero, and the
// faults. It is stricter in two points: configuring configured tiles and releasing
// others are faults. Both are mistakes in a program that configures tiles within one
// call.
package tiles

import (
	"encoding/binary"
	"fmt"
)

// Op is an instruction.
type Op int

// The instructions. Prefetch is any of the form 0F 18: it has no effect that a program
// can see, and stands between tile instructions.
const (
	LDTILECFG Op = iota
	STTILECFG
	TILERELEASE
	TILEZERO
	TILELOADD
	TILELOADDT1
	TILESTORED
	TDPBF16PS
	Prefetch
	Ops // how many there are
)

var opNames = [Ops]string{"LDTILECFG", "STTILECFG", "TILERELEASE", "TILEZERO", "TILELOADD", "TILELOADDT1", "TILESTORED", "TDPBF16PS", "prefetch"}

func (o Op) String() string { return opNames[o] }

// Instruction is a decoded instruction.
type Instruction struct {
	Op      Op
	Size    int // bytes
	Tile    int // loaded, stored, zeroed or added to
	A, B    int // the factors of TDPBF16PS: pixels by inputs, inputs by outputs
	Address Address
}

// Address is base + scale*index + Disp; of a tile, scale*index is the stride of its rows.
type Address struct {
	Base, Index int // numbers of registers, or none
	Scale       uint64
	Disp        int64
	next        bool // relative to the next instruction
}

const none = -1

// Decode reads the instruction at the start of code.
func Decode(code []byte) (Instruction, error) {
	if in, ok := decodePrefetch(code); ok {
		return in, nil
	}
	if len(code) < 5 || code[0] != 0xc4 || code[1]&0x1f != 2 {
		return Instruction{}, fmt.Errorf("not a tile instruction: % x", code[:min(len(code), 12)])
	}
	// VEX: RXBmmmmm, WvvvvLpp; R, X, B and v are inverted.
	r, x, b := ^code[1]>>4&8, ^code[1]>>3&8, ^code[1]>>2&8
	w, v, l, pp := code[2]>>7, ^code[2]>>3&15, code[2]>>2&1, code[2]&3
	opcode, modrm := code[3], code[4]
	register := modrm>>6 == 3
	in := Instruction{Size: 5, Tile: int(modrm >> 3 & 7), Address: Address{Base: none, Index: none}}
	type form struct {
		opcode, pp byte
		register   bool
	}
	ops := map[form]Op{
		{0x49, 0, false}: LDTILECFG, {0x49, 1, false}: STTILECFG, {0x49, 0, true}: TILERELEASE, {0x49, 3, true}: TILEZERO,
		{0x4b, 3, false}: TILELOADD, {0x4b, 1, false}: TILELOADDT1, {0x4b, 2, false}: TILESTORED, {0x5c, 2, true}: TDPBF16PS,
	}
	op, ok := ops[form{opcode, pp, register}]
	in.Op = op
	bad := !ok || w != 0 || l != 0 || r != 0 || (v != 0 && op != TDPBF16PS)
	switch op {
	case LDTILECFG, STTILECFG:
		bad = bad || in.Tile != 0
	case TILERELEASE:
		bad = bad || modrm != 0xc0
	case TILEZERO:
		bad = bad || modrm&7 != 0
	case TDPBF16PS:
		in.A, in.B = int(modrm&7), int(v)
		bad = bad || v > 7 || b != 0 || in.Tile == in.A || in.Tile == in.B || in.A == in.B
	default:
		bad = bad || modrm&7 != 4 // a tile's address has an index
	}
	if bad {
		return Instruction{}, fmt.Errorf("not a valid tile instruction: % x", code[:min(len(code), 12)])
	}
	if !register {
		size, err := in.Address.decode(code[4:], int(x), int(b))
		if err != nil {
			return Instruction{}, err
		}
		in.Size = 4 + size
	}
	return in, nil
}

func decodePrefetch(code []byte) (Instruction, bool) {
	rex := 0
	if len(code) > 0 && code[0]&0xf0 == 0x40 {
		rex = 1
	}
	if len(code) < rex+3 || code[rex] != 0x0f || code[rex+1] != 0x18 || code[rex+2]>>6 == 3 {
		return Instruction{}, false
	}
	var a Address
	size, err := a.decode(code[rex+2:], 0, 0)
	return Instruction{Op: Prefetch, Size: rex + 2 + size}, err == nil
}

// decode reads ModRM, SIB and displacement and returns their size.
func (a *Address) decode(code []byte, x, b int) (int, error) {
	size := 1
	mod, rm := code[0]>>6, int(code[0]&7)
	a.Base, a.Index, a.Scale = rm|b, none, 1
	short := errorShort(code)
	if rm == 4 {
		if len(code) < 2 {
			return 0, short
		}
		sib := code[1]
		size, rm = 2, int(sib&7)
		a.Base, a.Scale = rm|b, 1<<(sib>>6)
		if i := int(sib>>3&7) | x; i != 4 { // 4, the stack pointer, is no index
			a.Index = i
		}
		if mod == 0 && rm == 5 {
			a.Base, mod = none, 2
		}
	} else if mod == 0 && rm == 5 {
		a.Base, a.next, mod = none, true, 2
	}
	switch mod {
	case 1:
		if len(code) < size+1 {
			return 0, short
		}
		a.Disp = int64(int8(code[size]))
		size++
	case 2:
		if len(code) < size+4 {
			return 0, short
		}
		a.Disp = int64(int32(binary.LittleEndian.Uint32(code[size:])))
		size += 4
	}
	return size, nil
}

func errorShort(code []byte) error {
	return fmt.Errorf("the code ends within an instruction: % x", code)
}
