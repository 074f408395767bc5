package emu

import (
	"math"

	"github.com/impasto/impasto/cuda/ptx"
)

// This file has floating-point arithmetic. fma, add, sub and mul to nearest, and
// min and max, have loops of their own. Every other form computes lane by lane with
// a function of float64 and a rounding.

var (
	// fmaNearest rounds once. float64(a)*b is exact, and adding c rounds to 53
	// bits. Rounding that to 24 bits is wrong only if it lies exactly between two
	// float32, or is subnormal in float32. Those cases, and NaN, use the slow
	// method.
	fmaNearest = alu(func(d, a, b, c *lanes) {
		for i := range d {
			s := double(a[i])*double(b[i]) + double(c[i])
			u := math.Float64bits(s)
			if u&0x1fffffff == 0x10000000 || (u>>52&0x7ff)-897 > 1149 {
				if s == 0 {
					d[i] = bits32(float32(s))
				} else {
					d[i] = quiet(fmaRound(double(a[i]), double(b[i]), double(c[i]), "rn"))
				}
				continue
			}
			d[i] = bits32(float32(s))
		}
	})
	addNearest = alu(func(d, a, b, _ *lanes) {
		for i := range d {
			r := float(a[i]) + float(b[i])
			d[i] = bits32(r)
			if r != r {
				d[i] = canonicalNaN
			}
		}
	})
	subNearest = alu(func(d, a, b, _ *lanes) {
		for i := range d {
			r := float(a[i]) - float(b[i])
			d[i] = bits32(r)
			if r != r {
				d[i] = canonicalNaN
			}
		}
	})
	mulNearest = alu(func(d, a, b, _ *lanes) {
		for i := range d {
			r := float(a[i]) * float(b[i])
			d[i] = bits32(r)
			if r != r {
				d[i] = canonicalNaN
			}
		}
	})
	// If one operand of min and max is NaN, the result is the other operand.
	max32 = alu(func(d, a, b, _ *lanes) {
		for i := range d {
			r := max(float(a[i]), float(b[i]))
			d[i] = bits32(r)
			if r != r {
				d[i] = numberOf(a[i], b[i])
			}
		}
	})
	min32 = alu(func(d, a, b, _ *lanes) {
		for i := range d {
			r := min(float(a[i]), float(b[i]))
			d[i] = bits32(r)
			if r != r {
				d[i] = numberOf(a[i], b[i])
			}
		}
	})
)

// numberOf returns the one of a and b that is not NaN, if there is one.
func numberOf(a, b uint32) uint32 {
	switch {
	case canonical(a):
		return a
	case canonical(b):
		return b
	}
	return canonicalNaN
}

var fastFloat = map[string]run{
	"fma.rn.f32": fmaNearest, "add.rn.f32": addNearest, "sub.rn.f32": subNearest, "mul.rn.f32": mulNearest,
	"max.f32": max32, "min.f32": min32,
	"neg.f32": each(func(a, _, _ uint32) uint32 { return a ^ 1<<31 }),
	"abs.f32": each(func(a, _, _ uint32) uint32 { return a &^ (1 << 31) }),

	"add.rn.f64":   eachF64(func(a, b, _ float64) float64 { return float64(a + b) }),
	"sub.rn.f64":   eachF64(func(a, b, _ float64) float64 { return float64(a - b) }),
	"mul.rn.f64":   eachF64(func(a, b, _ float64) float64 { return float64(a * b) }),
	"div.rn.f64":   eachF64(func(a, b, _ float64) float64 { return a / b }),
	"rcp.rn.f64":   eachF64(func(a, _, _ float64) float64 { return 1 / a }),
	"sqrt.rn.f64":  eachF64(func(a, _, _ float64) float64 { return math.Sqrt(a) }),
	"fma.rn.f64":   eachF64(math.FMA),
	"neg.f64":      each64(func(a, _, _ uint64) uint64 { return a ^ 1<<63 }),
	"abs.f64":      each64(func(a, _, _ uint64) uint64 { return a &^ (1 << 63) }),
	"min.f64":      eachF64(func(a, b, _ float64) float64 { return lower(a, b) }),
	"max.f64":      eachF64(func(a, b, _ float64) float64 { return higher(a, b) }),
	"copysign.f32": each(func(a, b, _ uint32) uint32 { return a&(1<<31) | b&^(1<<31) }),
	"copysign.f64": each64(func(a, b, _ uint64) uint64 { return a&(1<<63) | b&^(1<<63) }),
}

// lower and higher are min and max. If one operand is NaN, the result is the other.
func lower(a, b float64) float64 {
	switch {
	case a != a:
		return b
	case b != b:
		return a
	}
	return min(a, b)
}

func higher(a, b float64) float64 { return -lower(-a, -b) }

// float32Ops are the operations on f32, from exact float64 operands to a
// result rounded as rnd says.
var float32Ops = map[string]func(a, b, c float64, rnd string) float32{
	"add":     func(a, b, _ float64, rnd string) float32 { return add32f(a, b, rnd) },
	"sub":     func(a, b, _ float64, rnd string) float32 { return add32f(a, -b, rnd) },
	"mul":     func(a, b, _ float64, rnd string) float32 { return to32(a*b, rnd) },
	"fma":     fmaRound,
	"div":     func(a, b, _ float64, rnd string) float32 { return to32(quotientOdd(a, b), rnd) },
	"rcp":     func(a, _, _ float64, rnd string) float32 { return to32(quotientOdd(1, a), rnd) },
	"sqrt":    func(a, _, _ float64, rnd string) float32 { return to32(sqrtOdd(a), rnd) },
	"abs":     func(a, _, _ float64, _ string) float32 { return float32(math.Abs(a)) },
	"neg":     func(a, _, _ float64, _ string) float32 { return float32(-a) },
	"min":     func(a, b, _ float64, _ string) float32 { return float32(lower(a, b)) },
	"max":     func(a, b, _ float64, _ string) float32 { return float32(higher(a, b)) },
	"min.NaN": func(a, b, _ float64, _ string) float32 { return float32(min(a, b)) },
	"max.NaN": func(a, b, _ float64, _ string) float32 { return float32(max(a, b)) },

	// The manual limits the error of approximations. Here they are as exact as one
	// rounding allows.
	"div.full": func(a, b, _ float64, _ string) float32 { return float32(a / b) },
	"div.approx": func(a, b, _ float64, _ string) float32 {
		// The reciprocal of a divisor of 2^126 or more underflows to zero.
		if m := math.Abs(b); m > 0x1p126 && m < 0x1p128 {
			return float32(a * math.Copysign(0, b))
		}
		return float32(a / b)
	},
	"rcp.approx":   func(a, _, _ float64, _ string) float32 { return float32(1 / a) },
	"sqrt.approx":  func(a, _, _ float64, _ string) float32 { return float32(math.Sqrt(a)) },
	"rsqrt.approx": func(a, _, _ float64, _ string) float32 { return float32(1 / math.Sqrt(a)) },
	"sin.approx":   func(a, _, _ float64, _ string) float32 { return float32(math.Sin(a)) },
	"cos.approx":   func(a, _, _ float64, _ string) float32 { return float32(math.Cos(a)) },
	"ex2.approx":   func(a, _, _ float64, _ string) float32 { return float32(math.Exp2(a)) },
	"lg2.approx":   func(a, _, _ float64, _ string) float32 { return float32(math.Log2(a)) },
	"tanh.approx":  func(a, _, _ float64, _ string) float32 { return float32(math.Tanh(a)) },
}

func decodeFloat(d *decoding) run {
	d.o.d = d.dest(0)
	d.srcs(1)
	if f, ok := fastFloat[d.in.Text]; ok {
		return f
	}
	key := d.in.Op
	switch {
	case d.in.Has("approx"):
		key += ".approx"
	case d.in.Has("acc"):
		key += "." + d.in.Mods["acc"]
	case d.in.Has("NaN"):
		key += ".NaN"
	}
	f, ok := float32Ops[key]
	if !ok || d.typ() != ptx.F32 {
		return nil
	}
	rnd, ftz, sat := d.in.Mods["rnd"], d.in.Has("ftz"), d.in.Has("sat")
	return each(func(a, b, c uint32) uint32 {
		if ftz {
			a, b, c = flush(a), flush(b), flush(c)
		}
		r := f(double(a), double(b), double(c), rnd)
		if sat {
			r = saturated(r)
		}
		if ftz {
			return flush(quiet(r))
		}
		return quiet(r)
	})
}

// decodeTestp decodes testp, which tests the kind of number that a is.
func decodeTestp(d *decoding) run {
	t := d.typ()
	d.o.d, d.o.a = d.reg(&d.in.Args[0], ptx.Pred), d.source(1, t)
	smallest := 0x1p-126
	if t == ptx.F64 {
		smallest = 0x1p-1022
	}
	test := map[string]func(f float64) bool{
		"finite":     func(f float64) bool { return f-f == 0 },
		"infinite":   func(f float64) bool { return math.IsInf(f, 0) },
		"number":     func(f float64) bool { return f == f },
		"notanumber": func(f float64) bool { return f != f },
		"normal":     func(f float64) bool { return f-f == 0 && math.Abs(f) >= smallest },
		"subnormal":  func(f float64) bool { return f != 0 && math.Abs(f) < smallest },
	}[d.in.Mods["test"]]
	return func(w *warp, o *op, m uint32) {
		var r uint32
		for i := range 32 {
			f := 0.0
			if t == ptx.F64 {
				f = math.Float64frombits(w.r64[o.a][i])
			} else {
				f = double(w.r32[o.a][i])
			}
			r |= b2u(test(f)) << i
		}
		w.setPred(o.d, m, r)
	}
}

func init() {
	for _, name := range []string{"fma", "rcp", "sqrt", "rsqrt", "sin", "cos", "ex2", "lg2", "tanh", "copysign"} {
		decoders[name] = decodeFloat
	}
	decoders["testp"] = decodeTestp
}
