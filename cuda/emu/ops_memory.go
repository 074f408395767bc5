package emu

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/impasto/impasto/cuda/ptx"
)

// This file has ld and st. Every access is checked for bounds, alignment and freed
// memory. Reads are also checked for bytes that were never written.

func get32(b []byte, off uint64) uint32    { return binary.LittleEndian.Uint32(b[off:]) }
func put32(b []byte, off uint64, v uint32) { binary.LittleEndian.PutUint32(b[off:], v) }

func getN(b []byte, off, n uint64) (v uint64) {
	switch n {
	case 1:
		return uint64(b[off])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b[off:]))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b[off:]))
	}
	return binary.LittleEndian.Uint64(b[off:])
}

func putN(b []byte, off, n, v uint64) {
	switch n {
	case 1:
		b[off] = byte(v)
	case 2:
		binary.LittleEndian.PutUint16(b[off:], uint16(v))
	case 4:
		binary.LittleEndian.PutUint32(b[off:], uint32(v))
	default:
		binary.LittleEndian.PutUint64(b[off:], v)
	}
}

// whole16 reports whether 16 bytes of state from off on are written.
func whole16(state []byte, off uint64) bool {
	return binary.LittleEndian.Uint64(state[off:])&binary.LittleEndian.Uint64(state[off+8:]) == written8
}

// stateOf returns the state written, repeated for n bytes.
func stateOf(n uint64) uint64 { return written8 >> (64 - 8*n) }

// addresses computes the addresses of the lanes into w.addr.
func (w *warp) addresses(o *op) {
	switch {
	case o.base < 0:
		for i := range w.addr {
			w.addr[i] = o.offset
		}
	case o.wide:
		r := &w.r64[o.base]
		for i := range w.addr {
			w.addr[i] = r[i] + o.offset
		}
	default:
		r := &w.r32[o.base]
		for i := range w.addr {
			w.addr[i] = uint64(r[i]) + o.offset
		}
	}
}

// find returns the region of n bytes at addr in the space of o, and the offset in
// it. If there is none, it fails with the reason. limit is the range of offsets at
// which other lanes may use the same region without another search. It is 0 for
// local memory, where each lane has its own.
func (w *warp) find(o *op, lane int, addr, n uint64, write bool) (r *region, off, limit uint64) {
	b := w.block
	space := o.space
	if space == ptx.Generic {
		switch {
		case addr>>40 == sharedWindow>>40:
			r = b.window
		case addr>>41 == localWindow>>41:
			space = ptx.Local
			r = w.localRegion(lane, 1)
		default:
			space = ptx.Global
		}
	}
	switch {
	case r != nil:
	case space == ptx.Shared:
		r = b.shared
	case space == ptx.Local:
		r = w.localRegion(lane, 0)
	default:
		r = b.device.memory.find(addr)
	}
	near := func() string {
		if r != nil && r.space != ptx.Global && r.space != ptx.Const {
			return fmt.Sprintf("%s has %d bytes", r.name, r.size)
		}
		return b.device.memory.near(addr)
	}
	if r == nil || addr-r.base >= r.limit(n) {
		w.failAt(o, lane, OutOfBounds, addr, n, write, near())
	}
	if r.freed {
		w.failAt(o, lane, UseAfterFree, addr, n, write, near()+", which was freed")
	}
	if addr&(n-1) != 0 {
		w.failAt(o, lane, Misaligned, addr, n, write, near())
	}
	if write && r.readOnly {
		w.failAt(o, lane, ReadOnly, addr, n, write, near())
	}
	if space != ptx.Local {
		limit = r.limit(n)
	}
	return r, addr - r.base, limit
}

var noLocal = region{space: ptx.Local, name: "local memory"}

// localRegion returns the local memory of a lane. which = 1 is the generic window.
func (w *warp) localRegion(lane, which int) *region {
	if w.local == nil {
		return &noLocal
	}
	return w.local[2*lane+which]
}

// failState reports bytes that are not in the state that a read needs.
func (w *warp) failState(o *op, lane int, r *region, addr, off, n uint64) {
	near := w.block.device.memory.near(addr)
	if r.space != ptx.Global {
		near = r.name
	}
	for i := range n {
		if r.state[off+i] == pending {
			w.failAt(o, lane, UnwaitedCopy, addr, n, false, near)
		}
	}
	w.failAt(o, lane, Unwritten, addr, n, false, near)
}

// note applies the race rules to an access.
func (w *warp) note(o *op, lane int, r *region, off, n uint64, write, same bool) {
	switch r.space {
	case ptx.Shared:
		w.touchShared(o, lane, off, n, write, same)
	case ptx.Global:
		w.touchGlobal(o, lane, r, off, n, write)
	}
}

// finish counts an access, and stores its region for the next time.
func (w *warp) finish(o *op, m uint32, r *region) {
	b := w.block
	if b.hints[o.pc] != r {
		b.hints[o.pc] = r
	}
	s := &b.stats[o.pc]
	s.Bytes += int64(o.bytes) * int64(bits.OnesCount32(m))
	if b.traffic {
		w.countTraffic(o, s, r.space, m, o.bytes)
	}
}

func load(w *warp, o *op, m uint32) {
	w.addresses(o)
	b := w.block
	r := b.hints[o.pc]
	n := o.bytes
	raceable := o.weak && b.raceable
	limit := r.limit(n)
	if o.space == ptx.Local || o.space == ptx.Generic {
		limit = 0
	}
	want := stateOf(min(n, 8))
	if !o.weak {
		b.device.memory.atomics.Lock()
		defer b.device.memory.atomics.Unlock()
	}
	if w.loadRow(o, m, r) {
		w.finish(o, m, r)
		return
	}
	for left := m; left != 0; left &= left - 1 {
		i := bits.TrailingZeros32(left) & 31
		addr := w.addr[i]
		off := addr - r.base
		if off >= limit || addr&(n-1) != 0 {
			r, off, limit = w.find(o, i, addr, n, false)
		}
		if n == 4 {
			if get32(r.state, off) != written4 {
				w.failState(o, i, r, addr, off, n)
			}
		} else if n <= 8 {
			if getN(r.state, off, n) != want {
				w.failState(o, i, r, addr, off, n)
			}
		} else if !whole16(r.state, off) {
			w.failState(o, i, r, addr, off, n)
		}
		if raceable || r.space != ptx.Global {
			w.note(o, i, r, off, n, false, false)
		}
		if o.size == 4 && !o.mem64 {
			for _, s := range o.vec {
				if s >= 0 {
					w.r32[s][i] = get32(r.data, off)
				}
				off += 4
			}
			continue
		}
		w.loadElements(o, i, r.data, off)
	}
	w.finish(o, m, r)
}

// loadElements copies elements of any size to registers of any width.
func (w *warp) loadElements(o *op, i int, data []byte, off uint64) {
	for _, s := range o.vec {
		v := getN(data, off, o.size)
		if o.signed {
			shift := 64 - 8*o.size
			v = uint64(int64(v<<shift) >> shift)
		}
		switch {
		case s < 0:
		case o.mem64:
			w.r64[s][i] = v
		default:
			w.r32[s][i] = uint32(v) & o.keep
		}
		off += o.size
	}
}

// inOrder returns m and a value to xor lane numbers with. Taking the lowest bit
// first then visits the lanes in the order of the schedule. If two lanes write to
// one place, it is undefined which of them wins.
func (b *block) inOrder(m uint32) (left uint32, flip int) {
	if b.options.Schedule == Reverse {
		return bits.Reverse32(m), 31
	}
	return m, 0
}

func store(w *warp, o *op, m uint32) {
	w.addresses(o)
	b := w.block
	r := b.hints[o.pc]
	n := o.bytes
	raceable := o.weak && b.raceable
	limit := r.limit(n)
	if o.space == ptx.Local || o.space == ptx.Generic {
		limit = 0
	}
	switch {
	case !o.weak:
		b.device.memory.atomics.Lock()
		defer b.device.memory.atomics.Unlock()
	case raceable && !b.alone && o.space != ptx.Shared && o.space != ptx.Local:
		// The race rule reads tags and the content of memory. No other block may
		// run between the two reads.
		b.device.memory.stores.Lock()
		defer b.device.memory.stores.Unlock()
	}
	if w.storeRow(o, m, r) {
		w.finish(o, m, r)
		return
	}
	for left, flip := b.inOrder(m); left != 0; left &= left - 1 {
		i := bits.TrailingZeros32(left)&31 ^ flip
		addr := w.addr[i]
		off := addr - r.base
		if off >= limit || addr&(n-1) != 0 {
			r, off, limit = w.find(o, i, addr, n, true)
		}
		if raceable || r.space != ptx.Global {
			w.note(o, i, r, off, n, true, r.space == ptx.Shared && w.holds(o, i, r, off))
		}
		if o.size == 4 && !o.mem64 {
			for _, s := range o.vec {
				if get32(r.state, off)&(pending*written4) != 0 {
					w.failPending(o, i, r, addr)
				}
				put32(r.state, off, written4)
				put32(r.data, off, w.r32[s][i])
				off += 4
			}
			continue
		}
		for _, s := range o.vec {
			if getN(r.state, off, o.size)&pending8 != 0 {
				w.failPending(o, i, r, addr)
			}
			putN(r.state, off, o.size, stateOf(o.size))
			putN(r.data, off, o.size, w.element(o, s, i))
			off += o.size
		}
	}
	w.finish(o, m, r)
}

// element returns the value that lane i stores from register s.
func (w *warp) element(o *op, s int32, i int) uint64 {
	if o.mem64 {
		return w.r64[s][i]
	}
	return uint64(w.r32[s][i])
}

// holds reports whether memory already contains what lane i would store.
func (w *warp) holds(o *op, i int, r *region, off uint64) bool {
	mask := ^uint64(0) >> (64 - 8*o.size)
	for _, s := range o.vec {
		if getN(r.state, off, o.size) != stateOf(o.size) || getN(r.data, off, o.size) != w.element(o, s, i)&mask {
			return false
		}
		off += o.size
	}
	return true
}

func (w *warp) failPending(o *op, lane int, r *region, addr uint64) {
	w.failAt(o, lane, UnwaitedCopy, addr, o.bytes, true, r.name)
}

// access sets the memop of a load, store or atomic of elements of type t.
func (d *decoding) access(t ptx.Type, addr int, data *ptx.Operand) {
	o := d.o
	d.address(addr)
	o.space = d.in.Space()
	o.size = uint64(t.Size())
	o.signed = t.Signed()
	o.keep = full
	elems := []ptx.Operand{*data}
	if data.Kind == ptx.VecOp {
		elems = data.Elems
	}
	o.bytes = o.size * uint64(len(elems))
	o.mem64 = o.size == 8
	o.weak = !d.in.Has("volatile") && (!d.in.Has("order") || d.in.Mods["order"] == "weak")
	for i := range elems {
		if e := &elems[i]; e.Kind == ptx.RegOp {
			switch d.src.Regs[e.Reg].Type.Size() {
			case 8:
				o.mem64 = true
			case 2:
				o.keep = 0xffff
			}
		}
	}
	if o.mem64 {
		t = ptx.B64
	}
	for i := range elems {
		o.vec = append(o.vec, d.sourceOp(&elems[i], t))
	}
	d.granule(o.space, o.size)
	o.kind = touches
}

func decodeLd(d *decoding) run {
	d.access(d.in.Type("type"), 1, &d.in.Args[0])
	if d.o.space == ptx.ParamSpace {
		if d.o.base >= 0 {
			d.fail("parameters are addressed by name")
		}
		if d.o.offset+d.o.bytes > uint64(d.k.paramBytes) {
			d.fail("reads past the end of the parameters")
		}
		d.o.kind = plain
		return loadParam
	}
	if d.o.space == ptx.Shared && d.o.size == 4 && !d.o.mem64 {
		d.o.quad = len(d.o.vec) == 4 && min(d.o.vec[0], d.o.vec[1], d.o.vec[2], d.o.vec[3]) >= 0
		return loadShared
	}
	return load
}

func loadParam(w *warp, o *op, m uint32) {
	for ; m != 0; m &= m - 1 {
		w.loadElements(o, bits.TrailingZeros32(m)&31, w.block.params, o.offset)
	}
}

func decodeSt(d *decoding) run {
	d.access(d.in.Type("type"), 0, &d.in.Args[1])
	return store
}

func init() {
	decoders["ld"], decoders["st"] = decodeLd, decodeSt
}
