package emu

import (
	"math"
	"math/bits"

	"github.com/impasto/impasto/cuda/ptx"
)

// atom and red read, modify and write in one step, one lane after another. Only one
// such instruction of the device runs at a time.

func decodeAtomic(d *decoding) run {
	t := d.in.Type("type")
	addr, data := 0, 1
	o := d.o
	o.d = -1
	if d.in.Op == "atom" {
		addr, data = 1, 2
		o.d = d.reg(&d.in.Args[0], t)
	}
	d.access(t, addr, &d.in.Args[data])
	name := d.in.Mods["aop"]
	if d.in.Has("cas") {
		name = "cas"
		o.c = d.source(3, t)
	}
	f := atomics(t)[name]
	return func(w *warp, o *op, m uint32) { w.atomic(o, m, f) }
}

// atomics are the operations (old, operand, second operand) -> new on type t.
func atomics(t ptx.Type) map[string]func(old, b, c uint64) uint64 {
	ops := map[string]func(old, b, c uint64) uint64{
		"and":  func(old, b, _ uint64) uint64 { return old & b },
		"or":   func(old, b, _ uint64) uint64 { return old | b },
		"xor":  func(old, b, _ uint64) uint64 { return old ^ b },
		"exch": func(_, b, _ uint64) uint64 { return b },
		"add":  func(old, b, _ uint64) uint64 { return old + b },
		"min":  func(old, b, _ uint64) uint64 { return min(old, b) },
		"max":  func(old, b, _ uint64) uint64 { return max(old, b) },
		"inc": func(old, b, _ uint64) uint64 {
			if old >= b {
				return 0
			}
			return old + 1
		},
		"dec": func(old, b, _ uint64) uint64 {
			if old == 0 || old > b {
				return b
			}
			return old - 1
		},
		"cas": func(old, b, c uint64) uint64 {
			if old == b {
				return c
			}
			return old
		},
	}
	switch t {
	case ptx.F32:
		ops["add"] = func(old, b, _ uint64) uint64 {
			return uint64(quiet(float(uint32(old)) + float(uint32(b))))
		}
	case ptx.F64:
		ops["add"] = func(old, b, _ uint64) uint64 {
			return math.Float64bits(math.Float64frombits(old) + math.Float64frombits(b))
		}
	case ptx.S32, ptx.S64:
		ops["min"] = func(old, b, _ uint64) uint64 {
			return uint64(min(int64(signExtend(old, t)), int64(signExtend(b, t))))
		}
		ops["max"] = func(old, b, _ uint64) uint64 {
			return uint64(max(int64(signExtend(old, t)), int64(signExtend(b, t))))
		}
	}
	return ops
}

func (w *warp) atomic(o *op, m uint32, f func(old, b, c uint64) uint64) {
	w.addresses(o)
	b := w.block
	r := b.hints[o.pc]
	n := o.bytes
	memory := b.device.memory
	memory.atomics.Lock()
	defer memory.atomics.Unlock()
	for left, flip := b.inOrder(m); left != 0; left &= left - 1 {
		i := bits.TrailingZeros32(left)&31 ^ flip
		addr := w.addr[i]
		var off uint64
		r, off, _ = w.find(o, i, addr, n, true)
		if getN(r.state, off, n) != stateOf(n) {
			w.failState(o, i, r, addr, off, n)
		}
		old := getN(r.data, off, n)
		second := uint64(0)
		if o.mem64 {
			second = w.r64[o.c][i]
		} else {
			second = uint64(w.r32[o.c][i])
		}
		putN(r.data, off, n, f(old, w.element(o, o.vec[0], i), second))
		switch {
		case o.d < 0:
		case o.mem64:
			w.r64[o.d][i] = old
		default:
			w.r32[o.d][i] = uint32(old)
		}
	}
	if r.space == ptx.Global && b.fenced {
		b.ordered = true
	}
	w.finish(o, m, r)
}

func init() {
	decoders["atom"], decoders["red"] = decodeAtomic, decodeAtomic
}
