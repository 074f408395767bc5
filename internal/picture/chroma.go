package picture

import "math"

// chroma collects the statistics of a and b of the paintings for FinishColours.
type chroma struct {
	n      float64
	mean   [3]float64
	cov    mat3 // second moments, without subtracting the mean
	lo, hi [3]float32
}

// see adds the colours of a painting. All paintings have the same weight.
func (c *chroma) see(lab []float32) {
	m := momentsOf(lab)
	for i := range 3 {
		c.mean[i] += m.mean[i]
		for j := range 3 {
			c.cov[i][j] += m.cov[i][j] + m.mean[i]*m.mean[j]
		}
	}
	for i := 0; i < len(lab); i += 3 {
		for k := 1; k < 3; k++ {
			if c.n == 0 && i == 0 {
				c.lo[k], c.hi[k] = lab[k], lab[k]
			}
			c.lo[k], c.hi[k] = min(c.lo[k], lab[i+k]), max(c.hi[k], lab[i+k])
		}
	}
	c.n++
}

// moments returns the moments of a and b of all paintings together.
func (c *chroma) moments() (m colourMoments) {
	for i := range 3 {
		m.mean[i] = c.mean[i] / c.n
	}
	for i := range 3 {
		for j := range 3 {
			m.cov[i][j] = c.cov[i][j]/c.n - m.mean[i]*m.mean[j]
		}
	}
	return m.chroma()
}

// chroma returns the moments without L. A map between two such moments leaves L
// unchanged.
func (m colourMoments) chroma() colourMoments {
	m.mean[0] = 0
	m.cov[0] = [3]float64{1, 0, 0}
	m.cov[1][0], m.cov[2][0] = 0, 0
	return m
}

// These are the radius of the smoothing of chroma, as a share of the longer side,
// and the variance of lightness that counts as an edge.
const (
	chromaReach = 0.01
	chromaEdge  = 1e-3
)

// smoothChroma replaces a and b of lab (h, w, 3) by what is linear in L nearby:
// with means over squares about each pixel,
//
//	k = cov(L, a) / (var(L) + edge)      d = mean(a) - k mean(L)
//	a = mean(k) L + mean(d)
func smoothChroma(lab []float32, w, h int) {
	reach := max(1, int(math.Round(chromaReach*float64(max(w, h)))))
	n := w * h
	l, ll := make([]float64, n), make([]float64, n)
	for i := range l {
		l[i] = float64(lab[3*i])
		ll[i] = l[i] * l[i]
	}
	meanL, meanLL := boxMean(l, w, h, reach), boxMean(ll, w, h, reach)
	for c := 1; c < 3; c++ {
		v, lv := make([]float64, n), make([]float64, n)
		for i := range v {
			v[i] = float64(lab[3*i+c])
			lv[i] = l[i] * v[i]
		}
		k, d := boxMean(lv, w, h, reach), boxMean(v, w, h, reach)
		for i := range k {
			k[i] = (k[i] - meanL[i]*d[i]) / (meanLL[i] - meanL[i]*meanL[i] + chromaEdge)
			d[i] -= k[i] * meanL[i]
		}
		k, d = boxMean(k, w, h, reach), boxMean(d, w, h, reach)
		for i := range k {
			lab[3*i+c] = float32(k[i]*l[i] + d[i])
		}
	}
}

// boxMean returns the mean of v (h, w) over the pixels at most reach rows and
// columns away.
func boxMean(v []float64, w, h, reach int) []float64 {
	across, out := make([]float64, len(v)), make([]float64, len(v))
	parallelRows(h, func(y int) { slide(across[y*w:][:w], v[y*w:][:w], 1, w, reach) })
	parallelRows(w, func(x int) { slide(out[x:], across[x:], w, h, reach) })
	return out
}

// slide writes the mean over a window around each of n values that are step apart.
func slide(out, v []float64, step, n, reach int) {
	sum, count := 0.0, 0
	for i := -reach; i < n; i++ {
		if j := i + reach; j < n {
			sum += v[j*step]
			count++
		}
		if j := i - reach - 1; j >= 0 {
			sum -= v[j*step]
			count--
		}
		if i >= 0 {
			out[i*step] = sum / float64(count)
		}
	}
}
