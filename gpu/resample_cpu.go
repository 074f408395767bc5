package gpu

import "math"

// resampleRows is how many rows of the result a chunk computes.
const resampleRows = 16

type resampleTask struct {
	b             *CPU
	dst, src      []float32
	to, from      Shape
	across, along []taps // of each column, of each row
}

// Resample is used between scales, not inside an iteration, so it may allocate.
func (b *CPU) Resample(dst, src *Array, filter ResampleFilter) {
	checkResample(dst, src)
	to := b.write(0, 0, dst, 0, dst.Shape.Len())
	b.resample(to, b.read(0, 1, src, 0, src.Shape.Len()), dst.Shape, src.Shape, filter)
	b.keep(dst, 0, to)
}

func (b *CPU) resample(dst, src []float32, to, from Shape, filter ResampleFilter) {
	t := &resampleTask{b, dst, src, to, from, tapsFor(to.W, from.W, filter), tapsFor(to.H, from.H, filter)}
	b.workers.run(chunks(to.H, resampleRows), t)
}

// chunk filters the source rows it needs along x, then those along y.
func (t *resampleTask) chunk(worker, i int) {
	c, row := t.to.C, t.to.W*t.to.C
	rows := t.along[i*resampleRows : min(t.to.H, (i+1)*resampleRows)]
	last := rows[len(rows)-1]
	first, end := rows[0].first, last.first+len(last.weights)
	strip := t.b.scratchFor(worker, (end-first)*row)
	clear(strip)
	for y := first; y < end; y++ {
		for x, tap := range t.across {
			out := strip[(y-first)*row+x*c:][:c]
			for k, w := range tap.weights {
				for ch, v := range t.src[(y*t.from.W+tap.first+k)*c:][:c] {
					out[ch] += w * v
				}
			}
		}
	}
	for j, tap := range rows {
		out := t.dst[(i*resampleRows+j)*row:][:row]
		clear(out)
		for k, w := range tap.weights {
			t.b.kernels.Axpy(out, w, strip[(tap.first+k-first)*row:][:row])
		}
	}
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
		total := 0.0
		for j := lo; j <= hi; j++ {
			total += kernel((float64(j) - centre) / stretch)
		}
		list[i] = taps{lo, make([]float32, hi-lo+1)}
		for j := range list[i].weights {
			list[i].weights[j] = float32(kernel((float64(lo+j)-centre)/stretch) / total)
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
