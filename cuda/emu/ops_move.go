package emu

import (
	"math"
	"math/bits"
	"strings"

	"github.com/impasto/impasto/cuda/ptx"
	"github.com/impasto/impasto/internal/binary16"
)

// Moves, address conversions and cvt.

func decodeMov(d *decoding) run {
	t := d.in.Type("type")
	dst, src := &d.in.Args[0], &d.in.Args[1]
	o := d.o
	if dst.Kind == ptx.VecOp || src.Kind == ptx.VecOp {
		return d.pack(t)
	}
	o.d, o.a = d.reg(dst, t), d.sourceOp(src, t)
	switch {
	case src.Kind == ptx.SpecialOp && strings.HasPrefix(src.Name, "%clock"):
		return clock(t)
	case t == ptx.Pred:
		flip := d.flip(1)
		return func(w *warp, o *op, m uint32) { w.setPred(o.d, m, w.p[o.a]^flip) }
	case t.Size() == 8:
		return func(w *warp, o *op, m uint32) {
			*w.dst64(o.d, m) = w.r64[o.a]
			w.done64(o.d, m)
		}
	}
	return func(w *warp, o *op, m uint32) {
		*w.dst32(o.d, m) = w.r32[o.a]
		w.done32(o.d, m)
	}
}

// clock reads a counter that advances with the instructions of the warp.
func clock(t ptx.Type) run {
	return func(w *warp, o *op, m uint32) {
		now := uint64(0)
		for i := range w.block.stats {
			now += uint64(w.block.stats[i].Issued)
		}
		for i := range 32 {
			if m>>i&1 == 1 && t.Size() == 8 {
				w.r64[o.d][i] = now
			} else if m>>i&1 == 1 {
				w.r32[o.d][i] = uint32(now)
			}
		}
	}
}

// pack decodes mov.b32 d, {lo, hi} and its inverse, and the same for b64: the
// first element is the lowest.
func (d *decoding) pack(t ptx.Type) run {
	whole, parts := &d.in.Args[0], d.in.Args[1].Elems
	unpacks := whole.Kind == ptx.VecOp
	if unpacks {
		whole, parts = &d.in.Args[1], d.in.Args[0].Elems
	}
	if whole.Kind == ptx.VecOp {
		d.fail("both operands are vectors")
	}
	width := 8 * t.Size() / len(parts)
	slots := make([]int32, len(parts))
	part := map[int]ptx.Type{8: ptx.B8, 16: ptx.B16, 32: ptx.B32}[width]
	for i := range parts {
		slots[i] = d.sourceOp(&parts[i], part)
	}
	slot := d.sourceOp(whole, t)
	return func(w *warp, o *op, m uint32) {
		for ; m != 0; m &= m - 1 {
			i := bits.TrailingZeros32(m) & 31
			if unpacks {
				v := uint64(0)
				if t.Size() == 8 {
					v = w.r64[slot][i]
				} else {
					v = uint64(w.r32[slot][i])
				}
				for k, s := range slots {
					if s >= 0 {
						w.r32[s][i] = uint32(v >> (k * width) & (1<<width - 1))
					}
				}
				continue
			}
			v := uint64(0)
			for k, s := range slots {
				v |= uint64(w.r32[s][i]) << (k * width)
			}
			if t.Size() == 8 {
				w.r64[slot][i] = v
			} else {
				w.r32[slot][i] = uint32(v)
			}
		}
	}
}

// decodeCvta decodes cvta, which converts an address of a space to a generic one,
// or back with .to. Global addresses are also generic ones.
func decodeCvta(d *decoding) run {
	o := d.o
	o.d, o.a = d.reg(&d.in.Args[0], ptx.U64), d.source(1, ptx.U64)
	shift := map[ptx.Space]uint64{ptx.Shared: sharedWindow, ptx.Local: localWindow}[d.in.Space()]
	if d.in.Has("to") {
		shift = -shift
	}
	return each64(func(a, _, _ uint64) uint64 { return a + shift })
}

// decodeCvt decodes cvt. The value is extended to an exact 64-bit integer or to
// float64, converted, and truncated to the destination type. Integers and floats
// each have two paths.
func decodeCvt(d *decoding) run {
	if strings.HasSuffix(d.in.Text, "f16x2.f32") {
		return d.packHalves()
	}
	to, from := d.cvtTypes()
	rnd, ftz, sat := d.in.Mods["rnd"], d.in.Has("ftz"), d.in.Has("sat")
	regTo, regFrom := d.width(0, to), d.width(1, from)
	o := d.o
	o.d, o.a = d.reg(&d.in.Args[0], regTo), d.source(1, regFrom)
	f := convert(to, from, rnd, ftz, sat)
	// If a register is wider than the type, the rest is filled with the sign of a
	// signed integer, or otherwise with zeros.
	grow := func(v uint64) uint64 { return v }
	if to.Signed() && regTo.Size() > to.Size() {
		grow = func(v uint64) uint64 { return signExtend(v, to) }
	}
	switch {
	case to == ptx.U64 && from == ptx.U32:
		return extend(func(a uint32) uint64 { return uint64(a) })
	case regTo.Size() == 8 && regFrom.Size() == 8:
		return each64(func(a, _, _ uint64) uint64 { return grow(f(a)) })
	case regTo.Size() == 8:
		return extend(func(a uint32) uint64 { return grow(f(uint64(a))) })
	case regFrom.Size() == 8:
		return narrow(func(a uint64) uint32 { return uint32(grow(f(a))) })
	}
	return each(func(a, _, _ uint32) uint32 { return uint32(grow(f(uint64(a)))) })
}

// cvtTypes returns the types converted to and from, the last two modifiers.
func (d *decoding) cvtTypes() (to, from ptx.Type) {
	parts := strings.Split(d.in.Text, ".")
	n := len(parts)
	in := ptx.Inst{Mods: map[string]string{"to": parts[n-2], "from": parts[n-1]}}
	return in.Type("to"), in.Type("from")
}

// width returns the type of operand i's register, or t for a constant.
func (d *decoding) width(i int, t ptx.Type) ptx.Type {
	if a := &d.in.Args[i]; a.Kind == ptx.RegOp {
		return d.src.Regs[a.Reg].Type
	}
	return t
}

func signExtend(v uint64, t ptx.Type) uint64 {
	shift := 64 - 8*t.Size()
	return uint64(int64(v<<shift) >> shift)
}

// convert returns the function from the bits of one type to those of another.
func convert(to, from ptx.Type, rnd string, ftz, sat bool) func(uint64) uint64 {
	mask := ^uint64(0)
	if to.Size() < 8 {
		mask = 1<<(8*to.Size()) - 1
	}
	integer := func(v uint64) uint64 {
		if from.Signed() {
			return signExtend(v, from)
		}
		if from.Size() < 8 {
			v &= 1<<(8*from.Size()) - 1
		}
		return v
	}
	value := func(v uint64) float64 {
		switch from {
		case ptx.F64:
			return math.Float64frombits(v)
		case ptx.F16:
			return float64(halfToFloat(uint16(v)))
		}
		if ftz {
			v = uint64(flush(uint32(v)))
		}
		return double(uint32(v))
	}
	switch {
	case !from.Float() && !to.Float():
		return func(v uint64) uint64 {
			x := integer(v)
			if sat {
				x = clampInteger(x, from.Signed(), to)
			}
			return x & mask
		}
	case !from.Float():
		return func(v uint64) uint64 {
			x := integer(v)
			if to == ptx.F64 {
				return math.Float64bits(integerToDouble(x, from.Signed(), rnd))
			}
			r := to32(integerToOdd(x, from.Signed()), rnd)
			if sat {
				r = saturated(r)
			}
			return uint64(bits32(r))
		}
	case !to.Float():
		return func(v uint64) uint64 { return floatToInteger(roundWhole(value(v), rnd), to) & mask }
	}
	return func(v uint64) uint64 {
		x := value(v)
		if len(rnd) == 3 && rnd != "rna" {
			x = roundWhole(x, rnd)
		}
		switch to {
		case ptx.F64:
			return math.Float64bits(x)
		case ptx.F16:
			return uint64(binary16.Round(float32(x)))
		case ptx.BF16:
			return uint64(floatToBfloat(float32(x)))
		case ptx.TF32:
			return uint64(toTF32(uint32(v)))
		}
		r := to32(x, rnd)
		if sat {
			r = saturated(r)
		}
		u := quiet(r)
		if ftz {
			u = flush(u)
		}
		return uint64(u)
	}
}

// clampInteger implements .sat between integers: it returns the nearest value of
// type to.
func clampInteger(x uint64, signed bool, to ptx.Type) uint64 {
	width := 8 * to.Size()
	negative := signed && int64(x) < 0
	switch {
	case to.Signed() && negative:
		return uint64(max(int64(x), -1<<(width-1)))
	case to.Signed():
		return min(x, 1<<(width-1)-1)
	case negative:
		return 0
	case width == 64:
		return x
	}
	return min(x, 1<<width-1)
}

// integerToOdd converts an integer to float64, rounded to odd.
func integerToOdd(x uint64, signed bool) float64 {
	if signed && int64(x) < 0 {
		return -integerToOdd(-x, false)
	}
	high, low := float64(x>>32)*0x1p32, float64(x&(1<<32-1))
	return sumOdd(high, low)
}

// integerToDouble rounds an integer to float64 in the direction rnd.
func integerToDouble(x uint64, signed bool, rnd string) float64 {
	if signed && int64(x) < 0 {
		mirror := map[string]string{"rm": "rp", "rp": "rm"}
		if r, ok := mirror[rnd]; ok {
			rnd = r
		}
		return -integerToDouble(-x, false, rnd)
	}
	if rnd == "rn" || x>>53 == 0 {
		return float64(x)
	}
	// The value is truncated to 53 bits. When rounding up, one is added in the last
	// place.
	cut := uint(bits.Len64(x) - 53)
	y := x >> cut << cut
	f := float64(y)
	if rnd == "rp" && y != x {
		f += math.Ldexp(1, int(cut))
	}
	return f
}

// roundWhole rounds to a whole number: nearest even, towards zero, down or up.
func roundWhole(x float64, rnd string) float64 {
	switch rnd {
	case "rni":
		return math.RoundToEven(x)
	case "rzi":
		return math.Trunc(x)
	case "rmi":
		return math.Floor(x)
	case "rpi":
		return math.Ceil(x)
	}
	return x
}

// floatToInteger clamps a whole number to the type. NaN gives 0, or for 64 bits the
// value with only the top bit set.
func floatToInteger(x float64, to ptx.Type) uint64 {
	width := 8 * to.Size()
	if x != x {
		if width == 64 {
			return 1 << 63
		}
		return 0
	}
	if to.Signed() {
		limit := math.Ldexp(1, width-1)
		switch {
		case x >= limit:
			return 1<<(width-1) - 1
		case x < -limit:
			return ^uint64(0) << (width - 1)
		}
		return uint64(int64(x))
	}
	switch {
	case x <= 0:
		return 0
	case x >= math.Ldexp(1, width):
		return ^uint64(0)
	}
	return uint64(x)
}

// packHalves decodes cvt.rn.f16x2.f32 d, a, b: a is the upper half.
func (d *decoding) packHalves() run {
	d.o.d = d.reg(&d.in.Args[0], ptx.B32)
	d.o.a, d.o.b = d.source(1, ptx.F32), d.source(2, ptx.F32)
	f := binary16.Round
	if strings.Contains(d.in.Text, "bf16x2") {
		f = floatToBfloat
	}
	return each(func(a, b, _ uint32) uint32 { return uint32(f(float(a)))<<16 | uint32(f(float(b))) })
}

func init() {
	decoders["mov"], decoders["cvta"], decoders["cvt"] = decodeMov, decodeCvta, decodeCvt
}
