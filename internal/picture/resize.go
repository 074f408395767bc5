package picture

import (
	"math"
	"sync"
)

// Filter is a resampling kernel. When shrinking, kernels widen by the ratio of
// the sizes, so that every pixel of the source counts.
type Filter int

const (
	Lanczos3 Filter = iota // sinc(x) sinc(x/3), |x| < 3: photographs and paintings
	Area                   // mean over the covered area: averages, as pooling does
	Bilinear               // 1 - |x|: no ringing
	Nearest                // no blending: label maps
)

// Resize returns p at w x h pixels, both at least 1. It blends light and not codes:
// samples are decoded to linear light, multiplied by alpha, filtered in float32 and
// encoded again. Ringing is clamped to 0..1.
func (p *Picture) Resize(w, h int, f Filter) *Picture {
	if w == p.W && h == p.H {
		return p.Clone()
	}
	q := &Picture{W: w, H: h, Depth: p.Depth, Pix: make([]float32, w*h*3)}
	if f == Nearest { // nothing blends; keep the codes as they are
		q.Pix = Resample(p.Pix, p.W, p.H, 3, w, h, f)
		if p.Alpha != nil {
			q.Alpha = Resample(p.Alpha, p.W, p.H, 1, w, h, f)
		}
		return q
	}
	if p.Alpha == nil {
		linear := resample(func(y int, row []float32) {
			lookupAll(decodeTable(), row, p.Pix[y*p.W*3:(y+1)*p.W*3])
		}, p.W, p.H, 3, w, h, f)
		parallelRows(h, func(y int) {
			lookupAll(encodeTable(), q.Pix[y*w*3:(y+1)*w*3], linear[y*w*3:])
		})
		return q
	}
	linear := resample(func(y int, row []float32) {
		for x := range p.W {
			i := y*p.W + x
			a := p.Alpha[i]
			row[4*x], row[4*x+1], row[4*x+2] = a*decode(p.Pix[3*i]), a*decode(p.Pix[3*i+1]), a*decode(p.Pix[3*i+2])
			row[4*x+3] = a
		}
	}, p.W, p.H, 4, w, h, f)
	q.Alpha = make([]float32, w*h)
	parallelRows(h, func(y int) {
		for i := y * w; i < (y+1)*w; i++ {
			a := clamp01(linear[4*i+3])
			if a < 1e-4 { // an invisible pixel, whose colour would be noise
				continue
			}
			q.Alpha[i] = a
			for c := range 3 {
				q.Pix[3*i+c] = encode(linear[4*i+c] / a)
			}
		}
	})
	return q
}

// Within returns p with its longer side at most side pixels long. It returns p
// itself if it is small enough.
func (p *Picture) Within(side int, f Filter) *Picture {
	long := max(p.W, p.H)
	if long <= side {
		return p
	}
	return p.Resize(max(1, p.W*side/long), max(1, p.H*side/long), f)
}

// Resample filters src (h, w, c) to (h2, w2, c) as plain numbers, without
// conversion to linear light and without clamping. It is for data that is not a
// picture, such as maps and optimiser state.
func Resample(src []float32, w, h, c, w2, h2 int, f Filter) []float32 {
	return resample(func(y int, row []float32) { copy(row, src[y*w*c:]) }, w, h, c, w2, h2, f)
}

// resample filters rows first, then columns. It reads each row once, through read.
// Every output value is summed in the order of its taps, so the result does not
// depend on the number of threads.
func resample(read func(y int, row []float32), w, h, c, w2, h2 int, f Filter) []float32 {
	across, down := f.taps(w, w2), f.taps(h, h2)
	mid := make([]float32, h*w2*c) // (h, w2, c)
	rows := sync.Pool{New: func() any { r := make([]float32, w*c); return &r }}
	parallelRows(h, func(y int) {
		buf := rows.Get().(*[]float32)
		row := *buf
		read(y, row)
		out := mid[y*w2*c : (y+1)*w2*c]
		for x, t := range across {
			t.apply(out[x*c:(x+1)*c], row[t.from*c:])
		}
		rows.Put(buf)
	})
	dst := make([]float32, h2*w2*c) // (h2, w2, c)
	parallelRows(h2, func(y int) {
		out := dst[y*w2*c : (y+1)*w2*c]
		for k, weight := range down[y].weights {
			row := mid[(down[y].from+k)*w2*c:][:len(out)]
			for i, v := range row {
				out[i] += weight * v
			}
		}
	})
	return dst
}

// taps are the source samples from, from+1, ... that make one output sample, and
// their weights, whose sum is 1.
type taps struct {
	from    int
	weights []float32
}

// apply adds up the taps of one output pixel of len(out) channels. src begins at
// the first tap. Three channels, the usual case, are kept in registers.
func (t taps) apply(out, src []float32) {
	if len(out) == 3 {
		var r, g, b float32
		for k, weight := range t.weights {
			v := src[3*k : 3*k+3]
			r += weight * v[0]
			g += weight * v[1]
			b += weight * v[2]
		}
		out[0], out[1], out[2] = r, g, b
		return
	}
	for k, weight := range t.weights {
		for ch := range out {
			out[ch] += weight * src[k*len(out)+ch]
		}
	}
}

// taps returns the taps of each of n2 outputs along an axis of n samples. Sample i
// covers [i, i+1). Weights outside the axis are dropped and the others are scaled
// up.
func (f Filter) taps(n, n2 int) []taps {
	ratio := float64(n) / float64(n2)
	out := make([]taps, n2)
	for i := range out {
		centre := (float64(i) + 0.5) * ratio
		if f == Nearest {
			out[i] = taps{min(int(centre), n-1), []float32{1}}
			continue
		}
		left, right := f.extent(centre, ratio)
		from, to := max(int(math.Floor(left)), 0), min(int(math.Ceil(right)), n)
		weights := make([]float64, to-from)
		var sum float64
		for k := range weights {
			weights[k] = f.weight(float64(from+k), centre, ratio)
			sum += weights[k]
		}
		out[i] = taps{from, make([]float32, len(weights))}
		for k, v := range weights {
			out[i].weights[k] = float32(v / sum)
		}
	}
	return out
}

// extent returns the interval of the axis that contributes to an output centred
// there.
func (f Filter) extent(centre, ratio float64) (left, right float64) {
	var reach float64
	switch f {
	case Area:
		reach = ratio / 2
	case Bilinear:
		reach = math.Max(ratio, 1)
	default:
		reach = 3 * math.Max(ratio, 1)
	}
	return centre - reach, centre + reach
}

// weight returns the unscaled weight of the source sample that begins at s.
func (f Filter) weight(s, centre, ratio float64) float64 {
	if f == Area { // length of the overlap
		return math.Max(0, math.Min(s+1, centre+ratio/2)-math.Max(s, centre-ratio/2))
	}
	x := math.Abs(s+0.5-centre) / math.Max(ratio, 1)
	if f == Bilinear {
		return math.Max(0, 1-x)
	}
	if x >= 3 {
		return 0
	}
	return sinc(x) * sinc(x/3)
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}
