package emu

import (
	"encoding/binary"
	"math/bits"

	"github.com/impasto/impasto/cuda/ptx"
)

// This file handles the two patterns of most accesses of a kernel: a warp's row of
// consecutive words in global memory, and words of shared memory. It does the
// checks of load and store for many bytes at once.

// row returns the 128 bytes of r that a full warp accesses when lane i accesses
// word i from a common start. This is the commonest pattern in global memory. It
// returns nil for any other pattern, and if something needs a closer check.
func (w *warp) row(o *op, m uint32, r *region) (state, data []byte, off uint64) {
	start := w.addr[0]
	off = start - r.base
	if m != full || o.bytes != 4 || o.mem64 || o.vec[0] < 0 || r.space != ptx.Global || off >= r.limit(128) || start&3 != 0 {
		return nil, nil, 0
	}
	for i := range w.addr {
		if w.addr[i] != start+4*uint64(i) {
			return nil, nil, 0
		}
	}
	return r.state[off : off+128], r.data[off : off+128], off
}

// all reports whether every byte of state has exactly the bits of want, among those
// of mask. The length of state is a multiple of 8.
func all(state []byte, mask, want uint64) bool {
	for len(state) >= 8 {
		if binary.LittleEndian.Uint64(state)&mask != want {
			return false
		}
		state = state[8:]
	}
	return true
}

// loadRow and storeRow do the access if it is one of a row.
func (w *warp) loadRow(o *op, m uint32, r *region) bool {
	state, data, off := w.row(o, m, r)
	if state == nil || !all(state, ^uint64(0), written8) {
		return false
	}
	if o.weak && w.block.raceable {
		for i := range 32 {
			w.touchGlobal(o, i, r, off+4*uint64(i), 4, false)
		}
	}
	d := &w.r32[o.vec[0]]
	for i := range d {
		d[i] = get32(data, 4*uint64(i))
	}
	return true
}

func (w *warp) storeRow(o *op, m uint32, r *region) bool {
	state, data, off := w.row(o, m, r)
	if state == nil || !all(state, pending8, 0) {
		return false
	}
	if o.weak && w.block.raceable {
		for i := range 32 {
			w.touchGlobal(o, i, r, off+4*uint64(i), 4, true)
		}
	}
	a := &w.r32[o.vec[0]]
	for i := range a {
		put32(data, 4*uint64(i), a[i])
	}
	for i := 0; i < len(state); i += 8 {
		binary.LittleEndian.PutUint64(state[i:i+8], written8)
	}
	return true
}

// repeating reports whether the four quarters of a warp access the same addresses,
// as in a tiled product.
func repeating(a *wide) bool {
	for i := range 24 {
		if a[i] != a[i+8] {
			return false
		}
	}
	return true
}

// loadShared is load for words of shared memory, which are most of a kernel's
// loads. It skips tags that a read would not change. It makes the two commonest
// changes itself: the first reader since a barrier, and a second lane of the same
// warp.
func loadShared(w *warp, o *op, m uint32) {
	w.addresses(o)
	b := w.block
	r := b.shared
	n := o.bytes
	limit := r.limit(n)
	state, data, tags := r.state, r.data, b.tags
	shift := b.kernel.sharedGranule
	s := w.settled()
	last, repeats := ^uint64(0), 0
	known := 32 // lanes from here on access the same as two earlier lanes
	if m == full && repeating(&w.addr) {
		known = 16
	}
	for left := m; left != 0; left &= left - 1 {
		i := bits.TrailingZeros32(left) & 31
		off := w.addr[i]
		if off == last {
			repeats++
		} else {
			last, repeats = off, 0
		}
		if repeats < 2 && i < known {
			if off >= limit || off&(n-1) != 0 {
				w.find(o, i, off, n, false)
			}
			for g := off >> shift; g <= (off+n-1)>>shift; g++ {
				switch t := tags[g]; {
				case t&s.maskMany == s.many || t&s.maskWarp == s.own || t == s.first+uint64(i):
				case t&tagEpoch != s.epoch:
					tags[g] = s.first + uint64(i)
				case (t-1)&^31+1 == s.first:
					tags[g] = s.own
				default:
					w.touchShared(o, i, g<<shift, 1, false, false)
				}
			}
			if n == 16 {
				if !whole16(state, off) {
					w.failState(o, i, r, off, off, n)
				}
			} else if getN(state, off, n) != stateOf(n) {
				w.failState(o, i, r, off, off, n)
			}
		}
		if o.quad {
			low, high := binary.LittleEndian.Uint64(data[off:]), binary.LittleEndian.Uint64(data[off+8:])
			w.r32[o.vec[0]][i], w.r32[o.vec[1]][i] = uint32(low), uint32(low>>32)
			w.r32[o.vec[2]][i], w.r32[o.vec[3]][i] = uint32(high), uint32(high>>32)
			continue
		}
		for k, s := range o.vec {
			if s >= 0 {
				w.r32[s][i] = get32(data, off+4*uint64(k))
			}
		}
	}
	st := &b.stats[o.pc]
	st.Bytes += int64(n) * int64(bits.OnesCount32(m))
	if b.traffic {
		w.countTraffic(o, st, ptx.Shared, m, n)
	}
}
