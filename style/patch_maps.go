package style

import (
	"fmt"
	"math"

	"github.com/impasto/impasto/gpu"
)

// Map describes each pixel of a picture by any number of channels of any meaning, such
// as colours, one channel for each region, or depth. Pix is (H, W, C).
type Map struct {
	W, H, C int
	Pix     []float32
}

// MapOf returns a map whose channels are a picture's colours, 0..1, and its alpha if it
// has any.
func MapOf(p *Picture) *Map {
	m := &Map{W: p.W, H: p.H, C: 3, Pix: p.Pix}
	if p.Alpha != nil {
		m.C = 4
		m.Pix = make([]float32, p.W*p.H*4)
		for i := range p.Alpha {
			copy(m.Pix[4*i:], p.Pix[3*i:3*i+3])
			m.Pix[4*i+3] = p.Alpha[i]
		}
	}
	return m
}

// Uniform returns a map of one value everywhere.
func Uniform(w, h int, value ...float32) *Map {
	m := &Map{W: w, H: h, C: len(value), Pix: make([]float32, 0, w*h*len(value))}
	for range w * h {
		m.Pix = append(m.Pix, value...)
	}
	return m
}

// Guide holds maps by which a canvas and the paintings are compared, in addition to
// their features: a map of the canvas and one of each painting, all with the same
// channels. Weight is relative to the option map-weight; 0 means 1.
type Guide struct {
	Canvas *Map
	Styles []*Map
	Weight float64
}

// StylePerRegion returns a guide that uses painting i where channel i of the canvas's
// map is high. regions is (H, W, number of paintings).
func StylePerRegion(regions *Map, styles []*Picture) Guide {
	g := Guide{Canvas: regions}
	for i, s := range styles {
		own := make([]float32, regions.C)
		if i < len(own) {
			own[i] = 1
		}
		g.Styles = append(g.Styles, Uniform(s.W, s.H, own...))
	}
	return g
}

func (g Guide) weight() float64 {
	if g.Weight == 0 {
		return 1
	}
	return g.Weight
}

// check returns what is wrong with a map, or "" if nothing is.
func (m *Map) check() string {
	switch {
	case m == nil:
		return "is missing"
	case m.W < 1 || m.H < 1 || m.C < 1 || len(m.Pix) != m.W*m.H*m.C:
		return fmt.Sprintf("of %dx%d pixels and %d channels holds %d values", m.W, m.H, m.C, len(m.Pix))
	}
	for _, v := range m.Pix {
		if v-v != 0 {
			return "holds a value that is not finite"
		}
	}
	return ""
}

// turned returns the map of a painting, rotated and cut in the same way as the
// painting.
func (m *Map) turned(v view, w, h int) *Map {
	if v.angle == 0 {
		return m
	}
	out := &Map{C: m.C}
	for c := range m.C {
		// A picture has three channels, so the map's channels are turned one at a time.
		p := newPicture(m.W, m.H)
		for i := range m.W * m.H {
			p.Pix[3*i] = m.Pix[i*m.C+c]
		}
		p = v.turn(p)
		if out.Pix == nil {
			out.W, out.H = p.W, p.H
			out.Pix = make([]float32, p.W*p.H*m.C)
		}
		for i := range p.W * p.H {
			out.Pix[i*m.C+c] = p.Pix[3*i]
		}
	}
	return out
}

// onGrid resizes a map to w x h pixels and averages it over the cells of a layer of the
// given block. Maps do not go through the network (Champandard 2016). The result is
// (h', w', C), on the backend and on the host. The grid has the size that the network's
// poolings would give it.
func (o Options) onGrid(b gpu.Backend, m *Map, w, h, block int) (*gpu.Array, []float32) {
	a := gpu.ArrayOf(b, gpu.Shape{H: m.H, W: m.W, C: m.C}, m.Pix)
	if m.W != w || m.H != h {
		fitted := b.NewArray(gpu.Shape{H: h, W: w, C: m.C})
		b.Resample(fitted, a, gpu.Bilinear)
		b.Free(a)
		a = fitted
	}
	p := gpu.Pool{Kind: gpu.AvgPool, Size: 1 << (block - 1), Ceil: o.PoolRound == RoundCeil}
	if p.Size > 1 {
		pooled := b.NewArray(p.Out(a.Shape))
		b.Pool(pooled, a, p)
		b.Free(a)
		a = pooled
	}
	return a, gpu.Values(b, a)
}

// mapChannels returns the channels that are joined to features of side-k patches. They
// add to the product of two patches the mean over their pixels of
//
//	labels, colours  -w |m_p - m_q|^2 / 2    any two values differ, black too
//	direction        w cos(m_p, m_q)         neural-doodle: only the direction of a colour counts
//
// With one channel for each region both are the same up to a constant. A black pixel
// has no direction, so its product is 0 with every pixel.
func (o Options) mapChannels(values []float32, c, k int, weight float64, canvas bool) (out []float32, channels int) {
	root := math.Sqrt(weight)
	channels = c
	if o.MapForm != MapDirection {
		channels += 2
	}
	for i := 0; i < len(values); i += c {
		squares := 0.0
		for _, v := range values[i : i+c] {
			squares += float64(v) * float64(v)
		}
		scale := root / float64(k)
		if o.MapForm == MapDirection {
			scale = 0
			if squares > 0 {
				scale = root / float64(k) / math.Sqrt(squares)
			}
		}
		for _, v := range values[i : i+c] {
			out = append(out, float32(scale*float64(v)))
		}
		if o.MapForm != MapDirection {
			one, own := float32(1/float64(k)), float32(-weight*squares/2/float64(k))
			if canvas {
				out = append(out, one, own)
			} else {
				out = append(out, own, one)
			}
		}
	}
	return out, channels
}

// guideChannels returns the channels of all guides for one picture at a layer, or nil
// if there are none. The picture has w x h pixels at this scale. pick returns its map
// in a guide.
func (o Options) guideChannels(b gpu.Backend, guides []Guide, pick func(Guide) *Map, layer string, block, w, h, k int, canvas bool) *gpu.Array {
	var all *gpu.Array
	for i, g := range guides {
		weight := o.MapWeight * g.weight() * o.mapLayerWeight(layer)
		if i < len(o.MapWeights) {
			weight *= o.MapWeights[i]
		}
		m := pick(g)
		if weight == 0 || m == nil {
			continue
		}
		pooled, values := o.onGrid(b, m, w, h, block)
		out, channels := o.mapChannels(values, m.C, k, weight, canvas)
		a := gpu.ArrayOf(b, gpu.Shape{H: pooled.Shape.H, W: pooled.Shape.W, C: channels}, out)
		b.Free(pooled)
		if all != nil {
			both := b.NewArray(gpu.Shape{H: a.Shape.H, W: a.Shape.W, C: all.Shape.C + channels})
			b.Join(both, all, a, 1, false)
			b.Free(all, a)
			a = both
		}
		all = a
	}
	return all
}

// mapLayerWeight returns the weight of maps at a layer. It is 1 unless map-layers lists
// the layer.
func (o Options) mapLayerWeight(layer string) float64 {
	for _, l := range o.MapLayers {
		if l.Layer == layer {
			return l.Weight
		}
	}
	return 1
}
