package gpu

import "slices"

// NewPlaces takes different positions y*W + x of features f (H, W, C).
func (b *CPU) NewPlaces(f Shape, at []int32) *Places {
	checkPlaces(f, at)
	return &Places{Features: f, n: len(at), at: slices.Clone(at)}
}

// FreePlaces frees the memory of each; nil is ignored.
func (b *CPU) FreePlaces(all ...*Places) {
	for _, p := range all {
		if p != nil {
			p.at = nil
		}
	}
}

// Gather copies to dst (n, C, 1) the features of window f at the positions in own, a
// part of f; see places.go.
func (b *CPU) Gather(dst, f *Array, p *Places, own Rect, y, x int) {
	p.checkWindowOf("Gather", dst, f, own, y, x)
	b.runPlaces(placesTask{p: p, rows: dst, window: f, r: own, y: y, x: x})
}

// Scatter adds the rows of src (n, C, 1) to window dx at their positions; see places.go.
func (b *CPU) Scatter(dx, src *Array, p *Places, y, x int) {
	p.checkWindowOf("Scatter", src, dx, dx.Shape.Whole(), y, x)
	b.runPlaces(placesTask{p: p, rows: src, window: dx, r: dx.Shape.Whole(), y: y, x: x, add: true})
}

// placesChunk is how many positions a chunk of work has.
const placesChunk = 256

func (b *CPU) runPlaces(t placesTask) {
	t.b = b
	b.places = t
	b.workers.run(chunks(t.p.n, placesChunk), &b.places)
}

type placesTask struct {
	b            *CPU
	p            *Places
	rows, window *Array
	r            Rect // of the window
	y, x         int  // of the window in the layer
	add          bool
}

func (t *placesTask) chunk(worker, chunk int) {
	c := t.p.Features.C
	for i := chunk * placesChunk; i < min(t.p.n, (chunk+1)*placesChunk); i++ {
		y, x := int(t.p.at[i])/t.p.Features.W-t.y, int(t.p.at[i])%t.p.Features.W-t.x
		if y < t.r.Y || x < t.r.X || y >= t.r.Y+t.r.H || x >= t.r.X+t.r.W {
			continue
		}
		at := (y*t.window.Shape.W + x) * c
		row, f := t.rows.data[i*c:][:c], t.b.read(worker, 0, t.window, at, c)
		if !t.add {
			copy(row, f)
			continue
		}
		for j, v := range row {
			f[j] += v
		}
		t.b.keep(t.window, at, f)
	}
}
