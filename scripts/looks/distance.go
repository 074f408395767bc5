package main

import (
	"math"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// layers are those that style is compared at.
var layers = []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"}

// statistics are those of a layer's features: Gram matrix over positions (C, C),
// mean and standard deviation (C).
type statistics struct{ gram, mean, deviation []float64 }

// ruler measures pictures with a network that need not be the one they were
// painted with.
type ruler struct {
	backend gpu.Backend
	network *vgg.Network
}

func (r ruler) measure(p *style.Picture) (map[string]statistics, error) {
	all := map[string]statistics{}
	err := r.network.Features(r.backend, p.H, p.W, p.Pix, 255, vgg.PassOptions{Taps: layers}, func(tap string, f *gpu.Array) {
		gram, mean := r.backend.NewArray(gpu.Matrix(f.Shape.C)), r.backend.NewArray(gpu.Vector(f.Shape.C))
		defer r.backend.Free(gram, mean)
		r.backend.Gram(gram, f, 1/float64(f.Shape.Pixels()))
		r.backend.Mean(mean, f)
		s := statistics{gram: r.read(gram), mean: r.read(mean)}
		for i, m := range s.mean {
			s.deviation = append(s.deviation, math.Sqrt(math.Max(0, s.gram[i*len(s.mean)+i]-m*m)))
		}
		all[tap] = s
	})
	return all, err
}

func (r ruler) read(a *gpu.Array) []float64 {
	v := gpu.Values(r.backend, a)
	wide := make([]float64, len(v))
	for i, x := range v {
		wide[i] = float64(x)
	}
	return wide
}

// apart is the distance of two lists over the length of the second.
func apart(a, b []float64) float64 {
	d, size := 0.0, 0.0
	for i := range a {
		d += (a[i] - b[i]) * (a[i] - b[i])
		size += b[i] * b[i]
	}
	return math.Sqrt(d / math.Max(size, 1e-30))
}

// distance is how far a painted picture's statistics are from the painting's,
// each the mean over the layers.
func distance(a, b map[string]statistics) (gram, mean, deviation float64) {
	for _, l := range layers {
		gram += apart(a[l].gram, b[l].gram) / float64(len(layers))
		mean += apart(a[l].mean, b[l].mean) / float64(len(layers))
		deviation += apart(a[l].deviation, b[l].deviation) / float64(len(layers))
	}
	return gram, mean, deviation
}
