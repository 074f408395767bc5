package explain

import (
	"math"
	"runtime"
	"sync"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/style"
)

// Replay lays the matched patches on a canvas of w x h pixels, taken from other
// pictures in the paintings' places: a larger scan, another colouring. Each
// pixel is the mean of the patches over it, those whose middle is near counting
// most:
//
//	weight = (1 - |dx|/r) (1 - |dy|/r)      r = half a patch
//
// The blend is of codes, as the network compared them.
func Replay(c *style.Correspondence, paintings []*picture.Picture, w, h int) *picture.Picture {
	g := newGeometry(c)
	// Each painting is resized to the size of its patches on the new canvas, so
	// that samples are neither coarse nor aliased.
	grow := math.Sqrt(float64(w) / float64(c.CanvasW) * float64(h) / float64(c.CanvasH))
	at := make([]*picture.Picture, len(paintings))
	for i, p := range paintings {
		base, used := g.base[i]
		if !used {
			continue
		}
		pw, ph := max(1, int(math.Round(float64(base.W)*grow))), max(1, int(math.Round(float64(base.H)*grow)))
		at[i] = p.Flatten().Resize(pw, ph, picture.Lanczos3)
	}
	out := picture.New(w, h)
	sx, sy := float64(c.CanvasW)/float64(w), float64(c.CanvasH)/float64(h)
	rows(h, func(y int) {
		for x := range w {
			g.blend(out.Pix[3*(y*w+x):][:3], at, (float64(x)+0.5)*sx, (float64(y)+0.5)*sy)
		}
	})
	return out
}

// blend writes the mean of the patches over the point px, py of the canvas.
func (g *geometry) blend(dst []float32, paintings []*picture.Picture, px, py float64) {
	var sum [3]float64
	total := 0.0
	x0, x1 := g.over(px, g.c.W)
	y0, y1 := g.over(py, g.c.H)
	half := g.side / 2
	for y := y0; y <= y1; y++ {
		for x := x0; x <= x1; x++ {
			dx, dy := px-float64(x)*g.step, py-float64(y)*g.step
			// At the edges of the canvas there may be no patch whose centre is
			// near.
			weight := max(1e-6, 1-math.Abs(dx-half)/half) * max(1e-6, 1-math.Abs(dy-half)/half)
			p := g.place(g.c.Index[y*g.c.W+x], dx, dy)
			sample(&sum, paintings[p.style], p, weight)
			total += weight
		}
	}
	for k := range dst {
		dst[k] = float32(sum[k] / total)
	}
}

// over returns the range of patches over a point. Beyond the last patch it is that
// patch.
func (g *geometry) over(p float64, patches int) (first, last int) {
	first = max(0, int(math.Ceil((p-g.side)/g.step)))
	last = min(patches-1, int(math.Floor(p/g.step)))
	return min(first, patches-1), max(last, min(first, patches-1))
}

// sample adds the painting's colour at a place to sum, interpolated between pixels.
func sample(sum *[3]float64, p *picture.Picture, at place, weight float64) {
	x, y := at.u*float64(p.W)-0.5, at.v*float64(p.H)-0.5
	x, y = min(max(x, 0), float64(p.W-1)), min(max(y, 0), float64(p.H-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, p.W-1), min(y0+1, p.H-1)
	fx, fy := x-float64(x0), y-float64(y0)
	for k := range 3 {
		v := func(x, y int) float64 { return float64(p.Pix[3*(y*p.W+x)+k]) }
		top := v(x0, y0) + fx*(v(x1, y0)-v(x0, y0))
		low := v(x0, y1) + fx*(v(x1, y1)-v(x0, y1))
		sum[k] += weight * (top + fy*(low-top))
	}
}

// rows calls row for each y, from several goroutines. Rows must not share results.
func rows(h int, row func(y int)) {
	var wg sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), h)
	for n := range workers {
		wg.Go(func() {
			for y := n; y < h; y += workers {
				row(y)
			}
		})
	}
	wg.Wait()
}
