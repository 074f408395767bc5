package style

import (
	"math/rand/v2"

	"github.com/impasto/impasto/gpu"
)

// pixels converts between pictures, sRGB-encoded 0..1, and the network's input: (H, W,
// 3), 0..white minus the mean.
type pixels struct {
	mean  [3]float32
	white float32
}

func (px pixels) fromPicture(p *Picture) []float32 {
	x := make([]float32, len(p.Pix))
	for i, v := range p.Pix {
		x[i] = float32(v*px.white) - px.mean[i%3]
	}
	return x
}

// upload fills image x with a picture of its size.
func (px pixels) upload(b gpu.Backend, x *gpu.Array, p *Picture) {
	upload(b, x, func(dst []float32, y int) {
		for i := range dst {
			dst[i] = float32(p.Pix[y*p.W*3+i]*px.white) - px.mean[i%3]
		}
	})
}

// download returns a picture of image x. It clamps the values, since the optimiser may
// exceed the range of a picture.
func (px pixels) download(b gpu.Backend, x *gpu.Array) *Picture {
	p := newPicture(x.Shape.W, x.Shape.H)
	_ = download(b, x, func(values []float32, y int) error {
		for i, v := range values {
			p.Pix[y*p.W*3+i] = min(max((v+px.mean[i%3])/px.white, 0), 1)
		}
		return nil
	})
	return p
}

// start returns the image that the first scale begins with, (h, w, 3). file is the
// picture of InitFile. content, style and file have this scale's size.
func (px pixels) start(o Options, w, h int, content, style, file *Picture) []float32 {
	switch o.Init {
	case InitContent:
		return px.fromPicture(content)
	case InitStyle:
		return px.fromPicture(style)
	case InitFile:
		return px.fromPicture(file)
	case InitGray:
		x := make([]float32, h*w*3)
		for i := range x {
			x[i] = px.white/2 - px.mean[i%3]
		}
		return x
	}
	return px.noise(o, h*w)
}

// noise returns n random pixels, which depend only on the seed. PCG is specified to the
// bit and only exact operations follow it, so every platform starts from the same
// picture. Normal values are sums of twelve uniform ones (variance 1). That needs no
// logarithm, whose last bit may differ.
func (px pixels) noise(o Options, n int) []float32 {
	rng := rand.NewPCG(o.Seed, 0x696d706173746f) // "impasto"
	uniform := func() float64 { return float64(rng.Uint64()>>40) / (1 << 24) }
	x := make([]float32, n*3)
	for i := range x {
		if o.NoiseStd > 0 {
			sum := -6.0
			for range 12 {
				sum += uniform()
			}
			x[i] = float32(o.NoiseStd * sum)
			continue
		}
		v := float64((o.NoiseRange.Hi-o.NoiseRange.Lo)*uniform()) + o.NoiseRange.Lo
		x[i] = float32(v) - px.mean[i%3]
	}
	return x
}
