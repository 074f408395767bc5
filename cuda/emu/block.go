package emu

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"strings"

	"github.com/impasto/impasto/cuda"
	"github.com/impasto/impasto/cuda/ptx"
)

// block runs the blocks of a launch one after another on one goroutine. Its warps,
// registers and shared memory are reused for each of them.
type block struct {
	device  *Device
	options Options
	kernel  *kernel
	grid    cuda.Dim3
	dim     cuda.Dim3
	threads int
	params  []byte

	at     cuda.Dim3 // this block's coordinates
	number uint64    // and its index in the grid
	warps  []*warp
	order  []int // the order in which warps run
	budget int64
	random *rand.Rand // nil unless the schedule is Random

	shared *region // addressed from 0, and again as generic addresses
	window *region
	tags   []uint64 // of shared memory, see race.go
	epoch  uint64

	epochOfLaunch    uint64
	raceable, alone  bool // several blocks in the launch; on one goroutine
	fenced, ordered  bool // the last-block idiom, see race.go
	stats            []Stat
	hints            []*region // for each instruction, the region it accessed last
	barriers, starts int64
	traffic          bool
	seen             map[uint64]struct{} // sectors of global memory; nil unless they are counted
}

func newBlock(d *Device, k *kernel, grid, dim cuda.Dim3, dynamic int, params []byte) *block {
	b := &block{device: d, options: d.options, kernel: k, grid: grid, dim: dim, threads: dim.Count(), params: params,
		stats: make([]Stat, len(k.code)), hints: make([]*region, len(k.code)), traffic: d.options.Traffic}
	if d.options.Traffic && d.options.Sample > 0 {
		b.seen = map[uint64]struct{}{}
	}
	size := uint64(k.shared + dynamic)
	b.shared = &region{space: ptx.Shared, size: size, data: make([]byte, size), state: make([]byte, size), name: "shared memory"}
	b.window = &region{space: ptx.Shared, base: sharedWindow, size: size, data: b.shared.data, state: b.shared.state, name: "shared memory"}
	b.tags = make([]uint64, size>>k.sharedGranule+1)
	b.forget()
	for id := range (b.threads + 31) / 32 {
		w := &warp{block: b, id: id, r32: make([]lanes, k.slots32), r64: make([]wide, k.slots64), p: make([]uint32, k.slotsP)}
		k.preset(w, dynamic)
		for lane := range 32 {
			if k.local > 0 {
				data, state := make([]byte, k.local), make([]byte, k.local)
				w.local = append(w.local,
					&region{space: ptx.Local, size: uint64(k.local), data: data, state: state, name: fmt.Sprintf("local memory of lane %d", lane)},
					&region{space: ptx.Local, base: localWindow, size: uint64(k.local), data: data, state: state, name: fmt.Sprintf("local memory of lane %d", lane)})
			}
		}
		b.warps = append(b.warps, w)
		b.order = append(b.order, id)
	}
	return b
}

// forget clears the regions that instructions accessed last, because they may have
// been freed.
func (b *block) forget() {
	for i := range b.hints {
		b.hints[i] = &noRegion
		if b.kernel.code[i].space == ptx.Shared {
			b.hints[i] = b.shared
		}
	}
}

var noRegion region

// runBlock runs block number n of the grid to its end, or to its first fault.
func (b *block) runBlock(n uint64) (fault *Fault) {
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(*Fault)
			if !ok {
				panic(r)
			}
			fault = f
		}
	}()
	g := b.grid
	b.number = n
	b.at = cuda.Dim3{X: int(n) % g.X, Y: int(n) / g.X % g.Y, Z: int(n) / (g.X * g.Y)}
	b.budget = b.options.Budget
	b.fenced, b.ordered = false, false
	b.starts++
	clear(b.seen)
	fillPoison(b.shared.data)
	clear(b.shared.state)
	b.nextEpoch()
	for i := range b.order {
		b.order[i] = i
		if b.options.Schedule == Reverse {
			b.order[i] = len(b.order) - 1 - i
		}
	}
	if b.options.Schedule == Random {
		b.random = rand.New(rand.NewPCG(b.options.Seed, b.epochOfLaunch<<32|n))
	}
	for i, w := range b.warps {
		w.start(min(32, b.threads-32*i))
		b.kernel.place(w)
	}
	for running := len(b.warps); running > 0; {
		progress := false
		if b.random != nil {
			b.random.Shuffle(len(b.order), func(i, j int) { b.order[i], b.order[j] = b.order[j], b.order[i] })
		}
		for _, i := range b.order {
			w := b.warps[i]
			if w.state != ready {
				continue
			}
			progress = true
			if w.run(); w.state == finished {
				running--
			}
			b.release()
		}
		if !progress {
			panic(b.deadlock())
		}
	}
	return nil
}

// yields reports whether a random schedule switches to another warp now.
func (b *block) yields() bool { return b.random != nil && b.random.Uint32()&3 == 0 }

// nextEpoch separates earlier accesses to shared memory from later ones.
func (b *block) nextEpoch() {
	if b.epoch++; b.epoch > epochMask {
		clear(b.tags)
		b.epoch = 1
	}
}

// arrive makes w wait at barrier id. need is the number of threads that must
// arrive, 0 for all of the block.
func (w *warp) arrive(o *op, m uint32, id uint32, need int, vote uint32) {
	if m != w.live {
		other := bits.TrailingZeros32(w.live &^ m)
		w.fail(o, bits.TrailingZeros32(m), BarrierDivergence, "lane %d of the warp is not at the barrier", other)
	}
	if id > 15 {
		w.fail(o, bits.TrailingZeros32(m), BarrierDivergence, "barrier %d does not exist", id)
	}
	if need%32 != 0 || need > w.block.threads {
		w.fail(o, bits.TrailingZeros32(m), BarrierDivergence, "barrier for %d of %d threads; want whole warps", need, w.block.threads)
	}
	w.state = waiting
	w.wait = waitFor{o, id, need, vote & m}
	w.block.barriers++
}

// release lets warps continue whose barrier is complete.
func (b *block) release() {
	for _, first := range b.warps {
		if first.state != waiting {
			continue
		}
		id, arrived, live, votes, voters := first.wait.id, 0, 0, 0, 0
		for _, w := range b.warps {
			live += bits.OnesCount32(w.live)
			if w.state != waiting || w.wait.id != id {
				continue
			}
			if w.wait.need != first.wait.need || first.wait.need == 0 && w.wait.o != first.wait.o {
				w.fail(w.wait.o, bits.TrailingZeros32(w.live), BarrierDivergence,
					"waits at barrier %d while warp %d waits for it at line %d", id, first.id, first.wait.o.line)
			}
			// A warp of n live lanes arrives as a whole warp if a count is given.
			arrived += bits.OnesCount32(w.live)
			if first.wait.need > 0 {
				arrived += 32 - bits.OnesCount32(w.live)
			}
			votes += bits.OnesCount32(w.wait.vote)
			voters += bits.OnesCount32(w.live)
		}
		need := first.wait.need
		if need == 0 {
			need = live
		}
		if arrived < need {
			continue
		}
		for _, w := range b.warps {
			if w.state == waiting && w.wait.id == id {
				w.state = ready
				finishBarrier(w, votes, voters)
			}
		}
		b.nextEpoch()
	}
}

// deadlock reports where each warp waits when none can continue.
func (b *block) deadlock() *Fault {
	var where []string
	var at *warp
	for _, w := range b.warps {
		if w.state == waiting {
			if at == nil {
				at = w
			}
			where = append(where, fmt.Sprintf("warp %d at barrier %d, line %d", w.id, w.wait.id, w.wait.o.line))
		}
	}
	return at.fault(at.wait.o, bits.TrailingZeros32(at.live), Deadlock, "%s", strings.Join(where, "; "))
}
