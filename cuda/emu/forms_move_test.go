package emu

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/impasto/impasto/internal/testutil"
)

func TestMoves(t *testing.T) {
	for _, typ := range []string{"b16", "u16", "s16", "b32", "u32", "s32", "f32", "b64", "u64", "s64", "f64"} {
		reg := map[string]string{"16": "b16", "32": "b32", "64": "b64"}[typ[1:]]
		checkForm(t, "mov."+typ+" o0, i0", reg, []string{reg}, [][]uint64{{0x1234}, {0}}, func(r []uint64) uint64 { return r[0] })
	}
	checkForm(t, "mov.pred o0, i0", "pred", []string{"pred"}, [][]uint64{{0}, {1}}, func(r []uint64) uint64 { return r[0] })
	checkForm(t, "mov.f32 o0, 0fC0490FDB", "f32", []string{"b32"}, [][]uint64{{0}}, func([]uint64) uint64 { return 0xc0490fdb })
	checkForm(t, "mov.f32 o0, -2.5", "f32", []string{"b32"}, [][]uint64{{0}}, func([]uint64) uint64 { return fbits(-2.5) })
	checkForm(t, "mov.f64 o0, 0d400921FB54442D18", "f64", []string{"b32"}, [][]uint64{{0}}, func([]uint64) uint64 { return math.Float64bits(math.Pi) })
	checkForm(t, "mov.b32 o0, -1", "b32", []string{"b32"}, [][]uint64{{0}}, func([]uint64) uint64 { return 0xffffffff })
	checkForm(t, "mov.b32 o0, {i0, i1}", "b32", []string{"b16", "b16"}, [][]uint64{{0x1122, 0x3344}}, func([]uint64) uint64 { return 0x33441122 })
	checkForm(t, "mov.b64 o0, {i0, i1}", "b64", []string{"b32", "b32"}, [][]uint64{{1, 2}}, func([]uint64) uint64 { return 2<<32 | 1 })
	checkForm(t, "mov.b64 o0, {i0, i1, i2, i3}", "b64", []string{"b16", "b16", "b16", "b16"}, [][]uint64{{1, 2, 3, 4}}, func([]uint64) uint64 { return 0x0004000300020001 })
	got := runForm(t, "mov.b64 {o0, o1}, i0", []string{"b32", "b32"}, []string{"b64"}, [][]uint64{{7<<32 | 9}})
	if got[0][0] != 9 || got[0][1] != 7 {
		t.Errorf("mov.b64 {o0, o1} = %v", got)
	}
	got = runForm(t, "mov.b32 {_, o0}, i0", []string{"b16"}, []string{"b32"}, [][]uint64{{0x55667788}})
	if got[0][0] != 0x5566 {
		t.Errorf("mov.b32 {_, o0} = %#x", got)
	}
	for reg, want := range map[string]func(i uint64) uint64{
		"%tid.x": func(i uint64) uint64 { return i % 32 }, "%ctaid.x": func(i uint64) uint64 { return i / 32 },
		"%ntid.x": func(uint64) uint64 { return 32 }, "%nctaid.x": func(uint64) uint64 { return 2 },
		"%laneid": func(i uint64) uint64 { return i % 32 }, "%warpid": func(uint64) uint64 { return 0 },
		"%lanemask_lt": func(i uint64) uint64 { return 1<<(i%32) - 1 }, "%lanemask_le": func(i uint64) uint64 { return 2<<(i%32) - 1 },
		"%lanemask_eq": func(i uint64) uint64 { return 1 << (i % 32) },
		"%lanemask_ge": func(i uint64) uint64 { return 0xffffffff &^ (1<<(i%32) - 1) },
		"%lanemask_gt": func(i uint64) uint64 { return 0xffffffff &^ (2<<(i%32) - 1) },
		"%tid.y":       func(uint64) uint64 { return 0 }, "%ntid.z": func(uint64) uint64 { return 1 }, "%ctaid.z": func(uint64) uint64 { return 0 },
	} {
		var rows [][]uint64
		for i := range uint64(40) {
			rows = append(rows, []uint64{i})
		}
		checkForm(t, "mov.u32 o0, "+reg, "b32", []string{"b32"}, rows, func(r []uint64) uint64 { return want(r[0]) })
	}
	if a := runForm(t, "mov.u64 o0, %clock64", []string{"b64"}, []string{"b32"}, [][]uint64{{0}}); a[0][0] == 0 {
		t.Errorf("the clock reads %d", a[0][0])
	}
}

func TestIntegerConversion(t *testing.T) {
	types := append([]integerType{{"u8", 8, false}, {"s8", 8, true}}, integerTypes...)
	register := func(t integerType) string { return fmt.Sprintf("b%d", max(t.bits, 16)) }
	for _, from := range types {
		for _, to := range types {
			want := func(sat bool) func(r []uint64) uint64 {
				return func(r []uint64) uint64 {
					v := from.value(r[0])
					if sat {
						v = clampBig(v, to)
					}
					u := cut(v, to.bits)
					// A narrower result is extended to the register.
					return cut(to.value(u), max(to.bits, 16))
				}
			}
			rows := cross(from.edges(), 1)
			inst := to.name + "." + from.name + " o0, i0"
			checkForm(t, "cvt."+inst, register(to), []string{register(from)}, rows, want(false))
			checkForm(t, "cvt.sat."+inst, register(to), []string{register(from)}, rows, want(true))
		}
		for _, rnd := range []string{"rn", "rz", "rm", "rp"} {
			rows := cross(append(from.edges(), 0xffffff7fffffffff&(1<<(from.bits-1)-1)), 1)
			for _, f := range []format{single, twofold} {
				name := map[int]string{24: "f32", 53: "f64"}[f.precision]
				checkForm(t, "cvt."+rnd+"."+name+"."+from.name+" o0, i0", name, []string{register(from)}, rows, func(r []uint64) uint64 {
					v := from.value(r[0])
					x := 0.0
					if v.Sign() != 0 {
						x = f.round(new(big.Rat).SetInt(v), rnd)
					}
					if name == "f32" {
						return fbits(float32(x))
					}
					return math.Float64bits(x)
				})
			}
		}
	}
}

// whole rounds to a whole number by the definition of each mode.
func whole(x float64, rnd string) float64 {
	low := math.Floor(x)
	switch rnd {
	case "rmi":
		return low
	case "rpi":
		return -math.Floor(-x)
	case "rzi":
		if x < 0 {
			return -math.Floor(-x)
		}
		return low
	}
	switch d := x - low; {
	case d < 0.5 || d == 0.5 && math.Mod(low, 2) == 0:
		return low
	case d >= 0.5:
		return low + 1
	}
	return x
}

func TestFloatToInteger(t *testing.T) {
	values := []float64{0, 0.4, 0.5, 0.6, 1.5, 2.5, -0.5, -0.6, -1.5, -2.5, 126.5, 127.5, 254.5, 255.5, -128.5, 32767.5, 65535.5,
		2147483520, 2147483648, -2147483648, 4294967040, 4294967296, 1e18, 1e19, 2e19, -1e19, math.Inf(1), math.Inf(-1), math.NaN()}
	types := append([]integerType{{"u8", 8, false}, {"s8", 8, true}}, integerTypes...)
	for _, to := range types {
		reg := fmt.Sprintf("b%d", max(to.bits, 16))
		for _, rnd := range []string{"rni", "rzi", "rmi", "rpi"} {
			for _, typ := range []string{"f32", "f64"} {
				var rows [][]uint64
				for _, v := range values {
					if typ == "f32" {
						rows = append(rows, []uint64{fbits(float32(v))})
					} else {
						rows = append(rows, []uint64{math.Float64bits(v)})
					}
				}
				checkForm(t, "cvt."+rnd+"."+to.name+"."+typ+" o0, i0", reg, []string{typ}, rows, func(r []uint64) uint64 {
					x := math.Float64frombits(r[0])
					if typ == "f32" {
						x = float64(math.Float32frombits(uint32(r[0])))
					}
					var u uint64
					switch {
					case math.IsNaN(x) && to.bits == 64:
						u = 1 << 63
					case math.IsNaN(x):
						u = 0
					case math.IsInf(x, 0):
						v := new(big.Int).Lsh(big.NewInt(int64(math.Copysign(1, x))), 70)
						u = cut(clampBig(v, to), to.bits)
					default:
						v, _ := big.NewFloat(whole(x, rnd)).Int(nil)
						u = cut(clampBig(v, to), to.bits)
					}
					return cut(to.value(u), max(to.bits, 16))
				})
			}
		}
	}
	for _, rnd := range []string{"rni", "rzi", "rmi", "rpi"} {
		var f32s, f64s [][]uint64
		for _, v := range values[:26] {
			f32s = append(f32s, []uint64{fbits(float32(v))})
			f64s = append(f64s, []uint64{math.Float64bits(v)})
		}
		checkForm(t, "cvt."+rnd+".f32.f32 o0, i0", "f32", []string{"f32"}, f32s, func(r []uint64) uint64 {
			x := float64(math.Float32frombits(uint32(r[0])))
			return fbits(float32(math.Copysign(whole(x, rnd), x)))
		})
		checkForm(t, "cvt."+rnd+".f64.f64 o0, i0", "f64", []string{"f64"}, f64s, func(r []uint64) uint64 {
			x := math.Float64frombits(r[0])
			return math.Float64bits(math.Copysign(whole(x, rnd), x))
		})
	}
}

func TestFloatConversion(t *testing.T) {
	testutil.Numerics(t)
	values := []float64{1, -1, 1 + 0x1p-24, 1 + 0x1p-23 + 0x1p-24, 1 + 0x1p-24 + 0x1p-50, math.Pi, -math.E, 1e39, -1e39, 1e-40, -1e-46, 0x1p-149, 0x1p-150,
		0x1.8p-150, 3.4028235677973366e38, 65504, 65519, 65520, -70000, 0x1p-24, 0x1p-25, 0x1.8p-25, 6e-6, 1 + 0x1p-11, 1 + 3*0x1p-11, 1 + 0x1p-8, 1 + 3*0x1p-8}
	var rows64, rows32 [][]uint64
	for _, v := range values {
		rows64 = append(rows64, []uint64{math.Float64bits(v)})
		rows32 = append(rows32, []uint64{fbits(float32(v))})
	}
	signed := func(x float64, u uint64) float64 { return math.Copysign(x, math.Float64frombits(u)) }
	for _, rnd := range []string{"rn", "rz", "rm", "rp"} {
		checkForm(t, "cvt."+rnd+".f32.f64 o0, i0", "f32", []string{"f64"}, rows64, func(r []uint64) uint64 {
			return fbits(float32(signed(single.round(rat(math.Float64frombits(r[0])), rnd), r[0])))
		})
	}
	finite32 := func(f format, rnd string, pack func(x float64) uint64) func(r []uint64) uint64 {
		return func(r []uint64) uint64 {
			x := float64(math.Float32frombits(uint32(r[0])))
			if math.IsInf(x, 0) || x == 0 {
				return pack(x)
			}
			return pack(math.Copysign(f.round(rat(x), rnd), x))
		}
	}
	checkForm(t, "cvt.rn.f16.f32 o0, i0", "b16", []string{"f32"}, rows32, finite32(halfFmt, "rn", packHalf))
	checkForm(t, "cvt.rn.bf16.f32 o0, i0", "b16", []string{"f32"}, rows32, finite32(bfloat16, "rn", func(x float64) uint64 { return fbits(float32(x)) >> 16 }))
	checkForm(t, "cvt.rna.tf32.f32 o0, i0", "b32", []string{"f32"}, rows32, func(r []uint64) uint64 {
		x := float64(math.Float32frombits(uint32(r[0])))
		if math.IsInf(x, 0) || x == 0 {
			return r[0]
		}
		return fbits(float32(math.Copysign(format{11, -136, 128}.round(rat(x), "rna"), x)))
	})
	checkForm(t, "cvt.rn.f16x2.f32 o0, i0, i1", "b32", []string{"f32", "f32"}, [][]uint64{{fbits(1), fbits(-2)}}, func([]uint64) uint64 { return 0x3c00c000 })
	checkForm(t, "cvt.rn.bf16x2.f32 o0, i0, i1", "b32", []string{"f32", "f32"}, [][]uint64{{fbits(1), fbits(-2)}}, func([]uint64) uint64 { return 0x3f80c000 })
	// Every binary16 there is, but NaN.
	var halves [][]uint64
	for h := range uint64(1 << 16) {
		if h&0x7fff <= 0x7c00 {
			halves = append(halves, []uint64{h})
		}
	}
	checkForm(t, "cvt.f32.f16 o0, i0", "f32", []string{"b16"}, halves, func(r []uint64) uint64 { return fbits(float32(unpackHalf(r[0]))) })
	checkForm(t, "cvt.f64.f32 o0, i0", "f64", []string{"f32"}, rows32, func(r []uint64) uint64 {
		return math.Float64bits(float64(math.Float32frombits(uint32(r[0]))))
	})
	three := [][]uint64{{fbits(-1)}, {fbits(0.5)}, {fbits(7)}, {0x7fc00000}, {1}}
	want := map[uint64]uint64{fbits(-1): 0, fbits(0.5): fbits(0.5), fbits(7): fbits(1), 0x7fc00000: 0, 1: 1}
	checkForm(t, "cvt.sat.f32.f32 o0, i0", "f32", []string{"f32"}, three, func(r []uint64) uint64 { return want[r[0]] })
	want[1] = 0
	checkForm(t, "cvt.ftz.sat.f32.f32 o0, i0", "f32", []string{"f32"}, three, func(r []uint64) uint64 { return want[r[0]] })
}

// packHalf and unpackHalf are binary16 by its definition: value =
// (1 + fraction/1024) * 2^(exponent-15), or fraction * 2^-24 for exponent 0.
func packHalf(x float64) uint64 {
	sign := uint64(0)
	if math.Signbit(x) {
		sign = 0x8000
	}
	for h := range uint64(0x7c01) {
		if unpackHalf(h) == math.Abs(x) {
			return sign | h
		}
	}
	return 0xdead
}

func unpackHalf(h uint64) float64 {
	sign := 1 - 2*float64(h>>15)
	e, f := int(h>>10&31), float64(h&1023)
	switch e {
	case 0:
		return math.Copysign(f*0x1p-24, sign)
	case 31:
		return sign * math.Inf(1)
	}
	return sign * (1 + f/1024) * math.Ldexp(1, e-15)
}
