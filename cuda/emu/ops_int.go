package emu

import (
	"maps"
	"math/bits"

	"github.com/impasto/impasto/cuda/ptx"
)

// This file has integer arithmetic and logic. The forms used in address arithmetic
// and loops have loops of their own. The others compute lane by lane.

// perType makes the six integer forms of an operation from its 64-bit signed and
// unsigned definitions. Narrower values are extended, computed and truncated.
func perType(signed func(a, b, c int64) int64, unsigned func(a, b, c uint64) uint64) map[ptx.Type]run {
	return map[ptx.Type]run{
		ptx.S16: each16(func(a, b, c uint16) uint16 {
			return uint16(signed(int64(int16(a)), int64(int16(b)), int64(int16(c))))
		}),
		ptx.U16: each16(func(a, b, c uint16) uint16 { return uint16(unsigned(uint64(a), uint64(b), uint64(c))) }),
		ptx.S32: each(func(a, b, c uint32) uint32 {
			return uint32(signed(int64(int32(a)), int64(int32(b)), int64(int32(c))))
		}),
		ptx.U32: each(func(a, b, c uint32) uint32 { return uint32(unsigned(uint64(a), uint64(b), uint64(c))) }),
		ptx.S64: each64(func(a, b, c uint64) uint64 { return uint64(signed(int64(a), int64(b), int64(c))) }),
		ptx.U64: each64(unsigned),
	}
}

func with(base map[ptx.Type]run, special map[ptx.Type]run) map[ptx.Type]run {
	maps.Copy(base, special)
	return base
}

// bothSigns is like perType, for operations that do not depend on the sign.
func bothSigns(f func(a, b, c uint64) uint64) map[ptx.Type]run {
	return perType(func(a, b, c int64) int64 { return int64(f(uint64(a), uint64(b), uint64(c))) }, f)
}

var (
	add32 = alu(func(d, a, b, _ *lanes) {
		for i := range d {
			d[i] = a[i] + b[i]
		}
	})
	add64 = alu64(func(d, a, b, _ *wide) {
		for i := range d {
			d[i] = a[i] + b[i]
		}
	})
	sub32 = alu(func(d, a, b, _ *lanes) {
		for i := range d {
			d[i] = a[i] - b[i]
		}
	})
	mul32 = alu(func(d, a, b, _ *lanes) {
		for i := range d {
			d[i] = a[i] * b[i]
		}
	})
	mad32 = alu(func(d, a, b, c *lanes) {
		for i := range d {
			d[i] = a[i]*b[i] + c[i]
		}
	})
	and32 = alu(func(d, a, b, _ *lanes) {
		for i := range d {
			d[i] = a[i] & b[i]
		}
	})
	or32 = alu(func(d, a, b, _ *lanes) {
		for i := range d {
			d[i] = a[i] | b[i]
		}
	})
	xor32 = alu(func(d, a, b, _ *lanes) {
		for i := range d {
			d[i] = a[i] ^ b[i]
		}
	})
	shl32 = alu(func(d, a, b, _ *lanes) {
		for i := range d {
			d[i] = a[i] << b[i]
		}
	})
	shr32 = alu(func(d, a, b, _ *lanes) {
		for i := range d {
			d[i] = a[i] >> b[i]
		}
	})
)

// integers maps op{.mode} and type to functions.
var integers = map[string]map[ptx.Type]run{
	"add": with(bothSigns(func(a, b, _ uint64) uint64 { return a + b }),
		map[ptx.Type]run{ptx.S32: add32, ptx.U32: add32, ptx.S64: add64, ptx.U64: add64}),
	"sub": with(bothSigns(func(a, b, _ uint64) uint64 { return a - b }),
		map[ptx.Type]run{ptx.S32: sub32, ptx.U32: sub32}),
	"add.sat": {ptx.S32: each(func(a, b, _ uint32) uint32 { return saturate(int64(int32(a)) + int64(int32(b))) })},
	"sub.sat": {ptx.S32: each(func(a, b, _ uint32) uint32 { return saturate(int64(int32(a)) - int64(int32(b))) })},
	"mul.lo": with(bothSigns(func(a, b, _ uint64) uint64 { return a * b }),
		map[ptx.Type]run{ptx.S32: mul32, ptx.U32: mul32}),
	"mad.lo": with(bothSigns(func(a, b, c uint64) uint64 { return a*b + c }),
		map[ptx.Type]run{ptx.S32: mad32, ptx.U32: mad32}),
	"mul.hi": {
		ptx.S16: each16(func(a, b, _ uint16) uint16 { return uint16(int32(int16(a)) * int32(int16(b)) >> 16) }),
		ptx.U16: each16(func(a, b, _ uint16) uint16 { return uint16(uint32(a) * uint32(b) >> 16) }),
		ptx.S32: each(func(a, b, _ uint32) uint32 { return uint32(int64(int32(a)) * int64(int32(b)) >> 32) }),
		ptx.U32: each(func(a, b, _ uint32) uint32 { return uint32(uint64(a) * uint64(b) >> 32) }),
		ptx.S64: each64(func(a, b, _ uint64) uint64 { return mulHighSigned(a, b) }),
		ptx.U64: each64(func(a, b, _ uint64) uint64 { hi, _ := bits.Mul64(a, b); return hi }),
	},
	"mad.hi": {
		ptx.S16: each16(func(a, b, c uint16) uint16 { return uint16(int32(int16(a))*int32(int16(b))>>16) + c }),
		ptx.U16: each16(func(a, b, c uint16) uint16 { return uint16(uint32(a)*uint32(b)>>16) + c }),
		ptx.S32: each(func(a, b, c uint32) uint32 { return uint32(int64(int32(a))*int64(int32(b))>>32) + c }),
		ptx.U32: each(func(a, b, c uint32) uint32 { return uint32(uint64(a)*uint64(b)>>32) + c }),
		ptx.S64: each64(func(a, b, c uint64) uint64 { return mulHighSigned(a, b) + c }),
		ptx.U64: each64(func(a, b, c uint64) uint64 { hi, _ := bits.Mul64(a, b); return hi + c }),
	},
	// Division by zero gives all ones, so the remainder is the dividend.
	"div": perType(func(a, b, _ int64) int64 {
		if b == 0 {
			return -1
		}
		return a / b
	}, func(a, b, _ uint64) uint64 {
		if b == 0 {
			return ^uint64(0)
		}
		return a / b
	}),
	"rem": perType(func(a, b, _ int64) int64 {
		if b == 0 {
			return a
		}
		return a % b
	}, func(a, b, _ uint64) uint64 {
		if b == 0 {
			return a
		}
		return a % b
	}),
	"abs": perType(func(a, _, _ int64) int64 { return max(a, -a) }, nil),
	"neg": perType(func(a, _, _ int64) int64 { return -a }, nil),
	"min": perType(func(a, b, _ int64) int64 { return min(a, b) }, func(a, b, _ uint64) uint64 { return min(a, b) }),
	"max": perType(func(a, b, _ int64) int64 { return max(a, b) }, func(a, b, _ uint64) uint64 { return max(a, b) }),
	"and": {ptx.B16: and32, ptx.B32: and32, ptx.B64: each64(func(a, b, _ uint64) uint64 { return a & b })},
	"or":  {ptx.B16: or32, ptx.B32: or32, ptx.B64: each64(func(a, b, _ uint64) uint64 { return a | b })},
	"xor": {ptx.B16: xor32, ptx.B32: xor32, ptx.B64: each64(func(a, b, _ uint64) uint64 { return a ^ b })},
	"not": {
		ptx.B16: each16(func(a, _, _ uint16) uint16 { return ^a }),
		ptx.B32: each(func(a, _, _ uint32) uint32 { return ^a }),
		ptx.B64: each64(func(a, _, _ uint64) uint64 { return ^a }),
	},
	"brev": {
		ptx.B32: each(func(a, _, _ uint32) uint32 { return bits.Reverse32(a) }),
		ptx.B64: each64(func(a, _, _ uint64) uint64 { return bits.Reverse64(a) }),
	},
}

func saturate(v int64) uint32 { return uint32(min(max(v, -1<<31), 1<<31-1)) }

func mulHighSigned(a, b uint64) uint64 {
	hi, _ := bits.Mul64(a, b)
	if int64(a) < 0 {
		hi -= b
	}
	if int64(b) < 0 {
		hi -= a
	}
	return hi
}

// intOrFloat decodes operations that exist for both kinds of number.
func intOrFloat(d *decoding) run {
	if d.typ().Float() {
		return decodeFloat(d)
	}
	return decodeInt(d)
}

func decodeInt(d *decoding) run {
	key := d.in.Op
	switch {
	case d.in.Has("wide"):
		return decodeWide(d)
	case d.in.Has("mode"):
		key += "." + d.in.Mods["mode"]
	case d.in.Has("sat"):
		key += ".sat"
	}
	d.o.d = d.dest(0)
	d.srcs(1)
	return integers[key][d.typ()]
}

// decodeWide decodes mul.wide and mad.wide, whose result is twice as wide.
func decodeWide(d *decoding) run {
	t := d.typ()
	double := map[ptx.Type]ptx.Type{ptx.U16: ptx.U32, ptx.S16: ptx.S32, ptx.U32: ptx.U64, ptx.S32: ptx.S64}[t]
	o := d.o
	o.d, o.a, o.b = d.reg(&d.in.Args[0], double), d.source(1, t), d.source(2, t)
	o.c = d.constant(0, double)
	if d.in.Op == "mad" {
		o.c = d.source(3, double)
	}
	switch t {
	case ptx.U16:
		return each(func(a, b, c uint32) uint32 { return a*b + c })
	case ptx.S16:
		return each(func(a, b, c uint32) uint32 { return uint32(int32(int16(a))*int32(int16(b))) + c })
	case ptx.U32:
		return widen(func(d *wide, a, b *lanes, c *wide) {
			for i := range d {
				d[i] = uint64(a[i])*uint64(b[i]) + c[i]
			}
		})
	}
	return widen(func(d *wide, a, b *lanes, c *wide) {
		for i := range d {
			d[i] = uint64(int64(int32(a[i]))*int64(int32(b[i]))) + c[i]
		}
	})
}

// decodeLogic decodes and, or, xor and not, which also work on predicates.
func decodeLogic(d *decoding) run {
	if d.typ() != ptx.Pred {
		return decodeInt(d)
	}
	d.o.d = d.dest(0)
	d.srcs(1)
	f := map[string]func(a, b uint32) uint32{
		"and": func(a, b uint32) uint32 { return a & b },
		"or":  func(a, b uint32) uint32 { return a | b },
		"xor": func(a, b uint32) uint32 { return a ^ b },
		"not": func(a, _ uint32) uint32 { return ^a },
	}[d.in.Op]
	flip := [2]uint32{d.flip(1)}
	if len(d.in.Args) > 2 {
		flip[1] = d.flip(2)
	}
	return func(w *warp, o *op, m uint32) { w.setPred(o.d, m, f(w.p[o.a]^flip[0], w.p[o.b]^flip[1])) }
}

// decodeShift decodes shl and shr. The count is 32-bit for all types. A count
// larger than the width shifts out all bits.
func decodeShift(d *decoding) run {
	t := d.typ()
	o := d.o
	o.d, o.a, o.b = d.dest(0), d.source(1, t), d.source(2, ptx.U32)
	switch {
	case d.in.Op == "shl" && t.Size() == 2:
		return each(func(a, b, _ uint32) uint32 { return a << b & 0xffff })
	case d.in.Op == "shl" && t.Size() == 4:
		return shl32
	case d.in.Op == "shl":
		return shifted(func(a uint64, b, _ uint32) uint64 { return a << b })
	case t == ptx.S16:
		return each(func(a, b, _ uint32) uint32 { return uint32(uint16(int16(a) >> b)) })
	case t == ptx.S32:
		return each(func(a, b, _ uint32) uint32 { return uint32(int32(a) >> b) })
	case t == ptx.S64:
		return shifted(func(a uint64, b, _ uint32) uint64 { return uint64(int64(a) >> b) })
	case t.Size() == 8:
		return shifted(func(a uint64, b, _ uint32) uint64 { return a >> b })
	}
	return shr32
}

// decodeField decodes bfe and bfi. bfe takes c bits of a from position b, and
// extends the sign for signed types. bfi puts e bits of a at position c of b.
func decodeField(d *decoding) run {
	t := d.typ()
	o := d.o
	width := uint32(8 * t.Size())
	o.d, o.a = d.dest(0), d.source(1, t)
	if d.in.Op == "bfe" {
		o.b, o.c = d.source(2, ptx.U32), d.source(3, ptx.U32)
		f := func(a uint64, pos, n uint32) uint64 { return extract(a, pos&255, n&255, width, t.Signed()) }
		if width == 64 {
			return shifted(f)
		}
		return each(func(a, b, c uint32) uint32 { return uint32(f(uint64(a), b, c)) })
	}
	o.b, o.c = d.source(2, t), d.source(3, ptx.U32)
	o.base = d.source(4, ptx.U32) // the length, a fourth source
	return func(w *warp, o *op, m uint32) {
		pos, n := &w.r32[o.c], &w.r32[o.base]
		if width == 64 {
			d, a, b := w.dst64(o.d, m), &w.r64[o.a], &w.r64[o.b]
			for i := range d {
				d[i] = insert(a[i], b[i], pos[i]&255, n[i]&255, width)
			}
			w.done64(o.d, m)
			return
		}
		d, a, b := w.dst32(o.d, m), &w.r32[o.a], &w.r32[o.b]
		for i := range d {
			d[i] = uint32(insert(uint64(a[i]), uint64(b[i]), pos[i]&255, n[i]&255, width))
		}
		w.done32(o.d, m)
	}
}

func extract(a uint64, pos, n, width uint32, signed bool) uint64 {
	var sign uint64
	if signed && n > 0 {
		sign = a >> min(pos+n-1, width-1) & 1
	}
	v := a >> pos
	if pos >= width {
		v = 0
	}
	kept := min(n, width-min(pos, width))
	if kept < 64 {
		v &= 1<<kept - 1
		if sign == 1 {
			v |= ^uint64(0) << kept
		}
	}
	return v
}

func insert(a, b uint64, pos, n, width uint32) uint64 {
	if pos >= width || n == 0 {
		return b
	}
	mask := ^uint64(0)
	if n < 64 {
		mask = 1<<n - 1
	}
	return b&^(mask<<pos) | a&mask<<pos
}

// decodeCount decodes popc and clz, whose result is 32-bit.
func decodeCount(d *decoding) run {
	t := d.typ()
	d.o.d, d.o.a = d.reg(&d.in.Args[0], ptx.U32), d.source(1, t)
	switch {
	case d.in.Op == "popc" && t == ptx.B64:
		return narrow(func(a uint64) uint32 { return uint32(bits.OnesCount64(a)) })
	case d.in.Op == "popc":
		return each(func(a, _, _ uint32) uint32 { return uint32(bits.OnesCount32(a)) })
	case t == ptx.B64:
		return narrow(func(a uint64) uint32 { return uint32(bits.LeadingZeros64(a)) })
	}
	return each(func(a, _, _ uint32) uint32 { return uint32(bits.LeadingZeros32(a)) })
}

// decodeFunnel decodes shf, which shifts {b, a} as 64 bits. The result is the upper
// half of a left shift, or the lower half of a right shift.
func decodeFunnel(d *decoding) run {
	d.o.d = d.reg(&d.in.Args[0], ptx.B32)
	d.o.a, d.o.b, d.o.c = d.source(1, ptx.B32), d.source(2, ptx.B32), d.source(3, ptx.U32)
	left, clamp := d.in.Mods["dir"] == "l", d.in.Mods["mode"] == "clamp"
	return each(func(a, b, c uint32) uint32 {
		if clamp {
			c = min(c, 32)
		} else {
			c &= 31
		}
		v := uint64(b)<<32 | uint64(a)
		if left {
			return uint32(v << c >> 32)
		}
		return uint32(v >> c)
	})
}

// decodeLop3 decodes lop3: each bit of the result is bit abc of the table n.
func decodeLop3(d *decoding) run {
	d.o.d = d.reg(&d.in.Args[0], ptx.B32)
	d.o.a, d.o.b, d.o.c = d.source(1, ptx.B32), d.source(2, ptx.B32), d.source(3, ptx.B32)
	table := d.in.Args[4].Imm
	if table > 255 {
		d.fail("truth table %d is larger than 255", table)
	}
	return each(func(a, b, c uint32) (v uint32) {
		for k := range 8 {
			if table>>k&1 == 0 {
				continue
			}
			t := full
			for bit, x := range [3]uint32{c, b, a} {
				if k>>bit&1 == 0 {
					x = ^x
				}
				t &= x
			}
			v |= t
		}
		return v
	})
}

// decodePrmt decodes prmt. Byte i of the result is byte n of {b, a}, where n is the
// low three bits of nibble i of c. If the nibble's top bit is set, it is the sign
// of that byte.
func decodePrmt(d *decoding) run {
	d.o.d = d.reg(&d.in.Args[0], ptx.B32)
	d.o.a, d.o.b, d.o.c = d.source(1, ptx.B32), d.source(2, ptx.B32), d.source(3, ptx.B32)
	return each(func(a, b, c uint32) (v uint32) {
		both := uint64(b)<<32 | uint64(a)
		for i := range 4 {
			n := c >> (4 * i)
			x := byte(both >> (8 * (n & 7)))
			if n&8 != 0 {
				x = byte(int8(x) >> 7)
			}
			v |= uint32(x) << (8 * i)
		}
		return v
	})
}

func init() {
	for _, name := range []string{"add", "sub", "mul", "div", "abs", "neg", "min", "max"} {
		decoders[name] = intOrFloat
	}
	for _, name := range []string{"mad", "rem", "brev"} {
		decoders[name] = decodeInt
	}
	for _, name := range []string{"and", "or", "xor", "not"} {
		decoders[name] = decodeLogic
	}
	decoders["shl"], decoders["shr"] = decodeShift, decodeShift
	decoders["bfe"], decoders["bfi"] = decodeField, decodeField
	decoders["popc"], decoders["clz"] = decodeCount, decodeCount
	decoders["shf"], decoders["lop3"], decoders["prmt"] = decodeFunnel, decodeLop3, decodePrmt
}
