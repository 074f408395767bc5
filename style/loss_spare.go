package style

import (
	"math"

	"github.com/impasto/impasto/gpu"
)

// The total variation smooths flat areas, but it also removes detail. tv-spare lowers
// its weight where the photograph has detail. The term of a pixel is weighted by
//
//	1 - tv-spare * r^2 / (1 + r^2)      r = e / (0.35 a^2)
//
// with e the mean square slope of the photograph's luma round the pixel, at the size
// being painted, and a the mean of sqrt(e) over the picture. The stencil reproduces
// another program, so its weight is never lowered.
const (
	spareCell = 4    // pixels to a side of the squares over which e is taken
	spareKnee = 0.35 // the factor 0.35 of r
)

// addSpare sets the weights of the total variation, which depend on the photograph.
func (ob *objective) addSpare(photo *Picture) {
	if ob.o.TVSpare == 0 || ob.o.TV == TVStencil || ob.tvCoef == 0 || photo == nil {
		return
	}
	weights, w, h := spareWeights(photo, ob.o.TVSpare)
	coarse := gpu.ArrayOf(ob.b, gpu.Shape{H: h, W: w, C: 1}, weights)
	ob.tvWeight = ob.b.NewArray(gpu.Shape{H: photo.H, W: photo.W, C: 1})
	ob.b.Resample(ob.tvWeight, coarse, gpu.Bilinear)
	ob.b.Free(coarse)
}

// spareWeights returns the weights of the squares of a picture, (h, w).
func spareWeights(p *Picture, spare float64) (weights []float32, w, h int) {
	energy, w, h := slopeEnergy(p)
	energy = blurred(blurred(energy, w, h), w, h)
	mean := 0.0
	for _, e := range energy {
		mean += math.Sqrt(e) / float64(len(energy))
	}
	weights = make([]float32, len(energy))
	for i, e := range energy {
		r := e / positive(spareKnee*mean*mean)
		weights[i] = float32(1 - spare*r*r/(1+r*r))
	}
	return weights, w, h
}

// slopeEnergy returns the mean square slope of luma in each square of a picture, (h,
// w). The slope is taken from the differences of a pixel from its right and lower
// neighbour.
func slopeEnergy(p *Picture) (energy []float64, w, h int) {
	w, h = (p.W+spareCell-1)/spareCell, (p.H+spareCell-1)/spareCell
	energy, counts := make([]float64, w*h), make([]float64, w*h)
	luma := func(x, y int) float64 {
		v := p.Pix[3*(min(y, p.H-1)*p.W+min(x, p.W-1)):]
		return 0.299*float64(v[0]) + 0.587*float64(v[1]) + 0.114*float64(v[2])
	}
	for y := range p.H {
		for x := range p.W {
			here, to := luma(x, y), y/spareCell*w+x/spareCell
			dx, dy := luma(x+1, y)-here, luma(x, y+1)-here
			energy[to] += dx*dx + dy*dy
			counts[to]++
		}
	}
	for i, n := range counts {
		energy[i] /= n
	}
	return energy, w, h
}

// blurred smooths (h, w) values by (1 2 1)/4 in both directions and repeats the border.
func blurred(v []float64, w, h int) []float64 {
	across, down := make([]float64, len(v)), make([]float64, len(v))
	for y := range h {
		row := v[y*w:][:w]
		for x := range w {
			across[y*w+x] = (row[max(x-1, 0)] + 2*row[x] + row[min(x+1, w-1)]) / 4
		}
	}
	for y := range h {
		above, row, below := across[max(y-1, 0)*w:], across[y*w:], across[min(y+1, h-1)*w:]
		for x := range w {
			down[y*w+x] = (above[x] + 2*row[x] + below[x]) / 4
		}
	}
	return down
}

// spareBytes returns the memory of the weights for an image of h x w pixels.
func (o Options) spareBytes(b gpu.Backend, h, w int) int64 {
	if o.TVSpare == 0 {
		return 0
	}
	return b.Bytes(gpu.Shape{H: h, W: w, C: 1})
}
