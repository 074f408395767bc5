package gpu

import "math"

// Resample is used between scales, not inside an iteration, so it may allocate.
func (b *CPU) Resample(dst, src *Array, filter ResampleFilter) {
	checkResample(dst, src)
	resample(dst.data, src.data, dst.Shape, src.Shape, filter)
}

// taps are the weights of one output coordinate over inputs first, first+1, ...
type taps struct {
	first   int
	weights []float32
}

// tapsFor computes the taps of every output coordinate when n inputs become m.
func tapsFor(m, n int, filter ResampleFilter) []taps {
	kernel, radius := filter.kernel()
	scale := float64(n) / float64(m)
	stretch := max(scale, 1)
	list := make([]taps, m)
	for i := range list {
		centre := (float64(i)+0.5)*scale - 0.5
		lo := max(0, int(math.Ceil(centre-radius*stretch)))
		hi := min(n-1, int(math.Floor(centre+radius*stretch)))
		w := make([]float64, 0, hi-lo+1)
		total := 0.0
		for j := lo; j <= hi; j++ {
			v := kernel((float64(j) - centre) / stretch)
			w = append(w, v)
			total += v
		}
		list[i].first = lo
		for _, v := range w {
			list[i].weights = append(list[i].weights, float32(v/total))
		}
	}
	return list
}

// kernel returns the filter's function and its radius.
func (f ResampleFilter) kernel() (func(float64) float64, float64) {
	switch f {
	case Bicubic:
		return func(x float64) float64 {
			x = math.Abs(x)
			switch {
			case x < 1:
				return (1.5*x-2.5)*x*x + 1
			case x < 2:
				return ((-0.5*x+2.5)*x-4)*x + 2
			}
			return 0
		}, 2
	case Lanczos:
		sinc := func(x float64) float64 {
			if x == 0 {
				return 1
			}
			return math.Sin(math.Pi*x) / (math.Pi * x)
		}
		return func(x float64) float64 {
			if math.Abs(x) >= 3 {
				return 0
			}
			return sinc(x) * sinc(x/3)
		}, 3
	}
	return func(x float64) float64 { return max(0, 1-math.Abs(x)) }, 1
}

// resample filters along x into a strip as high as src, then along y.
func resample(dst, src []float32, to, from Shape, filter ResampleFilter) {
	c := to.C
	strip := make([]float32, from.H*to.W*c)
	alongX, alongY := tapsFor(to.W, from.W, filter), tapsFor(to.H, from.H, filter)
	for y := range from.H {
		for x, t := range alongX {
			out := strip[(y*to.W+x)*c:][:c]
			for k, w := range t.weights {
				for ch, v := range src[(y*from.W+t.first+k)*c:][:c] {
					out[ch] += w * v
				}
			}
		}
	}
	row := to.W * c
	for y, t := range alongY {
		out := dst[y*row:][:row]
		clear(out)
		for k, w := range t.weights {
			for j, v := range strip[(t.first+k)*row:][:row] {
				out[j] += w * v
			}
		}
	}
}
