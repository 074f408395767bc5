package bench

import "slices"

// Range is the range of repeated measurements.
type Range struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// rangeOf summarises values. Without values, all its fields are zero.
func rangeOf(values []float64) Range {
	if len(values) == 0 {
		return Range{}
	}
	return Range{Min: slices.Min(values), Median: median(values), Max: slices.Max(values)}
}

// Spread returns the whole range divided by the median.
func (r Range) Spread() float64 {
	if r.Median <= 0 {
		return 0
	}
	return (r.Max - r.Min) / r.Median
}

// inverse returns the range of v/x. It converts seconds of an image to images an
// hour.
func (r Range) inverse(v float64) Range {
	if r.Min <= 0 {
		return Range{}
	}
	return Range{Min: v / r.Max, Median: v / r.Median, Max: v / r.Min}
}

// median returns the middle value, or the mean of the two in the middle. Without
// values it returns 0.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// warmup is how many iterations of each scale are run before measuring. The first
// ones allocate memory and fill caches.
const warmup = 2

// scaleTime is what was measured of one scale in one painting.
type scaleTime struct {
	Planned int     // iterations of the whole image
	Done    int     // iterations that were run
	Steps   []step  // after the warm-up
	Slope   float64 // seconds that an iteration takes longer for each pair in the history of L-BFGS
	History int     // pairs at most; 0 without L-BFGS
}

// step is the mean time of a few iterations in a row, mostly one.
type step struct {
	Last    int     // of these iterations, from 1
	Count   int     // of them
	Seconds float64 // each
}

// pairs returns the length of the history in iteration i, from 1.
func (s scaleTime) pairs(i int) float64 { return float64(min(i-1, s.History)) }

// iteration returns the measured median time of an iteration, and the mean length
// of the history in those iterations.
func (s scaleTime) iteration() (seconds, pairs float64) {
	var all []float64
	for _, t := range s.Steps {
		all = append(all, t.Seconds)
		pairs += s.pairs(t.Last)
	}
	if len(all) == 0 {
		return 0, 0
	}
	return median(all), pairs / float64(len(all))
}

// rest is the time of the iterations that were planned and not run:
//
//	sum over i = Done+1 .. Planned of  t + slope (pairs(i) - p)
//
// with t the measured iteration and p the history it was measured at.
func (s scaleTime) rest() float64 {
	t, p := s.iteration()
	sum := 0.0
	for i := s.Done + 1; i <= s.Planned; i++ {
		sum += t + s.Slope*(s.pairs(i)-p)
	}
	return sum
}

// estimate returns the time of the whole image, and the part of it that is
// iterations at their measured speed. The rest is reading, computing targets,
// warming up and writing. spent is the time of the measured painting.
func estimate(spent float64, scales []scaleTime) (whole, iterating float64) {
	whole = spent
	for _, s := range scales {
		t, _ := s.iteration()
		rest := s.rest()
		whole += rest
		iterating += float64(min(s.Done, s.Planned))*t + rest
	}
	return whole, min(iterating, whole)
}
