package film

import (
	"context"
	"math"

	"github.com/impasto/impasto/internal/picture"
)

// Shot is the frames from one cut to the next: First to Last, both in it.
type Shot struct {
	First int `json:"first"`
	Last  int `json:"last"`
}

// Len is the number of its frames.
func (s Shot) Len() int { return s.Last - s.First + 1 }

// UsualCut is the distance of frames that is taken for a cut. Frames of one shot
// lie far below it, however the camera moves, for most of what they show stays
// in view; those of two scenes seldom share half their colours.
const UsualCut = 0.4

// Shots looks at all frames and divides them where neighbours differ by more
// than cut: 0 divides at every change, more than 1 never.
func Shots(ctx context.Context, s Source, cut float64) ([]Shot, error) {
	var list []Shot
	var before *histogram
	n := 0
	err := s.Scan(ctx, func(small *picture.Picture) {
		now := colours(small)
		if before == nil || before.distance(now) > cut {
			list = append(list, Shot{First: n})
		}
		list[len(list)-1].Last = n
		before = now
		n++
	})
	return list, err
}

// histogram is the share of pixels of each colour: bins of red, green and blue,
// each pixel divided between the nearest eight, so that a slow change of light
// moves shares slowly.
type histogram [bins * bins * bins]float64

const bins = 6

func colours(p *picture.Picture) *histogram {
	h := &histogram{}
	share := 1 / float64(p.W*p.H)
	for i := 0; i < len(p.Pix); i += 3 {
		var at [3]int
		var part [3]float64
		for c := range 3 {
			v := float64(min(max(p.Pix[i+c], 0), 1)) * (bins - 1)
			at[c] = min(int(v), bins-2)
			part[c] = v - float64(at[c])
		}
		for k := range 8 {
			weight, bin := share, 0
			for c := range 3 {
				step := k >> c & 1
				weight *= math.Abs(float64(1-step) - part[c])
				bin = bin*bins + at[c] + step
			}
			h[bin] += weight
		}
	}
	return h
}

// distance is half the sum of differences: 0 of the same colours in the same
// shares, 1 of no colour in common.
func (h *histogram) distance(g *histogram) float64 {
	sum := 0.0
	for i, v := range h {
		sum += math.Abs(v - g[i])
	}
	return sum / 2
}
