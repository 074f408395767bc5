package gpu

import "math"

// track is the common part of the CPU's optimisers: the last accepted image, the
// average of accepted images, and the check for bad evaluations.
type track struct {
	b     *CPU
	shape Shape
	o     StepOptions

	base    []float32 // the last accepted image
	has     bool      // base holds one
	lo, hi  []float32 // the bounds, channel after channel, for any chunk; nil without
	average []float32 // sum of decayed images; nil without averaging
	weight  float64   // sum of the weights in average

	scale    float64 // of the step: halved by each rollback
	failures int     // in a row
	worst    float64 // the highest accepted loss
}

func newTrack(b *CPU, s Shape, o StepOptions) track {
	t := track{b: b, shape: s, o: o, base: make([]float32, s.Len()), scale: 1}
	if o.Average > 0 {
		t.average = make([]float32, s.Len())
	}
	if o.Bounds != nil {
		for j := range chunkLen + s.C {
			t.lo = append(t.lo, o.Bounds.Lo[j%s.C])
			t.hi = append(t.hi, o.Bounds.Hi[j%s.C])
		}
	}
	return t
}

// evaluated records an evaluation in the status. It reports whether loss and gradient
// are usable: finite like the image itself, and not exploded. The arguments after the
// loss are sums of |x|, |g| and g^2.
func (t *track) evaluated(loss, absX, absG, gg float64) bool {
	st := &t.b.status
	st.Evaluations++
	st.Sum = loss
	st.GradNorm = math.Sqrt(gg)
	all := loss + absX + absG + gg
	finite := !math.IsNaN(all) && !math.IsInf(all, 0)
	return finite && !(t.worst > 0 && loss > explosion*t.worst)
}

// reject records an unusable evaluation.
func (t *track) reject() {
	st := &t.b.status
	st.Rollbacks++
	t.scale /= 2
	if t.failures++; t.failures >= t.o.patience() {
		st.Diverged = true
	}
}

// accept stores elements lo..hi of an accepted image in base and average.
func (t *track) accept(x []float32, lo, hi int) {
	copy(t.base[lo:hi], x[lo:hi])
	if t.average != nil {
		d := float32(t.o.Average)
		for j := lo; j < hi; j++ {
			t.average[j] = d*t.average[j] + (1-d)*x[j]
		}
	}
}

// accepted is called once per accepted image, after its elements.
func (t *track) accepted(loss float64) {
	t.has = true
	t.weight = t.o.Average*t.weight + 1 - t.o.Average
	t.failures = 0
	t.worst = max(t.worst, loss)
	t.b.status.Accepted++
}

// bounds returns the bounds of n elements (at most a chunk) from index first on.
func (t *track) bounds(first, n int) (lo, hi []float32) {
	at := first % t.shape.C
	return t.lo[at : at+n], t.hi[at : at+n]
}

func (t *track) Result(dst *Array) {
	if dst.Shape != t.shape {
		fail("Result", "dst is %v, want %v", dst.Shape, t.shape)
	}
	switch {
	case !t.has && t.weight == 0:
	case t.average == nil:
		copy(dst.data, t.base)
	default:
		k := float32(1 / t.weight)
		for i, v := range t.average {
			dst.data[i] = v * k
		}
	}
}

// carry resamples the average. It keeps a step that rollbacks have halved.
func (t *track) carry(from *track) {
	t.scale = from.scale
	if t.average != nil && from.average != nil {
		t.b.resample(t.average, from.average, t.shape, from.shape, Bicubic)
		t.weight = from.weight
	}
}

func (t *track) bytes() int64 { return 4 * int64(len(t.base)+len(t.average)) }

func (t *track) release() { t.base, t.average = nil, nil }

// sumsTask computes the sums over image and gradient for evaluated: three per chunk,
// |x|, |g| and g^2.
type sumsTask struct {
	x, g []float32
	part []float64
}

func (t *sumsTask) chunk(_, i int) {
	lo, hi := i*chunkLen, min(len(t.x), (i+1)*chunkLen)
	t.part[3*i], t.part[3*i+1], t.part[3*i+2] = imageSums(t.x[lo:hi], t.g[lo:hi])
}

func imageSums(x, g []float32) (absX, absG, gg float64) {
	g = g[:len(x)]
	for j, v := range x {
		absX += math.Abs(float64(v))
		e := float64(g[j])
		absG += math.Abs(e)
		gg += e * e
	}
	return absX, absG, gg
}
