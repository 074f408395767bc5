package gpu

import (
	"fmt"
	"strings"
	"testing"

	"github.com/impasto/impasto/cuda/emu"
	"github.com/impasto/impasto/kernels"
)

// everyKernel launches the device's kernels at shapes that tiles and warps fill,
// as the middle of a large picture does.
func everyKernel(b *Device) {
	s := Shape{16, 32, 64}
	pool := Pool{Kind: MaxPool}
	up := func(s Shape) *Array { return upload(b, s, random(1, s.Len(), 1)) }
	image, feat, other := up(Shape{16, 32, 3}), up(s), up(s)
	first := b.NewFilter(random(2, 27*64, 0.1), random(3, 64, 0.1), 3, 64)
	conv := b.NewFilter(random(4, 9*64*64, 0.1), random(5, 64, 0.1), 64, 64)
	pooled, mask, plain := up(pool.Out(s)), b.NewMask(s, pool), b.NewMask(s, Pool{})
	b.Conv(ConvOut{Act: feat, Mask: plain}, image, first, ZeroPad)
	b.Conv(ConvOut{Act: other, Pooled: pooled, Mask: mask, Pool: pool}, feat, conv, ZeroPad)
	dx, dimage := up(s), up(image.Shape)
	b.ConvGrad(dx, other, conv, ConvGradOptions{Gate: plain})
	b.ConvGrad(dimage, dx, first, ConvGradOptions{})
	b.Pool(pooled, other, pool)
	b.PoolGrad(dx, pooled, PoolGradOptions{Mask: mask})
	maps := up(Shape{16, 32, 3})
	cells := up(Shape{4, 8, 3})
	b.Pool(cells, maps, Pool{Kind: AvgPool, Size: 4})
	b.PoolGrad(maps, cells, PoolGradOptions{Pool: Pool{Kind: AvgPool, Size: 4}})
	b.Gate(dx, plain)

	g, d, mean, shift := b.NewArray(Matrix(64)), b.NewArray(Matrix(64)), b.NewArray(Vector(64)), b.NewArray(Vector(64))
	b.Gram(g, feat, 1)
	b.GramLoss(d, g, []GramTarget{{up(Matrix(64)), 1}}, 1, 0)
	b.Mean(mean, feat)
	b.StyleGrad(dx, feat, d, shift)
	b.W2Loss(d, shift, mean, g, b.NewW2Target(mean, g, 1e-4), s.Pixels(), 1, 1)
	b.ContentLoss(dx, feat, other, 1, 2)
	b.TV(dimage, image, TVL2, 1, 3)
	b.TV(dimage, image, TVStencil, 1, 4)
	b.Axpy(dx, 2, feat)
	b.AddNormalized(dx, 2, feat)
	b.Weigh(dx, up(Shape{16, 32, 1}))
	b.Dot(dx, feat)
	small := up(Shape{8, 16, 64})
	b.CopyWindow(small, feat, 4, 8)
	b.AddWindow(feat, small, 4, 8)
	b.MoveLoss(5, 4)
	b.Resample(up(Shape{8, 16, 3}), image, Bilinear)
}

// traffic is what a kernel asks of memory, by class of memory.
type traffic struct{ units, ideal, conflicts int64 }

// TestKernelTraffic states what each kernel's accesses cost beyond the least
// possible: 32-byte sectors of global memory over those the same bytes need,
// and passes lost to banks of shared memory asked for twice. It prints the table
// of docs/kernels.md.
func TestKernelTraffic(t *testing.T) {
	dev := emu.Open(emu.Options{Traffic: true})
	b := NewDevice(dev, DeviceOptions{Name: "emu"})
	defer b.Close()
	everyKernel(b)
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	ran := map[string]bool{}
	for _, c := range dev.Counters() {
		if c.Launches == 0 {
			continue
		}
		ran[c.Kernel] = true
		total, global, shared := c.Total(), c.Class(emu.ClassGlobal), c.Class(emu.ClassShared)
		t.Logf("%-22s %3.0f%% fma %5.1f lanes %6.2f sectors %5.2f of ideal %8d conflicts", c.Kernel,
			100*float64(c.Class(emu.ClassFMA).Issued)/float64(total.Issued), float64(total.Lanes)/float64(total.Issued),
			float64(global.Units)/float64(max(1, global.Requests)), float64(global.Units)/float64(max(1, global.Ideal)), shared.Conflicts)
	}
	for _, name := range kernels.Names() {
		text, err := kernels.PTX(name, 75)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			if entry, ok := strings.CutPrefix(line, ".visible .entry "); ok {
				if k := strings.TrimRight(entry, "(\n"); !ran[k] {
					fmt.Println("not run:", name, k)
				}
			}
		}
	}
}
