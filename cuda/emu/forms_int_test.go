package emu

import (
	"fmt"
	"math/big"
	"math/bits"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/testutil"
)

// integerType is a PTX integer type as big.Int sees it.
type integerType struct {
	name   string
	bits   uint
	signed bool
}

var integerTypes = []integerType{
	{"u16", 16, false}, {"s16", 16, true}, {"u32", 32, false}, {"s32", 32, true}, {"u64", 64, false}, {"s64", 64, true},
}

// register is the register type of t.
func (t integerType) register() string { return fmt.Sprintf("b%d", t.bits) }

func (t integerType) value(u uint64) *big.Int {
	v := new(big.Int).SetUint64(u)
	if t.signed && u>>(t.bits-1)&1 == 1 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), t.bits))
	}
	return v
}

// cut is v modulo 2^bits.
func cut(v *big.Int, bits uint) uint64 {
	m := new(big.Int).Lsh(big.NewInt(1), bits)
	return new(big.Int).Mod(v, m).Uint64()
}

// edges are values at which integer operations of this width go wrong.
func (t integerType) edges() []uint64 {
	mask := ^uint64(0) >> (64 - t.bits)
	top := uint64(1) << (t.bits - 1)
	return []uint64{0, 1, 2, 3, 7, mask, mask - 1, top, top - 1, top + 1, 0x1234567890abcdef & mask, 0xa5 & mask}
}

func TestIntegerArithmetic(t *testing.T) {
	testutil.Numerics(t)
	type B = *big.Int
	wrap := func(f func(a, b, c B) B) func(typ integerType, a, b, c B) B {
		return func(_ integerType, a, b, c B) B { return f(a, b, c) }
	}
	high := func(typ integerType, a, b B) B { return new(big.Int).Rsh(new(big.Int).Mul(a, b), typ.bits) }
	ops := []struct {
		inst  string
		n     int
		types string // those it has, by suffix; "" for all
		f     func(typ integerType, a, b, c B) B
	}{
		{"add.T o0, i0, i1", 2, "", wrap(func(a, b, _ B) B { return new(big.Int).Add(a, b) })},
		{"sub.T o0, i0, i1", 2, "", wrap(func(a, b, _ B) B { return new(big.Int).Sub(a, b) })},
		{"mul.lo.T o0, i0, i1", 2, "", wrap(func(a, b, _ B) B { return new(big.Int).Mul(a, b) })},
		{"mul.hi.T o0, i0, i1", 2, "", func(typ integerType, a, b, _ B) B { return high(typ, a, b) }},
		{"mad.lo.T o0, i0, i1, i2", 3, "", wrap(func(a, b, c B) B { return new(big.Int).Add(c, new(big.Int).Mul(a, b)) })},
		{"mad.hi.T o0, i0, i1, i2", 3, "", func(typ integerType, a, b, c B) B { return new(big.Int).Add(c, high(typ, a, b)) }},
		{"min.T o0, i0, i1", 2, "", wrap(func(a, b, _ B) B {
			if a.Cmp(b) < 0 {
				return a
			}
			return b
		})},
		{"max.T o0, i0, i1", 2, "", wrap(func(a, b, _ B) B {
			if a.Cmp(b) > 0 {
				return a
			}
			return b
		})},
		{"abs.T o0, i0", 1, "s16 s32 s64", wrap(func(a, _, _ B) B { return new(big.Int).Abs(a) })},
		{"neg.T o0, i0", 1, "s16 s32 s64", wrap(func(a, _, _ B) B { return new(big.Int).Neg(a) })},
		{"div.T o0, i0, i1", 2, "", wrap(func(a, b, _ B) B {
			if b.Sign() == 0 {
				return big.NewInt(-1) // not defined by the manual; all ones on devices
			}
			return new(big.Int).Quo(a, b)
		})},
		{"rem.T o0, i0, i1", 2, "", wrap(func(a, b, _ B) B {
			if b.Sign() == 0 {
				return a
			}
			return new(big.Int).Rem(a, b)
		})},
		{"add.sat.T o0, i0, i1", 2, "s32", func(typ integerType, a, b, _ B) B { return clampBig(new(big.Int).Add(a, b), typ) }},
		{"sub.sat.T o0, i0, i1", 2, "s32", func(typ integerType, a, b, _ B) B { return clampBig(new(big.Int).Sub(a, b), typ) }},
	}
	for _, op := range ops {
		for _, typ := range integerTypes {
			if op.types != "" && !strings.Contains(op.types, typ.name) {
				continue
			}
			in := []string{typ.register(), typ.register(), typ.register()}[:op.n]
			checkForm(t, strings.ReplaceAll(op.inst, "T", typ.name), typ.register(), in, cross(typ.edges(), op.n), func(row []uint64) uint64 {
				v := [3]B{}
				for i, u := range row {
					v[i] = typ.value(u)
				}
				return cut(op.f(typ, v[0], v[1], v[2]), typ.bits)
			})
		}
	}
	for _, typ := range integerTypes[:4] {
		double := fmt.Sprintf("b%d", 2*typ.bits)
		in := []string{typ.register(), typ.register(), double}
		product := func(row []uint64) *big.Int {
			return new(big.Int).Mul(typ.value(row[0]), typ.value(row[1]))
		}
		checkForm(t, "mul.wide."+typ.name+" o0, i0, i1", double, in[:2], cross(typ.edges(), 2), func(row []uint64) uint64 {
			return cut(product(row), 2*typ.bits)
		})
		checkForm(t, "mad.wide."+typ.name+" o0, i0, i1, i2", double, in, cross(typ.edges(), 3), func(row []uint64) uint64 {
			return cut(new(big.Int).Add(product(row), new(big.Int).SetUint64(row[2])), 2*typ.bits)
		})
	}
}

func clampBig(v *big.Int, t integerType) *big.Int {
	low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), t.bits)
	if t.signed {
		high.Rsh(high, 1)
		low.Neg(high)
	}
	high.Sub(high, big.NewInt(1))
	switch {
	case v.Cmp(low) < 0:
		return low
	case v.Cmp(high) > 0:
		return high
	}
	return v
}

func TestLogic(t *testing.T) {
	for _, width := range []uint{16, 32, 64} {
		typ := integerType{fmt.Sprintf("b%d", width), width, false}
		mask := ^uint64(0) >> (64 - width)
		reg := typ.register()
		two := []string{reg, reg}
		for name, f := range map[string]func(a, b uint64) uint64{
			"and": func(a, b uint64) uint64 { return a & b },
			"or":  func(a, b uint64) uint64 { return a | b },
			"xor": func(a, b uint64) uint64 { return a ^ b },
		} {
			checkForm(t, name+"."+typ.name+" o0, i0, i1", reg, two, cross(typ.edges(), 2), func(r []uint64) uint64 { return f(r[0], r[1]) })
		}
		checkForm(t, "not."+typ.name+" o0, i0", reg, two[:1], cross(typ.edges(), 1), func(r []uint64) uint64 { return ^r[0] & mask })
	}
	bit := []uint64{0, 1}
	two := []string{"pred", "pred"}
	checkForm(t, "and.pred o0, i0, i1", "pred", two, cross(bit, 2), func(r []uint64) uint64 { return r[0] & r[1] })
	checkForm(t, "or.pred o0, i0, i1", "pred", two, cross(bit, 2), func(r []uint64) uint64 { return r[0] | r[1] })
	checkForm(t, "xor.pred o0, i0, i1", "pred", two, cross(bit, 2), func(r []uint64) uint64 { return r[0] ^ r[1] })
	checkForm(t, "and.pred o0, i0, !i1", "pred", two, cross(bit, 2), func(r []uint64) uint64 { return r[0] & (1 - r[1]) })
	checkForm(t, "not.pred o0, i0", "pred", two[:1], cross(bit, 1), func(r []uint64) uint64 { return 1 - r[0] })
}

func TestShifts(t *testing.T) {
	counts := []uint64{0, 1, 5, 15, 16, 31, 32, 33, 63, 64, 200, 0xffffffff}
	shift := func(op string, typ integerType) {
		var rows [][]uint64
		for _, v := range typ.edges() {
			for _, n := range counts {
				rows = append(rows, []uint64{v, n})
			}
		}
		checkForm(t, op+"."+typ.name+" o0, i0, i1", typ.register(), []string{typ.register(), "b32"}, rows, func(r []uint64) uint64 {
			n := uint(min(r[1], 100))
			if op == "shl" {
				return cut(new(big.Int).Lsh(typ.value(r[0]), n), typ.bits)
			}
			return cut(new(big.Int).Rsh(typ.value(r[0]), n), typ.bits)
		})
	}
	for _, width := range []uint{16, 32, 64} {
		b := integerType{fmt.Sprintf("b%d", width), width, false}
		shift("shl", b)
		shift("shr", b)
	}
	for _, typ := range integerTypes {
		shift("shr", typ)
	}
	for _, dir := range []string{"l", "r"} {
		for _, mode := range []string{"clamp", "wrap"} {
			var rows [][]uint64
			for _, v := range cross([]uint64{0, 0x80000001, 0xdeadbeef, 0xffffffff}, 2) {
				for _, n := range counts {
					rows = append(rows, []uint64{v[0], v[1], n})
				}
			}
			checkForm(t, "shf."+dir+"."+mode+".b32 o0, i0, i1, i2", "b32", []string{"b32", "b32", "b32"}, rows, func(r []uint64) uint64 {
				n := r[2] % 32
				if mode == "clamp" {
					n = min(r[2], 32)
				}
				both := r[1]<<32 | r[0]
				if dir == "l" {
					return both << n >> 32
				}
				return both >> n & 0xffffffff
			})
		}
	}
}

// TestBitFields follows the manual's definitions bit by bit.
func TestBitFields(t *testing.T) {
	bit := func(v uint64, i uint64) uint64 { return v >> i & 1 }
	places := []uint64{0, 1, 7, 31, 32, 40, 63, 64, 255, 256 + 4}
	for _, typ := range integerTypes[2:] {
		var rows [][]uint64
		for _, v := range typ.edges() {
			for _, pl := range cross(places, 2) {
				rows = append(rows, append([]uint64{v}, pl...))
			}
		}
		msb := uint64(typ.bits - 1)
		reg := typ.register()
		checkForm(t, "bfe."+typ.name+" o0, i0, i1, i2", reg, []string{reg, "b32", "b32"}, rows, func(r []uint64) (d uint64) {
			pos, n := r[1]&255, r[2]&255
			sign := uint64(0)
			if typ.signed && n > 0 {
				sign = bit(r[0], min(pos+n-1, msb))
			}
			for i := uint64(0); i <= msb; i++ {
				b := sign
				if i < n && pos+i <= msb {
					b = bit(r[0], pos+i)
				}
				d |= b << i
			}
			return d
		})
	}
	for _, typ := range []integerType{{"b32", 32, false}, {"b64", 64, false}} {
		var rows [][]uint64
		for _, v := range cross([]uint64{0, 0x5a5a5a5a, 1<<typ.bits - 1}, 2) {
			for _, pl := range cross(places, 2) {
				rows = append(rows, append(append([]uint64{}, v...), pl...))
			}
		}
		reg := typ.register()
		checkForm(t, "bfi."+typ.name+" o0, i0, i1, i2, i3", reg, []string{reg, reg, "b32", "b32"}, rows, func(r []uint64) uint64 {
			d, pos, n := r[1], r[2]&255, r[3]&255
			for i := uint64(0); i < n && pos+i < uint64(typ.bits); i++ {
				d = d&^(1<<(pos+i)) | bit(r[0], i)<<(pos+i)
			}
			return d
		})
		checkForm(t, "popc."+typ.name+" o0, i0", "b32", []string{reg}, cross(typ.edges(), 1), func(r []uint64) (n uint64) {
			for i := range uint64(64) {
				n += bit(r[0], i)
			}
			return n
		})
		checkForm(t, "clz."+typ.name+" o0, i0", "b32", []string{reg}, cross(typ.edges(), 1), func(r []uint64) (n uint64) {
			return uint64(int(typ.bits) - bits.Len64(r[0]))
		})
		checkForm(t, "brev."+typ.name+" o0, i0", reg, []string{reg}, cross(typ.edges(), 1), func(r []uint64) (d uint64) {
			for i := range uint64(typ.bits) {
				d |= bit(r[0], i) << (uint64(typ.bits) - 1 - i)
			}
			return d
		})
	}
	words := []uint64{0, 0x03020100, 0x87968594, 0xffffffff, 0xdeadbeef}
	// 0x96 is a^b^c, 0xe8 the majority, 0xca is a ? b : c, 0x1a from the manual: (a & b | c) ^ a.
	for table, f := range map[int]func(a, b, c uint64) uint64{
		0x96: func(a, b, c uint64) uint64 { return a ^ b ^ c },
		0xe8: func(a, b, c uint64) uint64 { return a&b | a&c | b&c },
		0xca: func(a, b, c uint64) uint64 { return a&b | ^a&c },
		0x1a: func(a, b, c uint64) uint64 { return (a&b | c) ^ a },
	} {
		checkForm(t, fmt.Sprintf("lop3.b32 o0, i0, i1, i2, %d", table), "b32", []string{"b32", "b32", "b32"}, cross(words, 3),
			func(r []uint64) uint64 { return f(r[0], r[1], r[2]) & 0xffffffff })
	}
	// Selectors: identity, reverse, halves of both, sign of bytes 4 to 7.
	prmt := [][]uint64{
		{0x33221100, 0x77665544, 0x3210, 0x33221100}, {0x33221100, 0x77665544, 0x0123, 0x00112233},
		{0x33221100, 0x77665544, 0x5410, 0x55441100}, {0x33221100, 0x77665544, 0x7632, 0x77663322},
		{0x33221100, 0x80ff7f01, 0xfedc, 0xffff0000}, {0x33221100, 0x77665544, 0xffff3333, 0x33333333},
	}
	checkForm(t, "prmt.b32 o0, i0, i1, i2", "b32", []string{"b32", "b32", "b32", "b32"}, prmt, func(r []uint64) uint64 { return r[3] })
}

func TestSelection(t *testing.T) {
	for _, typ := range append(integerTypes, integerType{"b16", 16, false}, integerType{"b32", 32, false}, integerType{"b64", 64, false},
		integerType{"f32", 32, false}, integerType{"f64", 64, false}) {
		reg := typ.register()
		rows := [][]uint64{{5, 9, 0}, {5, 9, 1}, {0, 7, 1}, {7, 0, 0}}
		checkForm(t, "selp."+typ.name+" o0, i0, i1, i2", reg, []string{reg, reg, "pred"}, rows, func(r []uint64) uint64 { return r[1-r[2]] })
	}
}

func TestIntegerComparison(t *testing.T) {
	test := func(cmp string, c int) bool {
		switch cmp {
		case "eq":
			return c == 0
		case "ne":
			return c != 0
		case "lt", "lo":
			return c < 0
		case "le", "ls":
			return c <= 0
		case "gt", "hi":
			return c > 0
		}
		return c >= 0
	}
	types := append(integerTypes, integerType{"b16", 16, false}, integerType{"b32", 32, false}, integerType{"b64", 64, false})
	for _, typ := range types {
		for _, cmp := range []string{"eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs"} {
			reg := typ.register()
			holds := func(r []uint64) bool { return test(cmp, typ.value(r[0]).Cmp(typ.value(r[1]))) }
			checkForm(t, "setp."+cmp+"."+typ.name+" o0, i0, i1", "pred", []string{reg, reg}, cross(typ.edges(), 2),
				func(r []uint64) uint64 { return uint64(b2u(holds(r))) })
		}
	}
	// The combined forms: p = (a < b) op c, q = !(a < b) op c.
	for name, f := range map[string]func(a, b bool) bool{
		"and": func(a, b bool) bool { return a && b },
		"or":  func(a, b bool) bool { return a || b },
		"xor": func(a, b bool) bool { return a != b },
	} {
		for _, bang := range []string{"", "!"} {
			rows := cross([]uint64{0, 1, 2}, 3)
			got := runForm(t, "setp.lt."+name+".s32 o0|o1, i0, i1, "+bang+"i2", []string{"pred", "pred"}, []string{"b32", "b32", "pred"}, rows)
			for i, r := range rows {
				less, c := r[0] < r[1], (r[2] != 0) != (bang == "!")
				if want := [2]uint64{uint64(b2u(f(less, c))), uint64(b2u(f(!less, c)))}; [2]uint64(got[i]) != want {
					t.Errorf("setp.lt.%s %v with %sc = %v, want %v", name, r, bang, got[i], want)
				}
			}
		}
	}
}
