package emu

import (
	"math/bits"
)

// lanes holds one 32-bit register of a warp, and wide one 64-bit register.
// Registers of 8 and 16 bits are held in lanes, zero-extended. A predicate register
// of a warp is one word, with bit i for lane i.
type lanes = [32]uint32
type wide = [32]uint64

const full = ^uint32(0)

// opKind says what the warp's loop does with an instruction in addition to running
// it.
type opKind uint8

const (
	plain   opKind = iota
	touches        // accesses memory: a random schedule may switch warps after it
	branch
	leave // ret, exit
	barrier
)

// op is a decoded instruction. Operands are slots of the warp's register file.
// Constants and special registers have slots too, so all operands are of one kind.
type op struct {
	run    func(w *warp, o *op, m uint32)
	kind   opKind
	neg    bool  // guard is !p
	guard  int32 // predicate slot, -1 without
	d      int32 // destination
	a      int32 // sources
	b      int32
	c      int32
	target int32 // branch: taken
	meet   int32 // branch: where the two ways meet
	pc     int32
	memop  // operands of a memory access
	line   int
	text   string
	vote   string // bar.red: popc, and, or
	class  Class
}

// frame is one entry of a warp's reconvergence stack. It holds lanes that run
// together from pc until they reach meet, where the frame below continues.
type frame struct {
	pc, meet int32
	mask     uint32
}

type warpState uint8

const (
	ready warpState = iota
	waiting
	finished
)

// warp is 32 threads that run one instruction at a time.
type warp struct {
	block *block
	id    int
	r32   []lanes
	r64   []wide
	p     []uint32

	part32 lanes // results of an instruction that only part of the lanes run
	part64 wide
	addr   wide // addresses of the access under way

	live  uint32 // lanes that have not exited
	mask  uint32 // lanes of the top frame
	phase int    // bar.warp.sync passed
	stack []frame
	state warpState
	wait  waitFor
	copies
	local []*region // local memory per lane, and again as generic addresses
}

// waitFor is what a waiting warp waits for.
type waitFor struct {
	o    *op
	id   uint32 // barrier
	need int    // threads, 0: all of the block
	vote uint32 // bar.red: the lanes' predicates
}

// start puts the warp at the entry of the kernel with threads lanes.
func (w *warp) start(threads int) {
	k := w.block.kernel
	fill(w.r32[:k.n32], poison)
	fill(w.r64[:k.n64], poison<<32|poison)
	clear(w.p[:k.np])
	w.live = full
	if threads < 32 {
		w.live = 1<<threads - 1
	}
	w.stack = append(w.stack[:0], frame{0, -1, w.live})
	w.state, w.phase = ready, 0
	w.copies.reset()
	for _, l := range w.local {
		clear(l.state)
	}
}

// fill writes v to every lane of registers.
func fill[R uint32 | uint64](r [][32]R, v R) {
	if len(r) == 0 {
		return
	}
	for i := range r[0] {
		r[0][i] = v
	}
	for n := 1; n < len(r); n *= 2 {
		copy(r[n:], r[:n])
	}
}

// quantum is the most instructions that a warp runs before it yields. So a warp
// that waits in a loop for another's flag lets the other run.
const quantum = 1 << 16

// run executes until the warp waits at a barrier, ends or must yield.
func (w *warp) run() {
	b := w.block
	code, stats := b.kernel.code, b.stats
	f := &w.stack[len(w.stack)-1]
	pc, meet := f.pc, f.meet
	w.mask = f.mask
	for n := quantum; n > 0; n-- {
		for pc == meet {
			w.stack = w.stack[:len(w.stack)-1]
			f = &w.stack[len(w.stack)-1]
			pc, meet, w.mask = f.pc, f.meet, f.mask
		}
		o := &code[pc]
		m := w.mask
		if o.guard >= 0 {
			g := w.p[o.guard]
			if o.neg {
				g = ^g
			}
			m &= g
		}
		s := &stats[pc]
		s.Issued++
		s.Lanes += int64(bits.OnesCount32(m))
		switch o.kind {
		case plain:
			if m != 0 {
				o.run(w, o, m)
			}
			pc++
		case touches:
			pc++
			if m != 0 {
				o.run(w, o, m)
				if b.yields() {
					f.pc = pc
					return
				}
			}
		case branch:
			switch m {
			case 0:
				pc++
			case w.mask:
				pc = o.target
			default:
				s.Diverged++
				rest := w.mask &^ m
				if o.meet == meet {
					// The frame below already waits at that place with these lanes.
					w.stack = w.stack[:len(w.stack)-1]
				} else {
					f.pc = o.meet
				}
				w.stack = append(w.stack, frame{pc + 1, o.meet, rest}, frame{o.target, o.meet, m})
				f = &w.stack[len(w.stack)-1]
				pc, meet, w.mask = f.pc, f.meet, f.mask
			}
		case leave:
			f.pc = pc + 1
			if w.exit(m); w.state == finished {
				return
			}
			f = &w.stack[len(w.stack)-1]
			pc, meet, w.mask = f.pc, f.meet, f.mask
		case barrier:
			pc++
			if m != 0 {
				f.pc = pc
				o.run(w, o, m)
				return
			}
		}
	}
	f.pc = pc
	if b.budget -= quantum; b.budget < 0 {
		w.fail(&code[pc], bits.TrailingZeros32(w.mask), OverBudget, "more than %d warp instructions in one block", b.options.Budget)
	}
}

// exit ends the threads m.
func (w *warp) exit(m uint32) {
	w.live &^= m
	for i := range w.stack {
		w.stack[i].mask &^= m
	}
	for len(w.stack) > 0 && w.stack[len(w.stack)-1].mask == 0 {
		w.stack = w.stack[:len(w.stack)-1]
	}
	if len(w.stack) == 0 {
		w.state = finished
	}
}

// dst32 returns the place to which an instruction writes its 32 results. done32
// keeps the results of the lanes that ran it.
func (w *warp) dst32(d int32, m uint32) *lanes {
	if m == full {
		return &w.r32[d]
	}
	return &w.part32
}

func (w *warp) done32(d int32, m uint32) {
	if m != full {
		take(&w.r32[d], &w.part32, m)
	}
}

func (w *warp) dst64(d int32, m uint32) *wide {
	if m == full {
		return &w.r64[d]
	}
	return &w.part64
}

func (w *warp) done64(d int32, m uint32) {
	if m != full {
		take(&w.r64[d], &w.part64, m)
	}
}

// take copies the lanes m.
func take[R uint32 | uint64](to, from *[32]R, m uint32) {
	for ; m != 0; m &= m - 1 {
		i := bits.TrailingZeros32(m) & 31
		to[i] = from[i]
	}
}

// setPred writes the predicate d of the lanes m.
func (w *warp) setPred(d int32, m, v uint32) { w.p[d] = w.p[d]&^m | v&m }
