package timemodel

import (
	"slices"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/bench"
	"github.com/impasto/impasto/vgg"
)

// Neighbours counts the parts of nearest-neighbour style transfer with VGG19 on a
// square picture: an iteration with held neighbours, one that finds them anew, and
// the search that a scale begins with.
func Neighbours(capability, side int, p gpu.Precision) (held, anew, search *Iteration, err error) {
	network, err := vgg.Random(1, "relu4_3")
	if err != nil {
		return nil, nil, nil, err
	}
	s := NewSampler(capability, 4)
	b := gpu.NewDevice(s, gpu.DeviceOptions{Name: "sampler", Precision: p})
	defer b.Close()
	works := make([]*bench.Work, 3)
	if works[0], works[1], works[2], err = bench.Neighbours(b, network, side); err != nil {
		return nil, nil, nil, err
	}
	counted := make([]*Iteration, 3)
	for i, w := range works {
		s.Filled, s.Copied = 0, 0
		b.Record(w.Run)
		counted[i] = &Iteration{Name: w.Name + " " + p.String(), Side: side, Launches: slices.Clone(s.Launches), Moved: float64(s.Filled + s.Copied)}
	}
	return counted[0], counted[1], counted[2], b.Err()
}

// NeighboursSeconds is what each machine takes for a whole picture: iterations
// held at each scale from 64 pixels on, each twice as large, and refine at the
// last.
func NeighboursSeconds(machines []Machine, capability, side, iterations, refine int, p gpu.Precision) ([]float64, error) {
	total := make([]float64, len(machines))
	for at := side; at >= 64; at /= 2 {
		held, anew, search, err := Neighbours(capability, at, p)
		if err != nil {
			return nil, err
		}
		for i, m := range machines {
			seconds := func(it *Iteration) float64 { _, all := it.Rows(m); return all.Time }
			total[i] += float64(iterations)*seconds(held) + seconds(search)
			if at == side {
				total[i] += float64(refine) * seconds(anew)
			}
		}
	}
	return total, nil
}
