package gpu

import (
	"fmt"
	"testing"
)

// TestConvIsShiftInvariant: a window that begins at a multiple of four pixels
// has the bits of the whole image, but for two pixels at its inner borders.
func TestConvIsShiftInvariant(t *testing.T) {
	b := NewCPU(CPUOptions{Threads: 1})
	for _, ch := range []struct{ in, out int }{{3, 16}, {3, 64}, {16, 16}, {64, 64}, {128, 256}, {5, 7}, {3, 10}} {
		large := Shape{61, 83, ch.in}
		v := random(3, large.Len(), 1)
		x := upload(b, large, v)
		f := b.NewFilter(random(4, 9*ch.in*ch.out, 1), random(5, ch.out, 1), ch.in, ch.out)
		act := b.NewArray(Shape{61, 83, ch.out})
		pool := Pool{Kind: MaxPool}
		m := b.NewMask(act.Shape, pool)
		pooled := b.NewArray(pool.Out(act.Shape))
		b.Conv(ConvOut{Act: act, Pooled: pooled, Mask: m, Pool: pool}, x, f, ZeroPad)
		dy := upload(b, act.Shape, random(6, act.Shape.Len(), 1))
		dx := b.NewArray(large)
		b.ConvGrad(dx, dy, f, ConvGradOptions{})
		dp := upload(b, pooled.Shape, random(7, pooled.Shape.Len(), 1))
		dxp := b.NewArray(large)
		b.ConvGrad(dxp, dp, f, ConvGradOptions{Unpool: m})
		for _, r := range []Rect{{0, 0, 32, 40}, {4, 8, 24, 24}, {8, 16, 53, 67}, {12, 4, 20, 44}, {4, 0, 16, 83}} {
			xs := b.NewArray(Shape{r.H, r.W, ch.in})
			b.CopyWindow(xs, x, r.Y, r.X)
			as := b.NewArray(Shape{r.H, r.W, ch.out})
			ms := b.NewMask(as.Shape, pool)
			ps := b.NewArray(pool.Out(as.Shape))
			b.Conv(ConvOut{Act: as, Pooled: ps, Mask: ms, Pool: pool}, xs, f, ZeroPad)
			differ(t, fmt.Sprint(ch, r, "act"), b, as, act, r, 4)
			differ(t, fmt.Sprint(ch, r, "pooled"), b, ps, pooled, Rect{r.Y / 2, r.X / 2, ps.Shape.H, ps.Shape.W}, 2)
			dys := b.NewArray(as.Shape)
			b.CopyWindow(dys, dy, r.Y, r.X)
			ds := b.NewArray(xs.Shape)
			b.ConvGrad(ds, dys, f, ConvGradOptions{})
			differ(t, fmt.Sprint(ch, r, "grad"), b, ds, dx, r, 4)
			dps := b.NewArray(ps.Shape)
			b.CopyWindow(dps, dp, r.Y/2, r.X/2)
			b.ConvGrad(ds, dps, f, ConvGradOptions{Unpool: ms})
			differ(t, fmt.Sprint(ch, r, "grad of pooled"), b, ds, dxp, r, 8)
		}
	}
}

// differ compares a window with the whole, but for a margin at inner borders.
func differ(t *testing.T, what string, b *CPU, small, large *Array, r Rect, margin int) {
	t.Helper()
	n, first := 0, ""
	c := small.Shape.C
	for y := range r.H {
		for x := range r.W {
			if r.Y > 0 && y < margin || r.X > 0 && x < margin || r.Y+r.H < large.Shape.H && y >= r.H-margin || r.X+r.W < large.Shape.W && x >= r.W-margin {
				continue
			}
			for k := range c {
				if small.data[(y*r.W+x)*c+k] != large.data[((r.Y+y)*large.Shape.W+r.X+x)*c+k] {
					if n == 0 {
						first = fmt.Sprint(y, x, k)
					}
					n++
				}
			}
		}
	}
	if n > 0 {
		t.Errorf("%s: %d values differ, first %s", what, n, first)
	}
}
