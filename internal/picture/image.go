package picture

import (
	"image"
	"image/color"
)

// FromImage converts any image. Values of 8-bit images become exactly k/255, and
// those of 16-bit images exactly k/65535. It applies no colour profile.
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

// rowReader returns a function that reads row y from column x on into pix (W, 3)
// and alpha (W).
func rowReader(img image.Image, depth int) func(x, y int, pix, alpha []float32) {
	switch m := img.(type) {
	case *image.NRGBA:
		return func(x, y int, pix, alpha []float32) {
			s := m.Pix[m.PixOffset(x, y):]
			for i := range alpha {
				set8(pix[3*i:], s[4*i], s[4*i+1], s[4*i+2])
				alpha[i] = unit8[s[4*i+3]]
			}
		}
	case *image.RGBA: // an opaque PNG, in most cases
		return func(x, y int, pix, alpha []float32) {
			s := m.Pix[m.PixOffset(x, y):]
			for i := range alpha {
				r, g, b, a := s[4*i], s[4*i+1], s[4*i+2], s[4*i+3]
				if a != 255 {
					c := color.NRGBAModel.Convert(color.RGBA{r, g, b, a}).(color.NRGBA)
					r, g, b = c.R, c.G, c.B
				}
				set8(pix[3*i:], r, g, b)
				alpha[i] = unit8[a]
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
				alpha[i] = unit8[s[i]]
			}
		}
	}
	at := func(x, y int) color.RGBA64 { return color.RGBA64Model.Convert(img.At(x, y)).(color.RGBA64) }
	if m, ok := img.(image.RGBA64Image); ok { // saves an allocation for each pixel
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
	pix[0], pix[1], pix[2] = unit8[r], unit8[g], unit8[b]
}

// unit8 holds k/255 for each k.
var unit8 = func() (t [256]float32) {
	for k := range t {
		t[k] = float32(k) / 255
	}
	return t
}()

func unit16(v uint16) float32 { return float32(v) / 65535 }

// unpremultiply returns v/a for 16-bit v and a, rounded to the source's depth. So
// k/255 of an 8-bit source survives the conversion to 16 bits.
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

// Image converts p to 8 bits (*image.NRGBA) or 16 bits (*image.NRGBA64) a channel,
// rounded to the nearest code. Values outside 0..1 are clamped, and NaN becomes 0.
func (p *Picture) Image(depth int) image.Image {
	r := image.Rect(0, 0, p.W, p.H)
	if depth == 16 {
		return &image.NRGBA64{Pix: p.codes(16), Stride: 8 * p.W, Rect: r}
	}
	return &image.NRGBA{Pix: p.codes(8), Stride: 4 * p.W, Rect: r}
}

// codes returns the rounded codes, RGBA of 8 bits, or of 16 bits with the most
// significant byte first.
func (p *Picture) codes(depth int) []byte {
	rows := rowWriter{p: p, depth: depth, channels: 4}
	size := rows.size()
	pix := make([]byte, p.H*size)
	parallelRows(p.H, func(y int) { rows.row(pix[y*size:], y) })
	return pix
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
