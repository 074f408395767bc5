package emu

import (
	"cmp"
	"math"

	"github.com/impasto/impasto/cuda/ptx"
)

// Comparison and selection. A comparison makes one bit per lane.

// compare makes the functions of setp.cmp for values of type T in registers of type
// R.
func compare[R uint32 | uint64, T cmp.Ordered](get func(R) T) map[string]func(a, b *[32]R) uint32 {
	mask := func(f func(a, b T) bool) func(a, b *[32]R) uint32 {
		return func(a, b *[32]R) (r uint32) {
			for i := range a {
				r |= b2u(f(get(a[i]), get(b[i]))) << i
			}
			return r
		}
	}
	lt, le := mask(func(a, b T) bool { return a < b }), mask(func(a, b T) bool { return a <= b })
	gt, ge := mask(func(a, b T) bool { return a > b }), mask(func(a, b T) bool { return a >= b })
	nan := func(a, b T) bool { return a != a || b != b }
	return map[string]func(a, b *[32]R) uint32{
		"eq": mask(func(a, b T) bool { return a == b }),
		"ne": mask(func(a, b T) bool { return a != b && !nan(a, b) }),
		"lt": lt, "le": le, "gt": gt, "ge": ge,
		"lo": lt, "ls": le, "hi": gt, "hs": ge,
		// The unordered forms are true if an operand is NaN.
		"equ": mask(func(a, b T) bool { return a == b || nan(a, b) }),
		"neu": mask(func(a, b T) bool { return a != b }),
		"ltu": mask(func(a, b T) bool { return !(a >= b) }),
		"leu": mask(func(a, b T) bool { return !(a > b) }),
		"gtu": mask(func(a, b T) bool { return !(a <= b) }),
		"geu": mask(func(a, b T) bool { return !(a < b) }),
		"num": mask(func(a, b T) bool { return !nan(a, b) }),
		"nan": mask(nan),
	}
}

var compare32 = map[ptx.Type]map[string]func(a, b *lanes) uint32{
	ptx.U32: compare(func(u uint32) uint32 { return u }),
	ptx.S32: compare(func(u uint32) int32 { return int32(u) }),
	ptx.S16: compare(func(u uint32) int16 { return int16(u) }),
	ptx.F32: compare(math.Float32frombits),
}

var compare64 = map[ptx.Type]map[string]func(a, b *wide) uint32{
	ptx.U64: compare(func(u uint64) uint64 { return u }),
	ptx.S64: compare(func(u uint64) int64 { return int64(u) }),
	ptx.F64: compare(math.Float64frombits),
}

func init() {
	// These are the most common comparisons, in loop bounds and masks.
	s, f := compare32[ptx.S32], compare32[ptx.F32]
	s["lt"] = func(a, b *lanes) (r uint32) {
		for i := range a {
			r |= b2u(int32(a[i]) < int32(b[i])) << i
		}
		return r
	}
	s["ge"] = func(a, b *lanes) uint32 { return ^s["lt"](a, b) }
	s["gt"] = func(a, b *lanes) uint32 { return s["lt"](b, a) }
	s["le"] = func(a, b *lanes) uint32 { return ^s["lt"](b, a) }
	s["eq"] = func(a, b *lanes) (r uint32) {
		for i := range a {
			r |= b2u(a[i] == b[i]) << i
		}
		return r
	}
	s["ne"] = func(a, b *lanes) uint32 { return ^s["eq"](a, b) }
	f["gt"] = func(a, b *lanes) (r uint32) {
		for i := range a {
			r |= b2u(float(a[i]) > float(b[i])) << i
		}
		return r
	}
	decoders["setp"], decoders["selp"] = decodeSetp, decodeSelp
}

// decodeSetp decodes setp.cmp{.bool}.type p{
// q}, a, b{, c}. p is the comparison combined with c, and q is its complement
// combined with c.
func decodeSetp(d *decoding) run {
	t := d.typ()
	o := d.o
	dest, second := d.pair()
	o.d, o.a, o.b = d.reg(dest, ptx.Pred), d.source(1, t), d.source(2, t)
	view := map[ptx.Type]ptx.Type{ptx.B16: ptx.U32, ptx.U16: ptx.U32, ptx.B32: ptx.U32, ptx.B64: ptx.U64}
	kind, ok := view[t]
	if !ok {
		kind = t
	}
	name := d.in.Mods["cmp"]
	if kind == ptx.U32 && (name == "eq" || name == "ne") {
		kind = ptx.S32 // the same on bits, and faster
	}
	var test func(w *warp, o *op) uint32
	if t.Size() == 8 {
		f := compare64[kind][name]
		test = func(w *warp, o *op) uint32 { return f(&w.r64[o.a], &w.r64[o.b]) }
	} else {
		f := compare32[kind][name]
		test = func(w *warp, o *op) uint32 { return f(&w.r32[o.a], &w.r32[o.b]) }
		if d.in.Has("ftz") {
			test = func(w *warp, o *op) uint32 {
				a, b := w.r32[o.a], w.r32[o.b]
				for i := range a {
					a[i], b[i] = flush(a[i]), flush(b[i])
				}
				return f(&a, &b)
			}
		}
	}
	join := d.in.Mods["bool"]
	if join == "" && second < 0 {
		return func(w *warp, o *op, m uint32) { w.setPred(o.d, m, test(w, o)) }
	}
	flip := uint32(0)
	if join != "" {
		o.c, flip = d.source(3, ptx.Pred), d.flip(3)
	}
	combine := func(r, c uint32) uint32 {
		switch join {
		case "and":
			return r & c
		case "or":
			return r | c
		case "xor":
			return r ^ c
		}
		return r
	}
	return func(w *warp, o *op, m uint32) {
		r, c := test(w, o), w.p[o.c]^flip
		w.setPred(o.d, m, combine(r, c))
		if second >= 0 {
			w.setPred(second, m, combine(^r, c))
		}
	}
}

// decodeSelp decodes selp: d = c ? a : b.
func decodeSelp(d *decoding) run {
	t := d.typ()
	o := d.o
	o.d, o.a, o.b, o.c = d.dest(0), d.source(1, t), d.source(2, t), d.source(3, ptx.Pred)
	flip := d.flip(3)
	if t.Size() == 8 {
		return func(w *warp, o *op, m uint32) {
			d, a, b, p := w.dst64(o.d, m), &w.r64[o.a], &w.r64[o.b], w.p[o.c]^flip
			for i := range d {
				pick := -uint64(p >> i & 1)
				d[i] = a[i]&pick | b[i]&^pick
			}
			w.done64(o.d, m)
		}
	}
	return func(w *warp, o *op, m uint32) {
		d, a, b, p := w.dst32(o.d, m), &w.r32[o.a], &w.r32[o.b], w.p[o.c]^flip
		for i := range d {
			pick := -(p >> i & 1)
			d[i] = a[i]&pick | b[i]&^pick
		}
		w.done32(o.d, m)
	}
}
