package emu

import "math"

// The adapters in this file make an instruction from a function over whole
// registers (alu, alu64, ...) or over one lane (each, each64, ...), which is
// slower. The function always computes all 32 lanes. Inactive lanes keep their
// values.

func alu(f func(d, a, b, c *lanes)) run {
	return func(w *warp, o *op, m uint32) {
		f(w.dst32(o.d, m), &w.r32[o.a], &w.r32[o.b], &w.r32[o.c])
		w.done32(o.d, m)
	}
}

func alu64(f func(d, a, b, c *wide)) run {
	return func(w *warp, o *op, m uint32) {
		f(w.dst64(o.d, m), &w.r64[o.a], &w.r64[o.b], &w.r64[o.c])
		w.done64(o.d, m)
	}
}

func each(f func(a, b, c uint32) uint32) run {
	return alu(func(d, a, b, c *lanes) {
		for i := range d {
			d[i] = f(a[i], b[i], c[i])
		}
	})
}

func each64(f func(a, b, c uint64) uint64) run {
	return alu64(func(d, a, b, c *wide) {
		for i := range d {
			d[i] = f(a[i], b[i], c[i])
		}
	})
}

// each16 works on 16-bit values, signed or not.
func each16(f func(a, b, c uint16) uint16) run {
	return each(func(a, b, c uint32) uint32 { return uint32(f(uint16(a), uint16(b), uint16(c))) })
}

// eachF64 works on doubles. The common single-precision forms have loops of their
// own.
func eachF64(f func(a, b, c float64) float64) run {
	return each64(func(a, b, c uint64) uint64 {
		return math.Float64bits(f(math.Float64frombits(a), math.Float64frombits(b), math.Float64frombits(c)))
	})
}

// widen makes a 64-bit result of 32-bit a and b and 64-bit c.
func widen(f func(d *wide, a, b *lanes, c *wide)) run {
	return func(w *warp, o *op, m uint32) {
		f(w.dst64(o.d, m), &w.r32[o.a], &w.r32[o.b], &w.r64[o.c])
		w.done64(o.d, m)
	}
}

// shifted takes a 64-bit a and 32-bit b and c.
func shifted(f func(a uint64, b, c uint32) uint64) run {
	return func(w *warp, o *op, m uint32) {
		d, a, b, c := w.dst64(o.d, m), &w.r64[o.a], &w.r32[o.b], &w.r32[o.c]
		for i := range d {
			d[i] = f(a[i], b[i], c[i])
		}
		w.done64(o.d, m)
	}
}

// narrow makes a 32-bit result of a 64-bit a.
func narrow(f func(a uint64) uint32) run {
	return func(w *warp, o *op, m uint32) {
		d, a := w.dst32(o.d, m), &w.r64[o.a]
		for i := range d {
			d[i] = f(a[i])
		}
		w.done32(o.d, m)
	}
}

// extend makes a 64-bit result of a 32-bit a.
func extend(f func(a uint32) uint64) run {
	return func(w *warp, o *op, m uint32) {
		d, a := w.dst64(o.d, m), &w.r32[o.a]
		for i := range d {
			d[i] = f(a[i])
		}
		w.done64(o.d, m)
	}
}

func b2u(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
