package emu

import "math"

// Arithmetic on float32 with each of the four roundings, by way of float64.
//
// A float64 holds the product of two float32 exactly and their sum nearly. To
// round only once, the float64 is first rounded to odd: if the exact value lies
// between two float64, the one with an odd last bit is taken. With more than two
// extra bits, rounding that to float32 in any direction is then the same as
// rounding the exact value (Boldo and Melquiond, "Emulation of FMA and correctly
// rounded sums", 2008).

func bits32(f float32) uint32 { return math.Float32bits(f) }
func float(u uint32) float32  { return math.Float32frombits(u) }
func double(u uint32) float64 { return float64(math.Float32frombits(u)) }
func canonical(u uint32) bool { return u&0x7fffffff <= 0x7f800000 }
func quiet(f float32) uint32 {
	if f != f {
		return canonicalNaN
	}
	return bits32(f)
}

// canonicalNaN is the NaN that arithmetic on f32 makes.
const canonicalNaN = 0x7fffffff

// odd rounds an exact value to odd. s is the float64 nearest to the exact value,
// and err has the sign of their difference.
func odd(s, err float64) float64 {
	u := math.Float64bits(s)
	if err == 0 || u&1 == 1 || math.IsInf(s, 0) || s != s {
		return s
	}
	if s == 0 {
		return math.Copysign(math.SmallestNonzeroFloat64, err)
	}
	if (err > 0) == (s > 0) {
		return math.Float64frombits(u + 1)
	}
	return math.Float64frombits(u - 1)
}

// sumOdd is a + b rounded to odd (the error by Knuth's two-sum).
func sumOdd(a, b float64) float64 {
	s := float64(a + b)
	bb := float64(s - a)
	err := float64(float64(a-float64(s-bb)) + float64(b-bb))
	if s != s || math.IsInf(s, 0) {
		return s
	}
	return odd(s, err)
}

// quotientOdd returns a / b, and sqrtOdd the square root of a, both rounded to odd.
func quotientOdd(a, b float64) float64 {
	q := a / b
	if q != q || math.IsInf(q, 0) || b == 0 || math.IsInf(b, 0) {
		return q
	}
	rest := math.FMA(-q, b, a)
	if b < 0 {
		rest = -rest
	}
	return odd(q, rest)
}

func sqrtOdd(a float64) float64 {
	r := math.Sqrt(a)
	if r != r || math.IsInf(r, 0) {
		return r
	}
	return odd(r, math.FMA(-r, r, a))
}

// to32 rounds x to float32. x must be exact or rounded to odd.
func to32(x float64, rnd string) float32 {
	r := float32(x)
	switch back := float64(r); {
	case back == x || x != x || math.IsInf(x, 0):
	case rnd == "rz" && math.Abs(back) > math.Abs(x):
		r = math.Nextafter32(r, 0)
	case rnd == "rm" && back > x:
		r = math.Nextafter32(r, float32(math.Inf(-1)))
	case rnd == "rp" && back < x:
		r = math.Nextafter32(r, float32(math.Inf(1)))
	}
	if r == 0 && x != 0 {
		r = float32(math.Copysign(0, x))
	}
	return r
}

// zeroSum returns an exact zero sum with its sign. The sign is plus, unless both
// terms are minus zero or the rounding is down.
func zeroSum(a, b float64, rnd string) float64 {
	if rnd == "rm" && (math.Signbit(a) || math.Signbit(b)) {
		return math.Copysign(0, -1)
	}
	return a + b
}

func add32f(a, b float64, rnd string) float32 {
	if s := sumOdd(a, b); s != 0 {
		return to32(s, rnd)
	}
	return float32(zeroSum(a, b, rnd))
}

// fmaRound is a*b + c rounded once.
func fmaRound(a, b, c float64, rnd string) float32 { return add32f(a*b, c, rnd) }

// flush replaces a subnormal number by zero of the same sign, as .ftz does.
func flush(u uint32) uint32 {
	if u&0x7f800000 == 0 {
		return u & 0x80000000
	}
	return u
}

// saturated clamps to [0, 1], as .sat does. NaN gives 0.
func saturated(f float32) float32 {
	switch {
	case !(f > 0):
		return 0
	case f > 1:
		return 1
	}
	return f
}
