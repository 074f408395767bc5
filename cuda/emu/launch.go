package emu

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/impasto/impasto/cuda"
)

// Launch runs k on a grid (see cuda.Driver).
func (d *Device) Launch(kernelArg cuda.Kernel, grid, dim cuda.Dim3, shared int, args *cuda.Args) error {
	if err := d.enter("launch", true); err != nil {
		return err
	}
	k, ok := kernelArg.(*kernel)
	if !ok || k.module.device != d || k.module.kernels == nil {
		return cuda.Errorf(cuda.InvalidValue, "launch", "kernel is not of a module loaded on this device")
	}
	call := "launch of " + k.sig.Name
	dim, err := k.sig.Check(dim, args)
	if err != nil {
		return err
	}
	grid = grid.Norm()
	if grid.X <= 0 || grid.X > 1<<31-1 || grid.Y > 65535 || grid.Z > 65535 {
		return cuda.Errorf(cuda.InvalidValue, call, "grid %v is not within (1..2147483647, 1..65535, 1..65535)", grid)
	}
	if shared < 0 || k.shared+shared > d.info.SharedBlock {
		return cuda.Errorf(cuda.InvalidValue, call, "%d bytes of static and %d of dynamic shared memory, a block may have %d", k.shared, shared, d.info.SharedBlock)
	}
	params := make([]byte, k.paramBytes)
	var cell [8]byte
	for i, p := range k.module.ptx.Kernel(k.sig.Name).Params {
		binary.LittleEndian.PutUint64(cell[:], args.Cells()[i])
		copy(params[p.Offset:p.Offset+p.Size], cell[:])
	}
	return d.queue(func() error {
		d.calls.Launches++
		if f := d.run(k, grid, dim, shared, params); f != nil {
			d.lost = &cuda.Error{Call: call, Code: cuda.LaunchFailed, Text: f.Error(), Cause: f}
			if c, ok := codes[f.Kind]; ok {
				d.lost.(*cuda.Error).Code = c
			}
			return d.lost
		}
		return nil
	})
}

// run executes all blocks of a launch. Workers take blocks in order. After a fault
// they still finish the earlier blocks, so that the first fault in order is
// reported, whatever the number of workers.
func (d *Device) run(k *kernel, grid, dim cuda.Dim3, shared int, params []byte) *Fault {
	all := uint64(grid.X) * uint64(grid.Y) * uint64(grid.Z)
	n := all
	if sample := uint64(d.options.Sample); sample > 0 {
		n = min(n, sample)
	}
	workers := d.options.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if d.options.Serial {
		workers = 1
	}
	workers = int(min(uint64(workers), n))
	if d.epoch++; d.epoch > epochMask {
		for _, r := range d.memory.regions {
			r.tags.Store(nil)
		}
		d.epoch = 1
	}
	order := d.blockOrder(n, all)
	var next, limit atomic.Uint64
	limit.Store(n)
	var mu sync.Mutex
	var first *Fault
	work := func(b *block) {
		for {
			i := next.Add(1) - 1
			if i >= limit.Load() {
				return
			}
			if f := b.runBlock(order(i)); f != nil {
				mu.Lock()
				if i < limit.Load() {
					limit.Store(i)
					first = f
				}
				mu.Unlock()
			}
		}
	}
	blocks := make([]*block, workers)
	for i := range blocks {
		b := k.block(d, grid, dim, shared, params)
		b.epochOfLaunch, b.alone = d.epoch, workers == 1
		b.raceable = n > 1 && n < blockMask-1 && d.options.Sample == 0
		blocks[i] = b
	}
	if workers == 1 {
		work(blocks[0])
	} else {
		var wg sync.WaitGroup
		for _, b := range blocks {
			wg.Go(func() { work(b) })
		}
		wg.Wait()
	}
	k.launches++
	for _, b := range blocks {
		for i := range b.stats {
			k.total[i].add(&b.stats[i])
		}
		clear(b.stats)
		k.blocks += b.starts
		k.barriers += b.barriers
		b.starts, b.barriers = 0, 0
		k.pool = append(k.pool, b)
	}
	return first
}

// blockOrder returns the function that maps i to the i-th block to run, for n of
// all blocks.
func (d *Device) blockOrder(n, all uint64) func(i uint64) uint64 {
	if n < all {
		// The block lies at a random place within the i-th part, because blocks at
		// equal distances might all lie at one border.
		return func(i uint64) uint64 {
			from, to := i*all/n, (i+1)*all/n
			return from + (i*0x9e3779b97f4a7c15>>32)%(to-from)
		}
	}
	switch d.options.Schedule {
	case Reverse:
		return func(i uint64) uint64 { return n - 1 - i }
	case Random:
		if n < 1<<20 {
			perm := rand.New(rand.NewPCG(d.options.Seed, d.epoch)).Perm(int(n))
			return func(i uint64) uint64 { return uint64(perm[i]) }
		}
	}
	return func(i uint64) uint64 { return i }
}

// block reuses a block of the same shape from an earlier launch, or makes one.
func (k *kernel) block(d *Device, grid, dim cuda.Dim3, shared int, params []byte) *block {
	for i, b := range k.pool {
		if b.dim == dim && b.grid == grid && len(b.shared.data) == k.shared+shared {
			k.pool = append(k.pool[:i], k.pool[i+1:]...)
			b.params = params
			b.forget()
			return b
		}
	}
	k.pool = k.pool[:0]
	return newBlock(d, k, grid, dim, shared, params)
}
