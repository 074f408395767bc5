package gpu

import (
	"github.com/impasto/impasto/cuda"
)

// NewPlaces takes different positions y*W + x of features f (H, W, C).
func (b *Device) NewPlaces(f Shape, at []int32) *Places {
	b.outside("NewPlaces")
	checkPlaces(f, at)
	return &Places{Features: f, n: len(at), device: b.uploadedCounts(at)}
}

// FreePlaces frees the memory of each; nil is ignored.
func (b *Device) FreePlaces(all ...*Places) {
	for _, p := range all {
		if p != nil {
			b.free(p.device)
			p.device = 0
		}
	}
}

// Gather copies to dst (n, C, 1) the features of window f at the positions in own, a
// part of f; see places.go.
func (b *Device) Gather(dst, f *Array, p *Places, own Rect, y, x int) {
	p.checkWindowOf("Gather", dst, f, own, y, x)
	grid, s := cuda.Dim3{X: p.n}, f.Shape
	if b.halves(s) {
		b.launchPlacesGatherHalf(grid, dst.at, f.at, p.device, p.Features.W, s.W, s.C, own.Y, own.X, own.H, own.W, y, x, halfUnit)
		return
	}
	b.launchPlacesGather(grid, dst.at, f.at, p.device, p.Features.W, s.W, s.C, own.Y, own.X, own.H, own.W, y, x)
}

// Scatter adds the rows of src (n, C, 1) to window dx at their positions; see places.go.
func (b *Device) Scatter(dx, src *Array, p *Places, y, x int) {
	p.checkWindowOf("Scatter", src, dx, dx.Shape.Whole(), y, x)
	s := dx.Shape
	if b.halves(s) {
		b.launchPlacesScatterHalf(cuda.Dim3{X: p.n}, dx.at, src.at, p.device, p.Features.W, s.H, s.W, s.C, y, x, halfUnit, b.scale())
		return
	}
	b.launchPlacesScatter(cuda.Dim3{X: p.n}, dx.at, src.at, p.device, p.Features.W, s.H, s.W, s.C, y, x)
}
