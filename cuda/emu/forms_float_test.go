package emu

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/testutil"
)

// format is a binary floating-point format: precision in bits and the exponent
// of the smallest subnormal.
type format struct {
	precision int
	least     int // exponent of the last place of subnormals
	top       int // values reach below 2^top
}

var (
	single   = format{24, -149, 128}
	twofold  = format{53, -1074, 1024}
	halfFmt  = format{11, -24, 16}
	bfloat16 = format{8, -133, 128}
)

// round rounds the exact x, not zero, to f, by definition: it is cut to a whole
// number of last places, and the rest decides. The value returned is exact in
// float64.
func (f format) round(x *big.Rat, rnd string) float64 {
	negative := x.Sign() < 0
	a := new(big.Rat).Abs(x)
	// The exponent e with 2^e <= a < 2^(e+1).
	e := a.Num().BitLen() - a.Denom().BitLen()
	for a.Cmp(pow2(e)) < 0 {
		e--
	}
	for a.Cmp(pow2(e+1)) >= 0 {
		e++
	}
	place := max(e-f.precision+1, f.least)
	scaled := new(big.Rat).Mul(a, pow2(-place))
	n, rest := new(big.Int).QuoRem(scaled.Num(), scaled.Denom(), new(big.Int))
	twice := new(big.Int).Lsh(rest, 1).Cmp(scaled.Denom())
	up := false
	switch rnd {
	case "rn":
		up = twice > 0 || twice == 0 && n.Bit(0) == 1
	case "rna":
		up = twice >= 0
	case "rp":
		up = !negative && rest.Sign() != 0
	case "rm":
		up = negative && rest.Sign() != 0
	}
	if up {
		n.Add(n, big.NewInt(1))
	}
	r := math.Ldexp(float64(n.Int64()), place)
	if r >= math.Ldexp(1, f.top) || math.IsInf(r, 0) {
		r = math.Inf(1)
		if rnd == "rz" || rnd == "rm" && !negative || rnd == "rp" && negative {
			r = math.Ldexp(float64(int64(1)<<f.precision-1), f.top-f.precision)
		}
	}
	if negative {
		r = -r
	}
	return r
}

func pow2(e int) *big.Rat {
	if e >= 0 {
		return new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(e)))
	}
	return new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), uint(-e)))
}

func rat(f float64) *big.Rat { return new(big.Rat).SetFloat64(f) }

func fbits(f float32) uint64 { return uint64(math.Float32bits(f)) }

// floatEdges are float32 at which rounding goes wrong, then random ones of all
// sizes.
func floatEdges(random int) []uint64 {
	v := []uint64{0, 0x80000000, 1, 0x80000001, 0x007fffff, 0x00800000, 0x3f800000, 0xbf800000, 0x3f800001, 0x3f7fffff,
		0x4b800000, 0x4b7fffff, 0x33800000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x40400000}
	rng := rand.New(rand.NewPCG(1, 2))
	for range random {
		v = append(v, uint64(rng.Uint32()))
	}
	for range random {
		// Near one another, so that sums cancel.
		v = append(v, 0x3f800000+uint64(rng.Uint32N(1<<25)))
	}
	return v
}

// special answers operations on infinities, NaN and zeros, where there is no
// exact value to round, by what float64 arithmetic says.
func special(v float64) (uint64, bool) {
	if v != v {
		return canonicalNaN, true
	}
	if math.IsInf(v, 0) {
		return fbits(float32(v)), true
	}
	return 0, false
}

func TestFloatRounding(t *testing.T) {
	testutil.Numerics(t)
	ops := []struct {
		name  string
		n     int
		exact func(a, b, c *big.Rat) *big.Rat // nil: the square root
		host  func(a, b, c float64) float64   // for specials and signs of zero
	}{
		{"add", 2, func(a, b, _ *big.Rat) *big.Rat { return new(big.Rat).Add(a, b) }, func(a, b, _ float64) float64 { return a + b }},
		{"sub", 2, func(a, b, _ *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) }, func(a, b, _ float64) float64 { return a - b }},
		{"mul", 2, func(a, b, _ *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }, func(a, b, _ float64) float64 { return a * b }},
		{"div", 2, func(a, b, _ *big.Rat) *big.Rat { return new(big.Rat).Quo(a, b) }, func(a, b, _ float64) float64 { return a / b }},
		{"fma", 3, func(a, b, c *big.Rat) *big.Rat { return new(big.Rat).Add(new(big.Rat).Mul(a, b), c) },
			func(a, b, c float64) float64 { return a*b + c }},
		{"rcp", 1, func(a, _, _ *big.Rat) *big.Rat { return new(big.Rat).Quo(big.NewRat(1, 1), a) }, func(a, _, _ float64) float64 { return 1 / a }},
		{"sqrt", 1, nil, func(a, _, _ float64) float64 { return math.Sqrt(a) }},
	}
	for _, op := range ops {
		values := floatEdges(map[int]int{1: 100, 2: 6, 3: 2}[op.n])
		if op.n == 3 {
			values = values[5:]
		}
		rows := cross(values, op.n)
		args := strings.Join([]string{"i0", "i1", "i2"}[:op.n], ", ")
		for _, rnd := range []string{"rn", "rz", "rm", "rp"} {
			want := func(row []uint64, flush bool) uint64 {
				var f [3]float64
				for i, u := range row {
					if flush && u&0x7f800000 == 0 {
						u &= 0x80000000
					}
					f[i] = float64(math.Float32frombits(uint32(u)))
				}
				host := op.host(f[0], f[1], f[2])
				if v, ok := special(host); ok {
					return v
				}
				var r float64
				if op.exact == nil {
					r = roundRoot(f[0], rnd)
				} else if math.IsInf(f[0], 0) || math.IsInf(f[1], 0) {
					return fbits(float32(host)) // a zero quotient
				} else {
					x := op.exact(rat(f[0]), rat(f[1]), rat(f[2]))
					if x.Sign() == 0 {
						// An exact zero sum of unlike signs is minus only rounding down.
						if rnd == "rm" && (op.name == "add" || op.name == "sub" || op.name == "fma") {
							terms := [2]float64{f[0], f[1]}
							switch op.name {
							case "sub":
								terms[1] = -f[1]
							case "fma":
								terms = [2]float64{f[0] * f[1], f[2]}
							}
							if math.Signbit(terms[0]) || math.Signbit(terms[1]) {
								return 0x80000000
							}
						}
						return fbits(float32(host))
					}
					r = single.round(x, rnd)
					if r == 0 {
						r = math.Copysign(0, float64(x.Sign()))
					}
				}
				v := fbits(float32(r))
				if flush && v&0x7f800000 == 0 {
					v &= 0x80000000
				}
				return v
			}
			in := []string{"f32", "f32", "f32"}[:op.n]
			checkForm(t, fmt.Sprintf("%s.%s.f32 o0, %s", op.name, rnd, args), "f32", in, rows, func(r []uint64) uint64 { return want(r, false) })
			checkForm(t, fmt.Sprintf("%s.%s.ftz.f32 o0, %s", op.name, rnd, args), "f32", in, rows, func(r []uint64) uint64 { return want(r, true) })
			if op.name == "div" || op.name == "rcp" || op.name == "sqrt" {
				continue
			}
			sat := func(v uint64) uint64 {
				switch f := math.Float32frombits(uint32(v)); {
				case !(f > 0):
					return 0
				case f > 1:
					return fbits(1)
				}
				return v
			}
			checkForm(t, fmt.Sprintf("%s.%s.sat.f32 o0, %s", op.name, rnd, args), "f32", in, rows, func(r []uint64) uint64 { return sat(want(r, false)) })
		}
	}
}

// roundRoot rounds the square root of a float32 by trying neighbours: r is the
// nearest below when r*r <= a < next*next.
func roundRoot(a float64, rnd string) float64 {
	if a == 0 {
		return a
	}
	r := float32(math.Sqrt(a))
	for rat(float64(r)).Mul(rat(float64(r)), rat(float64(r))).Cmp(rat(a)) > 0 {
		r = math.Nextafter32(r, 0)
	}
	for {
		next := rat(float64(math.Nextafter32(r, 2*r)))
		if new(big.Rat).Mul(next, next).Cmp(rat(a)) > 0 {
			break
		}
		r = math.Nextafter32(r, 2*r)
	}
	low, high := rat(float64(r)), rat(float64(math.Nextafter32(r, 2*r)))
	exact := new(big.Rat).Mul(low, low).Cmp(rat(a)) == 0
	middle := new(big.Rat).Mul(new(big.Rat).Add(low, high), big.NewRat(1, 2))
	above := new(big.Rat).Mul(middle, middle).Cmp(rat(a)) < 0
	if !exact && (rnd == "rp" || rnd == "rn" && above) {
		v, _ := high.Float64()
		return v
	}
	return float64(r)
}

// TestVectorLoops compares the loops and vector instructions of the hot forms
// with the lane-by-lane ones, which TestFloatRounding ties to the definition.
func TestVectorLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	rounds := map[string]func(a, b, c float64) float32{
		"fma.rn.f32": func(a, b, c float64) float32 { return fmaRound(a, b, c, "rn") },
		"add.rn.f32": func(a, b, _ float64) float32 { return add32f(a, b, "rn") },
		"sub.rn.f32": func(a, b, _ float64) float32 { return add32f(a, -b, "rn") },
		"mul.rn.f32": func(a, b, _ float64) float32 { return to32(a*b, "rn") },
	}
	loops := map[string][]run{
		"fma.rn.f32": {fmaNearest, fastFloat["fma.rn.f32"]},
		"add.rn.f32": {addNearest, fastFloat["add.rn.f32"]},
		"sub.rn.f32": {subNearest, fastFloat["sub.rn.f32"]},
		"mul.rn.f32": {mulNearest, fastFloat["mul.rn.f32"]},
	}
	edges := floatEdges(0)
	for range 2000 {
		w := &warp{r32: make([]lanes, 4)}
		for r := 1; r < 4; r++ {
			for i := range 32 {
				w.r32[r][i] = rng.Uint32()
				switch rng.IntN(4) {
				case 0:
					w.r32[r][i] = uint32(edges[rng.IntN(len(edges))])
				case 1:
					w.r32[r][i] = 0x3f800000 + rng.Uint32N(1<<24)
				}
			}
		}
		o := &op{d: 0, a: 1, b: 2, c: 3}
		for name, f := range rounds {
			for _, loop := range loops[name] {
				m := rng.Uint32() | uint32(-rng.IntN(2))
				for i := range 32 {
					w.r32[0][i] = 77
				}
				loop(w, o, m)
				for i := range 32 {
					want := uint32(77)
					if m>>i&1 == 1 {
						want = quiet(f(double(w.r32[1][i]), double(w.r32[2][i]), double(w.r32[3][i])))
					}
					if got := w.r32[0][i]; got != want {
						t.Fatalf("%s of %#x, %#x, %#x = %#x, want %#x", name, w.r32[1][i], w.r32[2][i], w.r32[3][i], got, want)
					}
				}
			}
		}
	}
}

func TestDoubles(t *testing.T) {
	testutil.Numerics(t)
	rng := rand.New(rand.NewPCG(5, 6))
	values := []float64{0, math.Copysign(0, -1), 1, -1, 1.5, math.Pi, -math.E, 1e300, -1e-300, math.Inf(1), math.Inf(-1), math.NaN(), 0x1p-1074, 3}
	for range 10 {
		values = append(values, rng.NormFloat64()*math.Ldexp(1, rng.IntN(200)-100))
	}
	var raw []uint64
	for _, v := range values {
		raw = append(raw, math.Float64bits(v))
	}
	exact := map[string]func(a, b, c *big.Rat) *big.Rat{
		"add.rn.f64 o0, i0, i1":     func(a, b, _ *big.Rat) *big.Rat { return new(big.Rat).Add(a, b) },
		"sub.rn.f64 o0, i0, i1":     func(a, b, _ *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) },
		"mul.rn.f64 o0, i0, i1":     func(a, b, _ *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) },
		"div.rn.f64 o0, i0, i1":     func(a, b, _ *big.Rat) *big.Rat { return new(big.Rat).Quo(a, b) },
		"fma.rn.f64 o0, i0, i1, i2": func(a, b, c *big.Rat) *big.Rat { return new(big.Rat).Add(new(big.Rat).Mul(a, b), c) },
		"rcp.rn.f64 o0, i0":         func(a, _, _ *big.Rat) *big.Rat { return new(big.Rat).Inv(a) },
	}
	for inst, f := range exact {
		n := strings.Count(inst, ",")
		rows := cross(raw, n)
		in := []string{"f64", "f64", "f64"}[:n]
		got := runForm(t, inst, []string{"f64"}, in, rows)
		faults := 0
		for i, r := range rows {
			var v [3]float64
			finite := true
			for j, u := range r {
				v[j] = math.Float64frombits(u)
				finite = finite && !math.IsInf(v[j], 0) && v[j] == v[j]
			}
			if !finite || strings.HasPrefix(inst, "div") && v[1] == 0 || strings.HasPrefix(inst, "rcp") && v[0] == 0 {
				continue
			}
			x := f(rat(v[0]), rat(v[1]), rat(v[2]))
			if x.Sign() == 0 {
				continue
			}
			if g, w := math.Float64frombits(got[i][0]), twofold.round(x, "rn"); g != w {
				if faults++; faults < 3 {
					t.Errorf("%s of %v = %v, want %v", inst, v, g, w)
				}
			}
		}
	}
	one := func(inst string, f func(a float64) float64) {
		checkForm(t, inst, "f64", []string{"f64"}, cross(raw[:11], 1), func(r []uint64) uint64 {
			return math.Float64bits(f(math.Float64frombits(r[0])))
		})
	}
	one("abs.f64 o0, i0", math.Abs)
	one("neg.f64 o0, i0", func(a float64) float64 {
		return math.Copysign(a, map[bool]float64{true: 1, false: -1}[math.Signbit(a)])
	})
	table := [][]uint64{}
	for _, r := range [][3]float64{{9, 3, 0}, {2, math.Sqrt2, 0}, {0, 0, 0}, {math.Inf(1), math.Inf(1), 0}} {
		table = append(table, []uint64{math.Float64bits(r[0]), math.Float64bits(r[1])})
	}
	checkForm(t, "sqrt.rn.f64 o0, i0", "f64", []string{"f64", "f64"}, table, func(r []uint64) uint64 { return r[1] })
}

// TestMinMax states the rules: a number beats NaN, unless .NaN is asked for,
// and minus zero is less than zero.
func TestMinMax(t *testing.T) {
	nan, minus := uint64(0x7fc00000), uint64(0x80000000)
	rows := [][]uint64{ // a, b, min, max
		{fbits(1), fbits(2), fbits(1), fbits(2)}, {fbits(2), fbits(1), fbits(1), fbits(2)},
		{fbits(-1), fbits(1), fbits(-1), fbits(1)}, {0, minus, minus, 0}, {minus, 0, minus, 0},
		{nan, fbits(3), fbits(3), fbits(3)}, {fbits(3), nan, fbits(3), fbits(3)}, {nan, nan, canonicalNaN, canonicalNaN},
		{0x7f800000, nan, 0x7f800000, 0x7f800000}, {1, 2, 1, 2},
	}
	in := []string{"f32", "f32", "b32", "b32"}
	checkForm(t, "min.f32 o0, i0, i1", "f32", in, rows, func(r []uint64) uint64 { return r[2] })
	checkForm(t, "max.f32 o0, i0, i1", "f32", in, rows, func(r []uint64) uint64 { return r[3] })
	nanWins := func(r []uint64, v uint64) uint64 {
		if r[0] == nan || r[1] == nan {
			return canonicalNaN
		}
		return v
	}
	checkForm(t, "min.NaN.f32 o0, i0, i1", "f32", in, rows, func(r []uint64) uint64 { return nanWins(r, r[2]) })
	checkForm(t, "max.NaN.f32 o0, i0, i1", "f32", in, rows, func(r []uint64) uint64 { return nanWins(r, r[3]) })
	checkForm(t, "min.ftz.f32 o0, i0, i1", "f32", in, [][]uint64{{1, 2, 0, 0}}, func(r []uint64) uint64 { return 0 })
	checkForm(t, "max.ftz.f32 o0, i0, i1", "f32", in, [][]uint64{{1, 2, 0, 0}}, func(r []uint64) uint64 { return 0 })
	var doubles [][]uint64
	for _, r := range [][3]float64{{1, 2, 1}, {math.NaN(), 4, 4}, {-5, math.NaN(), -5}, {-1, -2, -2}} {
		doubles = append(doubles, []uint64{math.Float64bits(r[0]), math.Float64bits(r[1]), math.Float64bits(r[2])})
	}
	checkForm(t, "min.f64 o0, i0, i1", "f64", []string{"f64", "f64", "f64"}, doubles, func(r []uint64) uint64 { return r[2] })
	doubles = doubles[1:3]
	checkForm(t, "max.f64 o0, i0, i1", "f64", []string{"f64", "f64", "f64"}, doubles, func(r []uint64) uint64 { return r[2] })

	signs := [][]uint64{{fbits(-1), fbits(5), fbits(-5)}, {0, fbits(-5), fbits(5)}, {minus, 0, minus}}
	checkForm(t, "copysign.f32 o0, i0, i1", "f32", []string{"f32", "f32", "f32"}, signs, func(r []uint64) uint64 { return r[2] })
	checkForm(t, "copysign.f64 o0, i0, i1", "f64", []string{"f64", "f64"}, [][]uint64{{1 << 63, 5}}, func(r []uint64) uint64 { return 1<<63 | 5 })
	checkForm(t, "abs.f32 o0, i0", "f32", []string{"f32"}, [][]uint64{{fbits(-3)}, {minus}}, func(r []uint64) uint64 { return r[0] &^ minus })
	checkForm(t, "neg.f32 o0, i0", "f32", []string{"f32"}, [][]uint64{{fbits(-3)}, {0}}, func(r []uint64) uint64 { return r[0] ^ minus })
	checkForm(t, "abs.ftz.f32 o0, i0", "f32", []string{"f32"}, [][]uint64{{0x80000001}}, func(r []uint64) uint64 { return 0 })
	checkForm(t, "neg.ftz.f32 o0, i0", "f32", []string{"f32"}, [][]uint64{{1}}, func(r []uint64) uint64 { return minus })
}

// TestApproximations checks the approximate forms against float64 within the
// error the manual allows them, and their values at the edges exactly.
func TestApproximations(t *testing.T) {
	inf := math.Inf(1)
	ops := []struct {
		inst string
		rel  float64 // allowed relative error
		abs  float64
		f    func(a, b float64) float64
		args [][2]float64
	}{
		{"rcp.approx.f32 o0, i0", 0x1p-23, 0, func(a, _ float64) float64 { return 1 / a }, [][2]float64{{3}, {-7}, {inf}, {0}, {1e20}}},
		{"sqrt.approx.f32 o0, i0", 0x1p-23, 0, func(a, _ float64) float64 { return math.Sqrt(a) }, [][2]float64{{3}, {0}, {inf}, {1e-30}}},
		{"rsqrt.approx.f32 o0, i0", 0x1p-22, 0, func(a, _ float64) float64 { return 1 / math.Sqrt(a) }, [][2]float64{{3}, {inf}, {1e-30}, {5e9}}},
		{"sin.approx.f32 o0, i0", 0, 0x1p-20, func(a, _ float64) float64 { return math.Sin(a) }, [][2]float64{{0}, {1}, {-3}, {3.14159}}},
		{"cos.approx.f32 o0, i0", 0, 0x1p-20, func(a, _ float64) float64 { return math.Cos(a) }, [][2]float64{{0}, {1}, {-3}, {3.14159}}},
		{"ex2.approx.f32 o0, i0", 0x1p-22, 0, func(a, _ float64) float64 { return math.Exp2(a) }, [][2]float64{{0}, {1}, {-3.3}, {20.7}, {-inf}, {200}}},
		{"lg2.approx.f32 o0, i0", 0x1p-22, 0x1p-22, func(a, _ float64) float64 { return math.Log2(a) }, [][2]float64{{1}, {2}, {0.7}, {1e30}, {0}, {inf}}},
		{"tanh.approx.f32 o0, i0", 0x1p-11, 0, func(a, _ float64) float64 { return math.Tanh(a) }, [][2]float64{{0}, {1}, {-3}, {inf}}},
		{"div.approx.f32 o0, i0, i1", 2 * 0x1p-23, 0, func(a, b float64) float64 { return a / b }, [][2]float64{{1, 3}, {-7, 0.3}, {1, 0}, {5, inf}}},
		{"div.full.f32 o0, i0, i1", 2 * 0x1p-23, 0, func(a, b float64) float64 { return a / b }, [][2]float64{{1, 3}, {-7, 0.3}, {1, 0}, {5, inf}}},
	}
	for _, op := range ops {
		var rows [][]uint64
		for _, a := range op.args {
			rows = append(rows, []uint64{fbits(float32(a[0])), fbits(float32(a[1]))})
		}
		insts := []string{op.inst, strings.Replace(op.inst, ".f32", ".ftz.f32", 1)}
		if strings.HasPrefix(op.inst, "tanh") {
			insts = insts[:1]
		}
		for _, inst := range insts {
			got := runForm(t, inst, []string{"f32"}, []string{"f32", "f32"}, rows)
			for i, r := range rows {
				want := op.f(float64(math.Float32frombits(uint32(r[0]))), float64(math.Float32frombits(uint32(r[1]))))
				g := float64(math.Float32frombits(uint32(got[i][0])))
				if float32(want) != float32(g) && !(math.Abs(g-want) <= op.abs+op.rel*math.Abs(want)) {
					t.Errorf("%s of %v = %v, want %v", inst, op.args[i], g, want)
				}
			}
		}
	}
	// A divisor above 2^126 makes div.approx zero, or NaN for an infinity.
	big := fbits(0x1p127)
	checkForm(t, "div.approx.f32 o0, i0, i1", "f32", []string{"f32", "f32", "b32"},
		[][]uint64{{fbits(0x1p127), big, 0}, {0x7f800000, big, canonicalNaN}, {fbits(-1), big, 0x80000000}}, func(r []uint64) uint64 { return r[2] })
}

func TestFloatComparison(t *testing.T) {
	values := []float64{0, math.Copysign(0, -1), 1, -1, math.Inf(1), math.Inf(-1), math.NaN(), 0x1p-140}
	ordered := map[string]func(a, b float64) bool{
		"eq": func(a, b float64) bool { return a == b }, "ne": func(a, b float64) bool { return a < b || a > b },
		"lt": func(a, b float64) bool { return a < b }, "le": func(a, b float64) bool { return a <= b },
		"gt": func(a, b float64) bool { return a > b }, "ge": func(a, b float64) bool { return a >= b },
	}
	for _, typ := range []string{"f32", "f64"} {
		var raw []uint64
		for _, v := range values {
			if typ == "f32" {
				raw = append(raw, fbits(float32(v)))
			} else {
				raw = append(raw, math.Float64bits(v))
			}
		}
		value := func(u uint64) float64 {
			if typ == "f32" {
				return float64(math.Float32frombits(uint32(u)))
			}
			return math.Float64frombits(u)
		}
		check := func(inst string, f func(a, b float64) bool) {
			checkForm(t, inst+" o0, i0, i1", "pred", []string{typ, typ}, cross(raw, 2), func(r []uint64) uint64 {
				return uint64(b2u(f(value(r[0]), value(r[1]))))
			})
		}
		isNaN := func(a, b float64) bool { return math.IsNaN(a) || math.IsNaN(b) }
		for name, f := range ordered {
			check("setp."+name+"."+typ, f)
			check("setp."+name+"u."+typ, func(a, b float64) bool { return f(a, b) || isNaN(a, b) })
			if typ == "f32" {
				check("setp."+name+".ftz.f32", func(a, b float64) bool {
					if math.Abs(a) < 0x1p-126 {
						a = 0
					}
					if math.Abs(b) < 0x1p-126 {
						b = 0
					}
					return f(a, b)
				})
			}
		}
		check("setp.num."+typ, func(a, b float64) bool { return !isNaN(a, b) })
		check("setp.nan."+typ, isNaN)
		tests := map[string]func(a float64) bool{
			"finite": func(a float64) bool { return !math.IsNaN(a) && !math.IsInf(a, 0) }, "infinite": func(a float64) bool { return math.IsInf(a, 0) },
			"number": func(a float64) bool { return !math.IsNaN(a) }, "notanumber": math.IsNaN,
			"normal": func(a float64) bool {
				return math.Abs(a) >= 0x1p-126 && !math.IsInf(a, 0) || typ == "f64" && a == 0x1p-140
			},
			"subnormal": func(a float64) bool { return typ == "f32" && a == 0x1p-140 },
		}
		for name, f := range tests {
			checkForm(t, "testp."+name+"."+typ+" o0, i0", "pred", []string{typ}, cross(raw, 1), func(r []uint64) uint64 { return uint64(b2u(f(value(r[0])))) })
		}
	}
}
