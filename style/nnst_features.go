package style

import (
	"github.com/impasto/impasto/gpu"
)

// joining joins the features of a picture's layers into one array with a quarter of its
// sides.
type joining struct {
	b      gpu.Backend
	shape  gpu.Shape // (h, w, C) of the joined features
	layers map[string]joinedLayer
}

// joinedLayer is a layer's place in the joined channels, and the factor of its
// features.
type joinedLayer struct {
	at      int
	scale   float64
	resizer *gpu.Resizer
}

// joinedUnit is a factor of all features, in addition to 1/channels. Cosines do not
// depend on it. In half precision it keeps the features of deep layers away from the
// smallest numbers.
const joinedUnit = 64

// quarter returns the side of the joined features of a picture with that side.
func quarter(side int) int { return max(1, (side+2)/4) }

// joinedShapeOf returns the shape of the joined features of a picture (h, w).
func (o Options) joinedShapeOf(taps map[string]gpu.Shape, h, w int) gpu.Shape {
	s := gpu.Shape{H: quarter(h), W: quarter(w)}
	for _, l := range o.StyleLayers {
		if l.Weight > 0 {
			s.C += taps[l.Layer].C
		}
	}
	return s
}

// newJoining prepares the joining of the features of a picture that t computes.
func (o Options) newJoining(t *tiling) *joining {
	j := &joining{b: t.b, shape: o.joinedShapeOf(t.whole, t.shape.H, t.shape.W), layers: map[string]joinedLayer{}}
	at := 0
	for _, l := range o.StyleLayers {
		f := t.whole[l.Layer]
		if l.Weight > 0 {
			j.layers[l.Layer] = joinedLayer{at, l.Weight * joinedUnit / float64(f.C), t.b.NewResizer(j.shape, f, gpu.Bilinear)}
			at += f.C
		}
	}
	return j
}

// put writes the features of a layer to their channels of all.
func (j *joining) put(all *gpu.Array, layer string, f *gpu.Array) {
	if l, ok := j.layers[layer]; ok {
		j.b.Resize(all, f, l.resizer, gpu.ResizeOptions{To: l.at, Scale: l.scale})
	}
}

// back adds to a layer's gradient its part of the gradient of all.
func (j *joining) back(grad *gpu.Array, layer string, all *gpu.Array) {
	if l, ok := j.layers[layer]; ok {
		j.b.Resize(grad, all, l.resizer.Back(), gpu.ResizeOptions{From: l.at, Channels: grad.Shape.C, Scale: l.scale, Add: true})
	}
}

func (j *joining) free() {
	for _, l := range j.layers {
		j.b.FreeResizers(l.resizer)
	}
}

// neighbourViews returns the paintings, resized for a canvas of that long side, and
// their quarter turns if the options ask for them.
func (r *run) neighbourViews(canvas int) []*Picture {
	var list []*Picture
	for _, s := range r.styles {
		w, h := r.o.styleSize(s, canvas)
		p := s.Resize(w, h)
		list = append(list, p)
		for turn := 1; turn < r.o.neighbourTurns(); turn++ {
			p = quarterTurn(p)
			list = append(list, p)
		}
	}
	return list
}

// neighbourTurns returns in how many orientations each painting is used.
func (o Options) neighbourTurns() int {
	if o.StyleTurns {
		return 4
	}
	return 1
}

// quarterTurn turns a picture by 90 degrees, anticlockwise.
func quarterTurn(p *Picture) *Picture {
	q := newPicture(p.H, p.W)
	for y := range q.H {
		for x := range q.W {
			copy(q.Pix[(y*q.W+x)*3:][:3], p.Pix[(x*p.W+p.W-1-y)*3:][:3])
		}
	}
	return q
}

// joinedFeatures returns the joined features of a picture.
func (r *run) joinedFeatures(p *Picture) (all *gpu.Array, err error) {
	err = r.withFeatures(p, Cut{}, func(t *tiling, x *gpu.Array) {
		j := r.o.newJoining(t)
		defer j.free()
		all = t.b.NewArray(j.shape)
		t.sweep(x, func(_ *stage, _ int, tap string, f *gpu.Array, _ gpu.Rect) { j.put(all, tap, f) })
	})
	return all, err
}

// centre subtracts from arrays (h, w, C) their common mean over all positions. It
// returns the mean, (1, C, 1).
func centre(b gpu.Backend, all ...*gpu.Array) *gpu.Array {
	c, positions := all[0].Shape.C, 0
	for _, a := range all {
		positions += a.Shape.Pixels()
	}
	mean, one := b.NewArray(gpu.Vector(c)), b.NewArray(gpu.Vector(c))
	for _, a := range all {
		b.Mean(one, a)
		b.Axpy(mean, float64(a.Shape.Pixels())/float64(positions), one)
	}
	for _, a := range all {
		b.AddChannels(a, -1, mean)
	}
	b.Free(one)
	return mean
}

// nearestOf writes to dst (h, w, C), for each position of f, the features of the
// position of the paintings with the highest cosine. f and the paintings are centred.
// mean is added to dst.
func nearestOf(b gpu.Backend, dst, f *gpu.Array, paintings []*gpu.Array, mean *gpu.Array) {
	m := b.NewMatches(gpu.Shape{H: f.Shape.H, W: f.Shape.W, C: 1})
	var from []gpu.PatchSource
	first := 0
	for i, s := range paintings {
		bank := b.NewBank(s, gpu.BankOptions{Size: 1})
		b.Match(m, f, bank, gpu.MatchOptions{First: first, Add: i > 0})
		b.FreeBanks(bank)
		from = append(from, gpu.PatchSource{F: s, First: first})
		first += s.Shape.Pixels()
	}
	b.Vote(dst, m, from, gpu.PatchOptions{Size: 1})
	b.AddChannels(dst, 1, mean)
	b.FreeMatches(m)
}
