// Package picture holds pictures and everything that is done to them outside
// the network: reading and writing files, colour profiles, orientation,
// resizing in linear light, sizes as the user writes them, colour transfer,
// and the measures by which two pictures are compared.
//
// It imports nothing else of Impasto.
package picture

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Picture is an RGB picture with sRGB primaries and transfer curve.
type Picture struct {
	W, H  int
	Pix   []float32 // (H, W, 3), sRGB-encoded, 0..1
	Alpha []float32 // (H, W), 0..1, not multiplied into Pix; nil when opaque
	Depth int       // bits a channel of the file it came from: 8 or 16
}

// New returns a black, opaque picture of w x h pixels.
func New(w, h int) *Picture {
	return &Picture{W: w, H: h, Pix: make([]float32, w*h*3), Depth: 8}
}

// Transparency returns the share of the picture that is transparent, 0..1.
func (p *Picture) Transparency() float64 {
	sum := 0.
	for _, a := range p.Alpha {
		sum += float64(1 - a)
	}
	return sum / float64(max(1, len(p.Alpha)))
}

// Clone returns a copy that shares nothing with p.
func (p *Picture) Clone() *Picture {
	q := *p
	q.Pix, q.Alpha = slices.Clone(p.Pix), slices.Clone(p.Alpha)
	return &q
}

// Luma returns Y' = 0.299 R' + 0.587 G' + 0.114 B' (ITU-R BT.601), (H, W), 0..1.
func (p *Picture) Luma() []float32 {
	y := make([]float32, p.W*p.H)
	for i := range y {
		y[i] = luma(p.Pix[3*i], p.Pix[3*i+1], p.Pix[3*i+2])
	}
	return y
}

func luma(r, g, b float32) float32 { return 0.299*r + 0.587*g + 0.114*b }

// Flatten returns p over a white background, without alpha. It returns p itself if
// p is opaque. It blends in linear light.
func (p *Picture) Flatten() *Picture {
	if p.Alpha == nil {
		return p
	}
	q := &Picture{W: p.W, H: p.H, Depth: p.Depth, Pix: make([]float32, len(p.Pix))}
	for i, a := range p.Alpha {
		for c := 3 * i; c < 3*i+3; c++ {
			q.Pix[c] = encode(a*decode(p.Pix[c]) + 1 - a)
		}
	}
	return q
}

// clamp01 limits v to 0..1; NaN becomes 0.
func clamp01(v float32) float32 {
	if !(v > 0) {
		return 0
	}
	return min(v, 1)
}

// parallelRows calls row for each y in [0, h), from several goroutines. Rows never
// share results, so the result does not depend on the number of goroutines.
func parallelRows(h int, row func(y int)) {
	workers := min(runtime.GOMAXPROCS(0), (h+15)/16)
	if workers <= 1 {
		for y := range h {
			row(y)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				y := int(next.Add(16)) - 16
				if y >= h {
					return
				}
				for end := min(y+16, h); y < end; y++ {
					row(y)
				}
			}
		})
	}
	wg.Wait()
}
