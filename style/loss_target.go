package style

import (
	"github.com/impasto/impasto/gpu"
)

// moments holds a painting's statistics at one layer. They do not depend on where in
// the painting features lie.
type moments struct {
	second *gpu.Array // Gram matrix, (C, C, 1)
	mean   *gpu.Array // (1, C, 1), nil for Gram losses

	// LossSliced has only these: features at some positions, (M, C, 1), and the end of
	// each region of the positions. rows is nil if no region follows the painting.
	rows *gpu.Array
	ends []int32
}

// arrays lists the arrays that are set. momentsFrom is its inverse.
func (m moments) arrays() []*gpu.Array {
	if m.rows != nil {
		return []*gpu.Array{m.rows}
	}
	if m.mean == nil {
		return []*gpu.Array{m.second}
	}
	return []*gpu.Array{m.second, m.mean}
}

func (o Options) momentsFrom(arrays []*gpu.Array) moments {
	if o.StyleLoss == LossSliced {
		return moments{rows: arrays[0], ends: []int32{int32(arrays[0].Shape.H)}}
	}
	m := moments{second: arrays[0]}
	if len(arrays) > 1 {
		m.mean = arrays[1]
	}
	return m
}

// gramNorm returns the factor of the sum of products over positions: 1/(H W), or 1/(C H
// W) as in neural-style. The paper's sum has the factor 1/(4 N^2 M^2) in its loss. This
// form with 1/(4 N^2) is the same if canvas and painting have the same size, because
// the M's cancel. If the sizes differ, only this form compares equal quantities.
func (o Options) gramNorm(features gpu.Shape) float64 {
	norm := 1 / float64(features.Pixels())
	if o.LossScale == ScaleMean && o.StyleLoss == LossGram {
		norm /= float64(features.C)
	}
	return norm
}

// measure computes the moments of the features of picture x, by tap.
func (t *tiling) measure(o Options, x *gpu.Array) map[string]moments {
	if o.StyleLoss == LossSliced {
		return t.measureRows(o, x, nil, 0)
	}
	means := o.StyleLoss != LossGram
	sums := map[string]*gpu.Sums{}
	for tap, f := range t.whole {
		sums[tap] = t.b.NewSums(f.C, means)
	}
	t.sweep(x, func(_ *stage, _ int, tap string, f *gpu.Array, own gpu.Rect) {
		if own.H > 0 && own.W > 0 {
			t.b.AddSums(sums[tap], f, own, cell(t.pixels[tap]))
		}
	})
	all := map[string]moments{}
	for tap, f := range t.whole {
		m := moments{second: t.b.NewArray(gpu.Matrix(f.C))}
		if means {
			m.mean = t.b.NewArray(gpu.Vector(f.C))
		}
		t.b.Moments(m.second, m.mean, sums[tap], o.gramNorm(f), f.Pixels())
		t.b.FreeSums(sums[tap])
		all[tap] = m
	}
	return all
}

// blendWeights returns the weights of the styles, whose sum is 1.
func (o Options) blendWeights(styles int) []float64 {
	w := make([]float64, styles)
	for i := range w {
		w[i] = 1 / float64(styles)
		if len(o.StyleWeights) == styles {
			w[i] = o.StyleWeights[i] / sum(o.StyleWeights)
		}
	}
	return w
}

// blend returns the weighted mean of several paintings' moments. Second moments about
// zero mix linearly; covariances would not.
func blend(b gpu.Backend, all []moments, weights []float64) moments {
	mix := moments{second: b.NewArray(all[0].second.Shape)}
	if all[0].mean != nil {
		mix.mean = b.NewArray(all[0].mean.Shape)
	}
	for i, m := range all {
		b.Axpy(mix.second, weights[i], m.second)
		if m.mean != nil {
			b.Axpy(mix.mean, weights[i], m.mean)
		}
	}
	return mix
}

// addStyle adds the style loss of a layer. Its targets are the paintings' moments, one
// for each painting or one for their blend:
//
//	relative  sum (G-A)^2 / sum A^2            G, A over positions
//	paper     sum (G-A)^2 / (4 N^2 M^2)        Gatys et al. 2016, eq. 4
//	mean      sum (G-A)^2 / C^2                G, A over C H W: neural-style
//	w2        see gpu.CPU.W2Loss; relative: over the mean square feature
//	covariance  see gpu.CPU.CovarianceLoss; relative whatever the loss scale
//	moments     see gpu.CPU.MomentsLoss and momentsWeights
//	sliced      see addSliced
func (ob *objective) addStyle(l LayerWeight, all []moments) {
	if ob.o.StyleLoss == LossSliced {
		ob.addSliced(l, all)
		return
	}
	f, in := ob.t.whole[l.Layer], ob.inside(l.Layer)
	weights := ob.o.blendWeights(len(all))
	if ob.o.StyleBlend == BlendTargets {
		all, weights = []moments{blend(ob.b, all, weights)}, []float64{1}
	}
	t := styleTerm{
		layer:  l.Layer,
		norm:   ob.o.gramNorm(gpu.Shape{H: in.H, W: in.W, C: f.C}),
		sums:   ob.b.NewSums(f.C, ob.o.StyleLoss != LossGram),
		gram:   ob.b.NewArray(gpu.Matrix(f.C)),
		weight: ob.o.StyleWeight * ob.share(l, ob.styleLayers) * ob.unit,
	}
	if ob.o.Normalize != NormalizeOff {
		t.alone = ob.b.NewArray(f)
	}
	if ob.o.StyleLoss != LossGram {
		ob.addGaussians(&t, l.Layer, all, weights)
		if ob.o.StyleBlend == BlendTargets {
			ob.b.Free(all[0].second, all[0].mean) // the blend; its targets are copies
		}
	} else {
		t.slot = ob.newSlot("style", l.Layer)
		for i, m := range all {
			t.grams = append(t.grams, gpu.GramTarget{A: m.second, Coef: t.weight * weights[i] * ob.gramCoef(m.second)})
		}
	}
	if ob.t.cut() {
		t.part = ob.b.NewSums(f.C, len(t.gaussians) > 0)
	}
	ob.style = append(ob.style, t)
}

// drop frees the moments that no term uses as its target.
func (ob *objective) drop(paintings map[string][]moments) {
	taken := map[*gpu.Array]bool{}
	for _, t := range ob.style {
		for _, g := range t.grams {
			taken[g.A] = true
		}
	}
	for _, all := range paintings {
		for _, m := range all {
			if !taken[m.second] {
				ob.b.Free(m.second)
			}
			ob.b.Free(m.mean)
		}
	}
}

func (ob *objective) gramCoef(a *gpu.Array) float64 {
	c := float64(a.Shape.H)
	switch ob.o.LossScale {
	case ScalePaper:
		return 1 / (4 * c * c)
	case ScaleMean:
		return 1 / (c * c)
	}
	return 1 / positive(ob.b.Dot(a, a))
}

// w2Epsilon is added to the variances, as in style-transfer-pytorch. The root of a
// covariance has no derivative in directions without variance.
const w2Epsilon = 1e-4

func (ob *objective) addGaussians(t *styleTerm, layer string, all []moments, weights []float64) {
	c := t.gram.Shape.H
	t.mean = ob.b.NewArray(gpu.Vector(c))
	t.one, t.oneShift = ob.b.NewArray(t.gram.Shape), ob.b.NewArray(gpu.Vector(c))
	t.d, t.shift = ob.b.NewArray(t.gram.Shape), ob.b.NewArray(gpu.Vector(c))
	for i, m := range all {
		coef, slot := t.weight*weights[i], ob.newSlot("style", layer)
		var g gaussianTerm
		switch ob.o.StyleLoss {
		case LossCovariance:
			target := ob.b.NewCovarianceTarget(m.mean, m.second)
			g = gaussianTerm{target.Arrays(), func(d, shift, mean, second *gpu.Array, pixels int) {
				ob.b.CovarianceLoss(d, shift, mean, second, target, pixels, coef, slot)
			}}
		case LossMoments:
			target := ob.b.NewMomentsTarget(m.mean, m.second)
			weights := ob.o.momentsWeights(coef, c, target.Squares)
			g = gaussianTerm{target.Arrays(), func(d, shift, mean, second *gpu.Array, pixels int) {
				ob.b.MomentsLoss(d, shift, mean, second, target, weights, pixels, slot)
			}}
		default:
			eps := w2Epsilon
			if ob.o.LossScale == ScaleRelative {
				power := positive(ob.meanSquare(m.second))
				coef /= power
				eps *= power // the result must not depend on the network's units
			}
			form := gpu.W2Full
			if ob.o.W2Root == RootFast {
				form = gpu.W2Fast
			}
			target := ob.b.NewW2Target(m.mean, m.second, eps, form)
			g = gaussianTerm{target.Arrays(), func(d, shift, mean, second *gpu.Array, pixels int) {
				ob.b.W2Loss(d, shift, mean, second, target, pixels, coef, slot)
			}}
		}
		t.gaussians = append(t.gaussians, g)
	}
}

// momentsWeights returns the weights of the parts of the moments loss at a layer of c
// channels. coef is the weight of the layer:
//
//	relative  sum (G-A)^2 / sum A^2 + 8 sum (mu-m)^2 / sum m^2 + 8 sum (sigma-s)^2 / sum s^2
//	others    1e3/C^2 mean (G-A)^2 + 1e4 mean (mu-m)^2 + 1e4 mean (sigma-s)^2
//
// The second line is from Galerne et al., where it goes with a mean content error of
// weight 1. There the parts of means and deviations weigh 3 to 20 times as much as Gram
// matrices in most layers of VGG19, hence the factor 8 in the first line.
func (o Options) momentsWeights(coef float64, c int, squares gpu.MomentsWeights) gpu.MomentsWeights {
	if o.LossScale == ScaleRelative {
		return gpu.MomentsWeights{
			Gram:      coef / squares.Gram,
			Mean:      8 * coef / squares.Mean,
			Deviation: 8 * coef / squares.Deviation,
		}
	}
	n := float64(c)
	return gpu.MomentsWeights{Gram: coef * 1e3 / (n * n * n * n), Mean: coef * 1e4 / n, Deviation: coef * 1e4 / n}
}

// meanSquare returns the mean square of the features whose second moment (C, C, 1) is
// given: its trace divided by C.
func (ob *objective) meanSquare(second *gpu.Array) float64 {
	c := second.Shape.H
	v := gpu.Values(ob.b, second)
	trace := 0.0
	for i := range c {
		trace += float64(v[i*c+i])
	}
	return trace / float64(c)
}
