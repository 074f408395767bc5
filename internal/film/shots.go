package film

import (
	"context"
	"math"

	"github.com/impasto/impasto/internal/picture"
)

// Shot is the frames from one cut to the next, First to Last, both included.
type Shot struct {
	First int `json:"first"`
	Last  int `json:"last"`
}

// Len returns the number of frames of the shot.
func (s Shot) Len() int { return s.Last - s.First + 1 }

// UsualCut is the least distance between two frames that counts as a cut. Frames of
// one shot are much closer, even if the camera moves, because most of what they
// show stays in view. Frames of two scenes seldom share half their colours.
const UsualCut = 0.4

// Shots reads all frames and divides them where neighbours differ by more than cut.
// A cut of 0 divides at every change, and one above 1 never divides.
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

// histogram is the share of pixels of each colour, in bins of red, green and blue.
// Each pixel is divided among the nearest eight bins, so that a slow change of
// light changes the shares slowly.
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

// distance returns half the sum of the absolute differences: 0 if both have the
// same colours in the same shares, 1 if they have no colour in common.
func (h *histogram) distance(g *histogram) float64 {
	sum := 0.0
	for i, v := range h {
		sum += math.Abs(v - g[i])
	}
	return sum / 2
}
