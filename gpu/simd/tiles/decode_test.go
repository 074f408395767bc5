package tiles

import (
	"encoding/hex"
	"strings"
	"testing"
)

// TestDecode reads what GNU as 2.40 makes of the text.
func TestDecode(t *testing.T) {
	at := func(base, index int, scale uint64, disp int64) Address {
		return Address{Base: base, Index: index, Scale: scale, Disp: disp}
	}
	for _, c := range []struct {
		text, code string
		want       Instruction
	}{
		{"ldtilecfg [rax]", "c4e2784900", Instruction{Op: LDTILECFG, Address: at(0, none, 1, 0)}},
		{"ldtilecfg [r13+0x40]", "c4c278494540", Instruction{Op: LDTILECFG, Address: at(13, none, 1, 64)}},
		{"ldtilecfg [rip+0x10]", "c4e278490510000000", Instruction{Op: LDTILECFG, Address: Address{Base: none, Index: none, Scale: 1, Disp: 16, next: true}}},
		{"ldtilecfg [rsp+rcx*4+8]", "c4e27849448c08", Instruction{Op: LDTILECFG, Address: at(4, 1, 4, 8)}},
		{"sttilecfg [rdi]", "c4e2794907", Instruction{Op: STTILECFG, Address: at(7, none, 1, 0)}},
		{"sttilecfg [r12]", "c4c279490424", Instruction{Op: STTILECFG, Address: at(12, none, 1, 0)}},
		{"tilerelease", "c4e27849c0", Instruction{Op: TILERELEASE}},
		{"tilezero tmm5", "c4e27b49e8", Instruction{Op: TILEZERO, Tile: 5}},
		{"tileloadd tmm6, [rsi+r10*1]", "c4a27b4b3416", Instruction{Op: TILELOADD, Tile: 6, Address: at(6, 10, 1, 0)}},
		{"tileloadd tmm7, [rsi+r10*1+1024]", "c4a27b4bbc1600040000", Instruction{Op: TILELOADD, Tile: 7, Address: at(6, 10, 1, 1024)}},
		{"tileloadd tmm3, [r13+r12*1+64]", "c4827b4b5c2540", Instruction{Op: TILELOADD, Tile: 3, Address: at(13, 12, 1, 64)}},
		{"tileloadd tmm1, [r15+r9*8-128]", "c4827b4b4ccf80", Instruction{Op: TILELOADD, Tile: 1, Address: at(15, 9, 8, -128)}},
		{"tileloadd tmm2, [rbp+0]", "c4e27b4b542500", Instruction{Op: TILELOADD, Tile: 2, Address: at(5, none, 1, 0)}},
		{"tileloaddt1 tmm2, [rdi+rdx*2]", "c4e2794b1457", Instruction{Op: TILELOADDT1, Tile: 2, Address: at(7, 2, 2, 0)}},
		{"tilestored [rdi+r12*1], tmm0", "c4a27a4b0427", Instruction{Op: TILESTORED, Address: at(7, 12, 1, 0)}},
		{"tilestored [r14+rax*4-4096], tmm7", "c4c27a4bbc8600f0ffff", Instruction{Op: TILESTORED, Tile: 7, Address: at(14, 0, 4, -4096)}},
		{"tdpbf16ps tmm0, tmm4, tmm6", "c4e24a5cc4", Instruction{Op: TDPBF16PS, Tile: 0, A: 4, B: 6}},
		{"tdpbf16ps tmm7, tmm0, tmm1", "c4e2725cf8", Instruction{Op: TDPBF16PS, Tile: 7, A: 0, B: 1}},
		{"prefetcht0 [rsi+0x1000]", "0f188e00100000", Instruction{Op: Prefetch}},
		{"prefetcht0 [rsi+0x40]", "0f184e40", Instruction{Op: Prefetch}},
		{"prefetcht0 [r9+rcx*2]", "410f180c49", Instruction{Op: Prefetch}},
	} {
		code, err := hex.DecodeString(c.code)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(append(code, 0x90, 0x90))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		c.want.Size = len(code)
		if c.want.Address == (Address{}) {
			c.want.Address, got.Address = at(none, none, 1, 0), at(none, none, 1, 0)
		}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.text, got, c.want)
		}
		for short := range len(code) {
			if in, err := Decode(code[:short]); err == nil {
				t.Errorf("%s: its first %d bytes are %s", c.text, short, in.Op)
			}
		}
	}
}

// TestDecodeRefuses what is close to a tile instruction: other instructions, and forms
// that the manual says are undefined.
func TestDecodeRefuses(t *testing.T) {
	for text, code := range map[string]string{
		"vaddps zmm0, zmm1, zmm2":            "6261744858c2",
		"tdpbssd tmm0, tmm4, tmm6":           "c4e24b5ec4",
		"tdpbf16ps of one tile twice":        "c4e2525cc5",
		"tdpbf16ps into a factor":            "c4e24a5ce4",
		"tdpbf16ps with tile 8":              "c4e23a5cc4",
		"tileloadd without an index's byte":  "c4e27b4b30",
		"tileloadd to tile 14":               "c4227b4b3416",
		"tileloadd with a second register v": "c4a2734b3416",
		"ldtilecfg of 256 bits":              "c4e27c4900",
		"ldtilecfg with W":                   "c4e2f84900",
		"tilerelease of tile 1":              "c4e27849c8",
		"prefetch of a register":             "0f18c8",
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(code, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if in, err := Decode(append(b, 0, 0, 0, 0)); err == nil {
			t.Errorf("%s was read as %s", text, in.Op)
		}
	}
}
