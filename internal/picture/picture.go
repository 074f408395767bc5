// Package picture holds pictures and everything that is done to them outside
// the network: reading and writing files, colour profiles, orientation,
// resizing in linear light, sizes as the user writes them, colour transfer,
// and the measures by which two pictures are compared.
//
// It imports nothing else of Impasto.
package picture

import (
	"image"
	"image/color"
	"runtime"
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

// Clone returns a copy that shares nothing with p.
func (p *Picture) Clone() *Picture {
	q := *p
	q.Pix = append([]float32(nil), p.Pix...)
	if p.Alpha != nil {
		q.Alpha = append([]float32(nil), p.Alpha...)
	}
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

// Flatten returns p over a white ground, without alpha. It is p itself when p
// is opaque. The blend is done in linear light.
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

// FromImage converts any image. Values of 8-bit images are exactly k/255,
// those of 16-bit images exactly k/65535. No colour profile is applied.
func FromImage(img image.Image) *Picture {
	b := img.Bounds()
	p := New(b.Dx(), b.Dy())
	p.Depth = depthOf(img)
	alpha := make([]float32, p.W*p.H)
	row := rowReader(img, p.Depth)
	parallelRows(p.H, func(y int) {
		i := y * p.W
		row(b.Min.X, b.Min.Y+y, p.Pix[3*i:3*(i+p.W)], alpha[i:i+p.W])
	})
	for _, a := range alpha {
		if a != 1 {
			p.Alpha = alpha
			break
		}
	}
	return p
}

func depthOf(img image.Image) int {
	switch img.ColorModel() {
	case color.RGBA64Model, color.NRGBA64Model, color.Gray16Model, color.Alpha16Model:
		return 16
	}
	return 8
}

// rowReader returns the function that reads row y from column x on into pix
// (W, 3) and alpha (W).
func rowReader(img image.Image, depth int) func(x, y int, pix, alpha []float32) {
	switch m := img.(type) {
	case *image.NRGBA:
		return func(x, y int, pix, alpha []float32) {
			s := m.Pix[m.PixOffset(x, y):]
			for i := range alpha {
				set8(pix[3*i:], s[4*i], s[4*i+1], s[4*i+2])
				alpha[i] = float32(s[4*i+3]) / 255
			}
		}
	case *image.NRGBA64:
		return func(x, y int, pix, alpha []float32) {
			for i := range alpha {
				c := m.NRGBA64At(x+i, y)
				pix[3*i], pix[3*i+1], pix[3*i+2] = unit16(c.R), unit16(c.G), unit16(c.B)
				alpha[i] = unit16(c.A)
			}
		}
	case *image.YCbCr:
		return func(x, y int, pix, alpha []float32) { readYCbCr(m, x, y, pix, alpha) }
	case *image.NYCbCrA:
		return func(x, y int, pix, alpha []float32) {
			readYCbCr(&m.YCbCr, x, y, pix, alpha)
			s := m.A[m.AOffset(x, y):]
			for i := range alpha {
				alpha[i] = float32(s[i]) / 255
			}
		}
	}
	at := func(x, y int) color.RGBA64 { return color.RGBA64Model.Convert(img.At(x, y)).(color.RGBA64) }
	if m, ok := img.(image.RGBA64Image); ok { // spares an allocation a pixel
		at = m.RGBA64At
	}
	return func(x, y int, pix, alpha []float32) {
		for i := range alpha {
			v := at(x+i, y)
			pix[3*i] = unpremultiply(v.R, v.A, depth)
			pix[3*i+1] = unpremultiply(v.G, v.A, depth)
			pix[3*i+2] = unpremultiply(v.B, v.A, depth)
			alpha[i] = unit16(v.A)
		}
	}
}

func readYCbCr(m *image.YCbCr, x, y int, pix, alpha []float32) {
	for i := range alpha {
		yi, ci := m.YOffset(x+i, y), m.COffset(x+i, y)
		r, g, b := color.YCbCrToRGB(m.Y[yi], m.Cb[ci], m.Cr[ci])
		set8(pix[3*i:], r, g, b)
		alpha[i] = 1
	}
}

func set8(pix []float32, r, g, b uint8) {
	pix[0], pix[1], pix[2] = float32(r)/255, float32(g)/255, float32(b)/255
}

func unit16(v uint16) float32 { return float32(v) / 65535 }

// unpremultiply returns v/a for 16-bit v and a, on the grid of the source's
// depth: k/255 of an 8-bit source survives the detour through 16 bits.
func unpremultiply(v, a uint16, depth int) float32 {
	if a == 0 {
		return 0
	}
	if depth == 16 {
		return min(float32(v)/float32(a), 1)
	}
	k := (uint32(v)*255 + uint32(a)/2) / uint32(a)
	return float32(min(k, 255)) / 255
}

// Image converts p to 8 bits (*image.NRGBA) or 16 bits (*image.NRGBA64) a
// channel, rounding to the nearest code. Values outside 0..1 are clamped and
// NaN becomes 0.
func (p *Picture) Image(depth int) image.Image {
	r := image.Rect(0, 0, p.W, p.H)
	if depth == 16 {
		img := image.NewNRGBA64(r)
		parallelRows(p.H, func(y int) {
			for i := y * p.W; i < (y+1)*p.W; i++ {
				for c := 0; c < 4; c++ {
					v := p.code(i, c, 65535)
					img.Pix[8*i+2*c], img.Pix[8*i+2*c+1] = uint8(v>>8), uint8(v)
				}
			}
		})
		return img
	}
	img := image.NewNRGBA(r)
	parallelRows(p.H, func(y int) {
		for i := y * p.W; i < (y+1)*p.W; i++ {
			for c := 0; c < 4; c++ {
				img.Pix[4*i+c] = uint8(p.code(i, c, 255))
			}
		}
	})
	return img
}

// code returns channel c (3 = alpha) of pixel i as an integer of 0..top.
func (p *Picture) code(i, c int, top float32) uint32 {
	v := float32(1)
	switch {
	case c < 3:
		v = p.Pix[3*i+c]
	case p.Alpha != nil:
		v = p.Alpha[i]
	}
	return uint32(clamp01(v)*top + 0.5)
}

// clamp01 limits v to 0..1; NaN becomes 0.
func clamp01(v float32) float32 {
	if !(v > 0) {
		return 0
	}
	return min(v, 1)
}

// parallelRows calls row for each y in [0, h), from several goroutines. Rows
// never share results, so the outcome does not depend on how many there are.
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
