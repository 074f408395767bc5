package emu

import (
	"math/bits"

	"github.com/impasto/impasto/cuda/ptx"
)

// This file has barriers, fences, and communication between the lanes of a warp.

func decodeBar(d *decoding) run {
	o := d.o
	in := d.in
	o.kind = barrier
	first := 0
	reduction := in.Has("red")
	if reduction {
		t := ptx.Pred
		if o.vote = in.Mods["rop"]; o.vote == "" {
			t, o.vote = ptx.U32, "popc"
		}
		o.d = d.reg(&in.Args[0], t)
		first = 1
	}
	if in.Has("warp") {
		o.kind = plain
		o.a = d.source(0, ptx.U32)
		return syncWarp
	}
	o.a, o.b = d.source(first, ptx.U32), -1
	if reduction {
		o.c = d.source(2, ptx.Pred)
		flip := d.flip(2)
		return func(w *warp, o *op, m uint32) { w.arrive(o, m, w.r32[o.a][0], 0, w.p[o.c]^flip) }
	}
	if len(in.Args) > 1 {
		o.b = d.source(1, ptx.U32)
	}
	return func(w *warp, o *op, m uint32) {
		need := 0
		if o.b >= 0 {
			need = int(w.r32[o.b][0])
		}
		w.arrive(o, m, w.r32[o.a][0], need, 0)
	}
}

// finishBarrier gives a released warp the result of bar.red: how many of the
// block's threads (voters) had the predicate set (votes), or whether all or any
// had.
func finishBarrier(w *warp, votes, voters int) {
	o := w.wait.o
	v := uint32(0)
	switch o.vote {
	case "popc":
		d := w.dst32(o.d, w.live)
		for i := range d {
			d[i] = uint32(votes)
		}
		w.done32(o.d, w.live)
		return
	case "and":
		v = b2u(votes == voters)
	case "or":
		v = b2u(votes > 0)
	default:
		return
	}
	w.setPred(o.d, w.live, -v)
}

// members checks the lane mask of a .sync instruction, which must be the same in
// all lanes that run it. The mask must contain the lanes that run the instruction.
// Of the other live lanes it must contain none, because the warp would wait for
// them for ever.
func (w *warp) members(o *op, m uint32, slot int32) uint32 {
	masks := &w.r32[slot]
	first := bits.TrailingZeros32(m)
	mask := masks[first&31]
	for left := m; left != 0; left &= left - 1 {
		i := bits.TrailingZeros32(left)
		if masks[i&31] != mask {
			w.fail(o, i, BadMask, "mask %#08x here, %#08x in lane %d", masks[i&31], mask, first)
		}
	}
	if extra := m &^ mask; extra != 0 {
		w.fail(o, bits.TrailingZeros32(extra), BadMask, "lane runs this but is not in mask %#08x", mask)
	}
	if missing := mask & w.live &^ m; missing != 0 {
		w.fail(o, first, BadMask, "mask %#08x names lane %d, which is elsewhere", mask, bits.TrailingZeros32(missing))
	}
	return mask
}

// whole checks that all 32 lanes run a .aligned instruction.
func (w *warp) whole(o *op, m uint32) {
	if m != full {
		w.fail(o, bits.TrailingZeros32(m), BadMask, "needs all 32 lanes of the warp, lanes %#08x run it", m)
	}
}

func syncWarp(w *warp, o *op, m uint32) {
	w.members(o, m, o.a)
	w.phase++
}

func decodeFence(d *decoding) run {
	wide := !d.in.Has("cta") && d.in.Mods["level"] != "cta" && d.in.Mods["scope"] != "cta"
	return func(w *warp, o *op, m uint32) {
		if wide {
			w.block.fenced = true
		}
	}
}

// decodeShfl decodes shfl.sync.mode.b32 d
// p, a, b, c, mask. Bits 0-4 of c hold the clamp, and bits 8-12 the segment mask.
// Values move only within a segment. p says whether the source lane was in range.
// If it was not, a lane gets its own a.
func decodeShfl(d *decoding) run {
	o := d.o
	dest, inRange := d.pair()
	o.d = d.reg(dest, ptx.B32)
	o.a, o.b, o.c = d.source(1, ptx.B32), d.source(2, ptx.U32), d.source(3, ptx.U32)
	o.base = d.source(4, ptx.U32)
	mode := d.in.Mods["mode"]
	return func(w *warp, o *op, m uint32) {
		w.members(o, m, o.base)
		a, b, c := w.r32[o.a], &w.r32[o.b], &w.r32[o.c]
		valid := uint32(0)
		d := &w.r32[o.d]
		for left := m; left != 0; left &= left - 1 {
			i := bits.TrailingZeros32(left) & 31
			from, ok := shuffleSource(mode, i, int(b[i]&31), int(c[i]&31), int(c[i]>>8&31))
			if m>>from&1 == 0 {
				w.fail(o, i, BadShuffle, "lane %d is not active", from)
			}
			d[i] = a[from&31]
			valid |= b2u(ok) << i
		}
		if inRange >= 0 {
			w.setPred(inRange, m, valid)
		}
	}
}

// shuffleSource returns the lane that lane i reads, and whether it is in range.
func shuffleSource(mode string, i, b, clamp, segment int) (from int, ok bool) {
	last := i&segment | clamp&^segment
	first := i & segment
	switch mode {
	case "up":
		from = i - b
		ok = from >= last
	case "down":
		from = i + b
		ok = from <= last
	case "bfly":
		from = i ^ b
		ok = from <= last
	case "idx":
		from = first | b&^segment
		ok = from <= last
	}
	if !ok {
		from = i
	}
	return from, ok
}

// decodeVote decodes vote.sync. all, any and uni (all equal) combine the lanes that
// run it, and ballot returns their bits.
func decodeVote(d *decoding) run {
	o := d.o
	mode := d.in.Mods["mode"]
	o.a, o.b = d.source(1, ptx.Pred), d.source(2, ptx.U32)
	flip := d.flip(1)
	if mode == "" {
		o.d = d.reg(&d.in.Args[0], ptx.B32)
		return func(w *warp, o *op, m uint32) {
			w.members(o, m, o.b)
			w.broadcast(o.d, m, (w.p[o.a]^flip)&m)
		}
	}
	o.d = d.reg(&d.in.Args[0], ptx.Pred)
	return func(w *warp, o *op, m uint32) {
		w.members(o, m, o.b)
		p := (w.p[o.a] ^ flip) & m
		ok := false
		switch mode {
		case "all":
			ok = p == m
		case "any":
			ok = p != 0
		case "uni":
			ok = p == 0 || p == m
		}
		w.setPred(o.d, m, -b2u(ok))
	}
}

// broadcast writes v to register d of the lanes m.
func (w *warp) broadcast(d int32, m, v uint32) {
	for ; m != 0; m &= m - 1 {
		w.r32[d][bits.TrailingZeros32(m)&31] = v
	}
}

func decodeActivemask(d *decoding) run {
	d.o.d = d.reg(&d.in.Args[0], ptx.B32)
	return func(w *warp, o *op, m uint32) { w.broadcast(o.d, m, m) }
}

// decodeMatch decodes match.any.sync, which returns the lanes that hold the same
// value.
func decodeMatch(d *decoding) run {
	t := d.in.Type("type")
	o := d.o
	o.d, o.a, o.b = d.reg(&d.in.Args[0], ptx.B32), d.source(1, t), d.source(2, ptx.U32)
	return func(w *warp, o *op, m uint32) {
		w.members(o, m, o.b)
		value := func(i int) uint64 {
			if t.Size() == 8 {
				return w.r64[o.a][i]
			}
			return uint64(w.r32[o.a][i])
		}
		var out lanes
		for i := range 32 {
			for j := range 32 {
				if m>>j&1 == 1 && value(i) == value(j) {
					out[i] |= 1 << j
				}
			}
		}
		for left := m; left != 0; left &= left - 1 {
			i := bits.TrailingZeros32(left) & 31
			w.r32[o.d][i] = out[i]
		}
	}
}

func decodeTrap(d *decoding) run {
	return func(w *warp, o *op, m uint32) {
		w.fail(o, bits.TrailingZeros32(m), Trap, "the kernel stopped itself")
	}
}

func init() {
	decoders["bar"], decoders["barrier"] = decodeBar, decodeBar
	decoders["membar"], decoders["fence"] = decodeFence, decodeFence
	decoders["shfl"], decoders["vote"], decoders["match"] = decodeShfl, decodeVote, decodeMatch
	decoders["activemask"], decoders["trap"] = decodeActivemask, decodeTrap
}
