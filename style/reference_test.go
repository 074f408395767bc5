package style

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/impasto/impasto/vgg"
)

// This file computes everything the engine minimises a second time: in
// float64, in plain loops, from the formulas of the papers and systems the
// presets follow, sharing no code with the engine.

// grid is a (H, W, C) array.
type grid struct {
	h, w, c int
	v       []float64
}

func newGrid(h, w, c int) grid { return grid{h, w, c, make([]float64, h*w*c)} }

func (g grid) at(y, x, c int) float64     { return g.v[(y*g.w+x)*g.c+c] }
func (g grid) set(y, x, c int, v float64) { g.v[(y*g.w+x)*g.c+c] = v }

// tinyNetwork has four layers over three blocks and random weights; its last
// biases are high enough that features are not mostly zero.
func tinyNetwork(seed uint64) *vgg.Network {
	rng := rand.New(rand.NewPCG(seed, 1))
	n := &vgg.Network{Name: fmt.Sprintf("random:%d", seed), Mean: [3]float32{123.68, 116.779, 103.939}, Pool: vgg.PoolMax}
	in := 3
	for _, l := range []struct{ block, index, out int }{{1, 1, 8}, {1, 2, 8}, {2, 1, 16}, {3, 1, 16}} {
		layer := vgg.Layer{
			Name: fmt.Sprintf("conv%d_%d", l.block, l.index), Block: l.block, Index: l.index, In: in, Out: l.out,
			Weight: make([]float32, l.out*in*9), Bias: make([]float32, l.out),
		}
		gain := math.Sqrt(2 / float64(9*in))
		if in == 3 {
			gain /= 60 // features of order one from pixels of order 60
		}
		for i := range layer.Weight {
			layer.Weight[i] = float32(gain * rng.NormFloat64())
		}
		for i := range layer.Bias {
			layer.Bias[i] = float32(0.3 * rng.NormFloat64())
		}
		n.Layers = append(n.Layers, layer)
		in = l.out
	}
	return n
}

// features runs the network on x (H, W, 3), mean already subtracted, and
// returns every layer's output after the rectifier.
func features(n *vgg.Network, x grid, o Options) map[string]grid {
	out := map[string]grid{}
	for i, l := range n.Layers {
		if i > 0 && l.Block != n.Layers[i-1].Block {
			x = pooled(x, o)
		}
		x = convolved(x, l, i == 0 && o.Padding == PadReplicate)
		out[fmt.Sprintf("relu%d_%d", l.Block, l.Index)] = x
	}
	return out
}

func convolved(x grid, l vgg.Layer, replicate bool) grid {
	y := newGrid(x.h, x.w, l.Out)
	for r := range x.h {
		for c := range x.w {
			for k := range l.Out {
				sum := float64(l.Bias[k])
				for dr := -1; dr <= 1; dr++ {
					for dc := -1; dc <= 1; dc++ {
						rr, cc := r+dr, c+dc
						if replicate {
							rr, cc = min(max(rr, 0), x.h-1), min(max(cc, 0), x.w-1)
						} else if rr < 0 || rr >= x.h || cc < 0 || cc >= x.w {
							continue
						}
						for ch := range l.In {
							sum += float64(l.Weight[((k*l.In+ch)*3+dr+1)*3+dc+1]) * x.at(rr, cc, ch)
						}
					}
				}
				y.set(r, c, k, math.Max(sum, 0))
			}
		}
	}
	return y
}

func pooled(x grid, o Options) grid {
	h, w := x.h/2, x.w/2
	if o.PoolRound == RoundCeil {
		h, w = (x.h+1)/2, (x.w+1)/2
	}
	y := newGrid(h, w, x.c)
	for r := range h {
		for c := range w {
			for ch := range x.c {
				most, sum, squares, count := math.Inf(-1), 0.0, 0.0, 0.0
				for rr := 2 * r; rr < min(2*r+2, x.h); rr++ {
					for cc := 2 * c; cc < min(2*c+2, x.w); cc++ {
						v := x.at(rr, cc, ch)
						most, sum, squares, count = math.Max(most, v), sum+v, squares+v*v, count+1
					}
				}
				v := map[vgg.Pool]float64{vgg.PoolMax: most, vgg.PoolAvg: sum / count, vgg.PoolL2: math.Sqrt(squares)}[o.Pooling]
				y.set(r, c, ch, v*o.PoolScale)
			}
		}
	}
	return y
}

// gramOf returns the (C, C) sums of products over all positions.
func gramOf(f grid) [][]float64 {
	g := make([][]float64, f.c)
	for i := range g {
		g[i] = make([]float64, f.c)
		for j := range g[i] {
			for p := range f.h * f.w {
				g[i][j] += f.v[p*f.c+i] * f.v[p*f.c+j]
			}
		}
	}
	return g
}

// referenceContent is the content loss of one layer.
func referenceContent(f, target grid, scale LossScale) float64 {
	sum, size := 0.0, 0.0
	for i := range f.v {
		sum += (f.v[i] - target.v[i]) * (f.v[i] - target.v[i])
		size += target.v[i] * target.v[i]
	}
	switch scale {
	case ScalePaper: // 1/2 sum (F - P)^2, Gatys et al. eq. 1
		return sum / 2
	case ScaleMean: // nn.MSECriterion
		return sum / float64(len(f.v))
	}
	return sum / size
}

// referenceGram is the Gram loss of one layer against features s of the style.
func referenceGram(f, s grid, scale LossScale) float64 {
	g, a := gramOf(f), gramOf(s)
	m, n, c := float64(f.h*f.w), float64(s.h*s.w), float64(f.c)
	sum, size := 0.0, 0.0
	for i := range g {
		for j := range g {
			x, y := g[i][j]/m, a[i][j]/n
			if scale == ScaleMean { // G / (C H W)
				x, y = x/c, y/c
			}
			sum += (x - y) * (x - y)
			size += y * y
		}
	}
	switch scale {
	case ScalePaper: // sum (G - A)^2 / (4 N^2 M^2), eq. 4; G of M positions
		return sum / (4 * c * c)
	case ScaleMean:
		return sum / (c * c)
	}
	return sum / size
}

// referenceTV is the total variation of x (H, W, C) in 0..255.
func referenceTV(x grid, kind TotalVariation, scale LossScale) float64 {
	total := 0.0
	d := func(y0, x0, y1, x1, c int) float64 { return x.at(y1, x1, c) - x.at(y0, x0, c) }
	for c := range x.c {
		for y := range x.h {
			for xx := range x.w {
				right, below := xx+1 < x.w, y+1 < x.h
				switch kind {
				case TVL1: // neural-style-pt: each neighbouring pair
					if right {
						total += math.Abs(d(y, xx, y, xx+1, c))
					}
					if below {
						total += math.Abs(d(y, xx, y+1, xx, c))
					}
				case TVSquares, TVPower: // neural-style; neural-doodle: no difference past the border
					dx, dy := 0.0, 0.0
					if right {
						dx = d(y, xx, y, xx+1, c)
					}
					if below {
						dy = d(y, xx, y+1, xx, c)
					}
					if kind == TVSquares {
						total += (dx*dx + dy*dy) / 2
					} else {
						total += math.Pow(dx*dx+dy*dy, 1.25)
					}
				}
			}
		}
	}
	if kind == TVStencil {
		// style-transfer-pytorch, pixels 0..1, border replicated by one:
		// 2 (mean d1^2/3 + mean d2^2/3 + mean d3^2/12 + mean d4^2/12). The axial
		// means run over (H, W), the diagonal ones over (H+1, W+1).
		at := func(y, xx, c int) float64 {
			return x.at(min(max(y, 0), x.h-1), min(max(xx, 0), x.w-1), c) / 255
		}
		axial, diagonal := 0.0, 0.0
		for c := range x.c {
			for y := range x.h {
				for xx := range x.w {
					p := at(y, xx, c)
					axial += math.Pow(at(y, xx+1, c)-p, 2) + math.Pow(at(y+1, xx, c)-p, 2)
				}
			}
			for y := -1; y < x.h; y++ {
				for xx := -1; xx < x.w; xx++ {
					diagonal += math.Pow(at(y+1, xx+1, c)-at(y, xx, c), 2) + math.Pow(at(y+1, xx, c)-at(y, xx+1, c), 2)
				}
			}
		}
		n, m := float64(x.h*x.w*x.c), float64((x.h+1)*(x.w+1)*x.c)
		return 2 * (axial/n/3 + diagonal/m/12)
	}
	if scale == ScaleRelative {
		total /= float64(x.h * x.w * x.c) // mean, pixels 0..1
		total /= math.Pow(255, map[TotalVariation]float64{TVL1: 1, TVSquares: 2, TVPower: 2.5}[kind])
	}
	return total
}

// referenceW2 is style-transfer-pytorch's distance of two Gaussians: mean
// squared difference of the means, plus the mean of the diagonal of
// C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2, covariances plus 1e-4, roots by
// Newton-Schulz steps: that system's twelve leave the loss one percent from
// its limit on the features of this test, the backend's fifteen a thousandth.
func referenceW2(f, s grid) float64 {
	meanF, covF := momentsOf(f)
	meanS, covS := momentsOf(s)
	root := newtonSchulz(covS)
	cross := newtonSchulz(multiply(multiply(root, covF), root))
	c, total := float64(f.c), 0.0
	for i := range f.c {
		d := meanF[i] - meanS[i]
		total += (d*d + covF[i][i] + covS[i][i] - 2*cross[i][i]) / c
	}
	return total
}

// referenceCovariance is
//
//	0.3 sum w_i (mu_i - m_i)^2 / sum w_i (m_i^2 + S_ii)
//	+ 0.7 sum w_i w_j (Sigma_ij - S_ij)^2 / sum w_i w_j S_ij^2
//
// with w_i = 1.05 a / (S_ii + 0.05 a) and a the mean of S_ii.
func referenceCovariance(f, s grid) float64 {
	mu, sigma := momentsOf(f)
	m, target := momentsOf(s)
	a := 0.0
	for i := range target {
		sigma[i][i] -= 1e-4
		target[i][i] -= 1e-4
		a += target[i][i] / float64(len(target))
	}
	w := make([]float64, len(m))
	for i := range w {
		w[i] = 1.05 * a / (target[i][i] + 0.05*a)
	}
	var means, meanNorm, pairs, pairNorm float64
	for i := range w {
		means += w[i] * (mu[i] - m[i]) * (mu[i] - m[i])
		meanNorm += w[i] * (m[i]*m[i] + target[i][i])
		for j := range w {
			d := sigma[i][j] - target[i][j]
			pairs += w[i] * w[j] * d * d
			pairNorm += w[i] * w[j] * target[i][j] * target[i][j]
		}
	}
	return 0.3*means/meanNorm + 0.7*pairs/pairNorm
}

// referenceMoments is, with sigma the root of the variance plus 1e-6 of the mean of A_ii,
//
//	relative  sum (G-A)^2 / sum A^2 + 8 sum (mu-m)^2 / sum m^2 + 8 sum (sigma-s)^2 / sum s^2
//	mean      1e3/C^2 mean (G-A)^2 + 1e4 mean (mu-m)^2 + 1e4 mean (sigma-s)^2
func referenceMoments(f, s grid, scale LossScale) float64 {
	mu, cov := momentsOf(f)
	m, target := momentsOf(s)
	var gram, gramNorm, means, meanNorm, deviations, deviationNorm float64
	c, floor := float64(len(m)), 0.0
	for i := range m {
		floor += 1e-6 * (target[i][i] - 1e-4 + m[i]*m[i]) / c
	}
	for i := range m {
		sigma, want := math.Sqrt(cov[i][i]-1e-4+floor), math.Sqrt(target[i][i]-1e-4+floor)
		means += (mu[i] - m[i]) * (mu[i] - m[i])
		meanNorm += m[i] * m[i]
		deviations += (sigma - want) * (sigma - want)
		deviationNorm += want * want
		for j := range m {
			g, a := cov[i][j]+mu[i]*mu[j], target[i][j]+m[i]*m[j]
			if i == j {
				g, a = g-1e-4, a-1e-4
			}
			gram += (g - a) * (g - a)
			gramNorm += a * a
		}
	}
	if scale == ScaleRelative {
		return gram/gramNorm + 8*means/meanNorm + 8*deviations/deviationNorm
	}
	return 1e3/(c*c)*gram/(c*c) + 1e4*means/c + 1e4*deviations/c
}

// momentsOf returns the mean (C) and the covariance (C, C) plus 1e-4 on its diagonal.
func momentsOf(f grid) ([]float64, [][]float64) {
	n := float64(f.h * f.w)
	mean := make([]float64, f.c)
	for i, v := range f.v {
		mean[i%f.c] += v / n
	}
	cov := gramOf(f)
	for i := range cov {
		for j := range cov {
			cov[i][j] = cov[i][j]/n - mean[i]*mean[j]
		}
		cov[i][i] += 1e-4
	}
	return mean, cov
}

const w2Steps = 15

func newtonSchulz(a [][]float64) [][]float64 {
	n, norm := len(a), 0.0
	for i := range a {
		for _, v := range a[i] {
			norm += v * v
		}
	}
	norm = math.Sqrt(norm)
	y, z := newSquare(n), newSquare(n)
	for i := range n {
		z[i][i] = 1
		for j := range n {
			y[i][j] = a[i][j] / norm
		}
	}
	for range w2Steps {
		t := multiply(z, y)
		for i := range n {
			for j := range n {
				t[i][j] *= -0.5
			}
			t[i][i] += 1.5
		}
		y, z = multiply(y, t), multiply(t, z)
	}
	for i := range n {
		for j := range n {
			y[i][j] *= math.Sqrt(norm)
		}
	}
	return y
}

func newSquare(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

func multiply(a, b [][]float64) [][]float64 {
	m := newSquare(len(a))
	for i := range a {
		for j := range b[0] {
			for k := range b {
				m[i][j] += a[i][k] * b[k][j]
			}
		}
	}
	return m
}
