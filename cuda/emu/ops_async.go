package emu

import (
	"math/bits"

	"github.com/impasto/impasto/cuda/ptx"
)

// cp.async copies from global to shared memory in the background. Its bytes are
// "pending" until the thread that started the copy has waited for its group.
// Accessing them earlier is a fault. Other threads need a barrier after the wait,
// as for any write of that thread.

// copies are a warp's unfinished asynchronous copies.
type copies struct {
	queue  []asyncCopy
	groups [32]int // groups each lane has committed
}

type asyncCopy struct {
	o      *op
	lane   int
	group  int // the group of its lane that it belongs to
	region *region
	off    uint64
	data   [16]byte
	bytes  uint64
}

func (c *copies) reset() {
	c.queue = c.queue[:0]
	c.groups = [32]int{}
}

func decodeCpAsync(d *decoding) run {
	o := d.o
	switch {
	case d.in.Has("commit_group"):
		return func(w *warp, o *op, m uint32) {
			for ; m != 0; m &= m - 1 {
				w.groups[bits.TrailingZeros32(m)&31]++
			}
		}
	case d.in.Has("wait_group"):
		n := int(d.in.Args[0].Imm)
		return func(w *warp, o *op, m uint32) {
			w.land(m, func(c *asyncCopy) bool { return c.group < w.groups[c.lane]-n })
		}
	case d.in.Has("wait_all"):
		return func(w *warp, o *op, m uint32) { w.land(m, func(*asyncCopy) bool { return true }) }
	}
	n := d.in.Args[2].Imm
	if n != 16 && (d.in.Mods["cop"] == "cg" || n != 4 && n != 8) {
		d.fail("copies %d bytes; .ca copies 4, 8 or 16, .cg 16", n)
	}
	// The destination address is that of the memop. The source has an address of
	// its own.
	d.address(1)
	from := o.memop
	d.address(0)
	o.space, o.size, o.bytes, o.weak = ptx.Shared, n, n, true
	from.space, from.size, from.bytes, from.weak = ptx.Global, n, n, true
	source := *o
	source.memop = from
	o.b = -1
	if len(d.in.Args) > 3 {
		o.b = d.source(3, ptx.U32)
	}
	d.granule(ptx.Shared, n)
	d.granule(ptx.Global, 4)
	o.kind = touches
	return func(w *warp, o *op, m uint32) {
		w.addresses(&source)
		src := w.addr
		w.addresses(o)
		b := w.block
		for left := m; left != 0; left &= left - 1 {
			i := bits.TrailingZeros32(left) & 31
			r, off, _ := w.find(o, i, w.addr[i], n, true)
			c := asyncCopy{o: o, lane: i, group: w.groups[i], region: r, off: off, bytes: n}
			// If there are fewer source bytes, zeros are added.
			k := n
			if o.b >= 0 {
				k = uint64(w.r32[o.b][i])
			}
			if k > n {
				w.fail(o, i, OutOfBounds, "source size %d is larger than %d", k, n)
			}
			if k > 0 {
				g, at, _ := w.find(&source, i, src[i], n, false)
				for j := range k {
					if g.state[at+j] != written {
						w.failState(&source, i, g, src[i], at, k)
					}
				}
				if b.raceable {
					w.touchGlobal(&source, i, g, at, k, false)
				}
				copy(c.data[:k], g.data[at:])
			}
			w.touchShared(o, i, off, n, true, false)
			for j := range n {
				if r.state[off+j] == pending {
					w.failPending(o, i, r, w.addr[i])
				}
			}
			setState(r.state[off:off+n], pending)
			w.queue = append(w.queue, c)
		}
		s := &b.stats[o.pc]
		s.Bytes += int64(n) * int64(bits.OnesCount32(m))
		if b.traffic {
			w.countTraffic(o, s, ptx.Shared, m, n)
			w.noteSectors(s, &src, m, n)
		}
	}
}

// land completes the copies of the lanes m for which done returns true.
func (w *warp) land(m uint32, done func(c *asyncCopy) bool) {
	kept := w.queue[:0]
	for i := range w.queue {
		c := &w.queue[i]
		if m>>c.lane&1 == 0 || !done(c) {
			kept = append(kept, *c)
			continue
		}
		copy(c.region.data[c.off:c.off+c.bytes], c.data[:])
		setState(c.region.state[c.off:c.off+c.bytes], written)
		w.touchShared(c.o, c.lane, c.off, c.bytes, true, false)
	}
	w.queue = kept
}

func init() {
	decoders["cp"] = decodeCpAsync
}
