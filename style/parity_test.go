package style

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// smoothPicture is a picture of slow waves and some noise, fit for features
// that are neither empty nor saturated.
func smoothPicture(w, h int, seed uint64) *Picture {
	rng := rand.New(rand.NewPCG(seed, 2))
	p := newPicture(w, h)
	a, b := 3+4*rng.Float64(), 3+4*rng.Float64()
	for y := range h {
		for x := range w {
			for c := range 3 {
				v := 0.5 + 0.3*math.Sin(a*float64(x)/float64(w)+float64(c)) + 0.15*math.Cos(b*float64(y)/float64(h)+2*float64(c))
				p.Pix[(y*w+x)*3+c] = float32(min(max(v+0.04*rng.NormFloat64(), 0), 1))
			}
		}
	}
	return p
}

func noisePicture(w, h int, seed uint64) *Picture {
	rng := rand.New(rand.NewPCG(seed, 3))
	p := newPicture(w, h)
	for i := range p.Pix {
		p.Pix[i] = float32(min(max(0.5+0.2*rng.NormFloat64(), 0), 1))
	}
	return p
}

// asGrid is a picture as the network takes it, in float64 but from the same
// float32 values the engine uploads.
func asGrid(p *Picture, n *vgg.Network, o Options) grid {
	g := newGrid(p.H, p.W, 3)
	for i, v := range p.Pix {
		g.v[i] = float64(float32(v*float32(o.ImageRange)) - n.Mean[i%3])
	}
	return g
}

// referenceLosses are all terms of the objective at image x, plainly.
func referenceLosses(n *vgg.Network, o Options, x, content grid, styles []grid, weights []float64) (c, s, tv float64) {
	f := features(n, x, o)
	if o.ContentWeight > 0 {
		p := features(n, content, o)
		share := 0.0
		for _, l := range o.ContentLayers {
			share += l.Weight
		}
		for _, l := range o.ContentLayers {
			v := l.Weight * referenceContent(f[l.Layer], p[l.Layer], o.LossScale)
			if o.LossScale == ScaleRelative {
				v *= 0.2 / share
			}
			c += o.ContentWeight * v
		}
	}
	share := 0.0
	for _, l := range o.StyleLayers {
		share += l.Weight
	}
	for i, st := range styles {
		a := features(n, st, o)
		for _, l := range o.StyleLayers {
			v := 0.0
			switch o.StyleLoss {
			case LossW2:
				v = referenceW2(f[l.Layer], a[l.Layer])
			case LossCovariance:
				v = referenceCovariance(f[l.Layer], a[l.Layer])
			case LossMoments:
				v = referenceMoments(f[l.Layer], a[l.Layer], o.LossScale)
			default:
				v = referenceGram(f[l.Layer], a[l.Layer], o.LossScale)
			}
			if o.LossScale == ScaleRelative {
				v /= share
			}
			s += o.StyleWeight * l.Weight * weights[i] * v
		}
	}
	pixels := newGrid(x.h, x.w, 3)
	for i, v := range x.v {
		pixels.v[i] = v + float64(n.Mean[i%3])
	}
	tv = o.TVWeight * referenceTV(pixels, o.TV, o.LossScale)
	return c, s, tv
}

// tinyPreset is a preset with its losses on layers the tiny network has.
func tinyPreset(t *testing.T, name string) Options {
	t.Helper()
	o, err := Preset(name, ModeArt)
	if err != nil {
		t.Fatal(err)
	}
	o.ContentLayers = []LayerWeight{{"relu2_1", 1}}
	weights := o.StyleLayers
	o.StyleLayers = []LayerWeight{{"relu1_1", weights[0].Weight}, {"relu2_1", weights[1].Weight}, {"relu3_1", weights[2].Weight}}
	o.TVSpare = 0 // TestSpareIsWhatTheLossTakes looks at it
	return o
}

// engineObjective sets up one scale of the engine without its loop and
// evaluates it once at x.
func engineObjective(t *testing.T, n *vgg.Network, o Options, x, content *Picture, styles ...*Picture) *objective {
	t.Helper()
	return engineObjectiveIn(t, Env{Backend: gpu.NewCPU(gpu.CPUOptions{Threads: 1}), Network: n}, o, x, content, styles...)
}

// engineObjectiveIn is engineObjective on another backend.
func engineObjectiveIn(t *testing.T, env Env, o Options, x, content *Picture, styles ...*Picture) *objective {
	t.Helper()
	o.Size = "content"
	plan, err := NewPlan(x.W, x.H, o, env)
	if err != nil {
		t.Fatal(err)
	}
	return objectiveOf(t, env, plan, x, content, styles...)
}

// objectiveOf is that of a plan's last scale.
func objectiveOf(t *testing.T, env Env, plan Plan, x, content *Picture, styles ...*Picture) *objective {
	t.Helper()
	return objectiveFor(t, env, plan, x, Inputs{Content: content, Styles: styles})
}

// objectiveFor is objectiveOf with any inputs.
func objectiveFor(t *testing.T, env Env, plan Plan, x *Picture, in Inputs) *objective {
	t.Helper()
	o, n := plan.Options, env.Network
	r := newRun(in, plan, env)
	tiles, err := o.newTiling(env.Backend, n, x.H, x.W, plan.Cut, true)
	if err != nil {
		t.Fatal(err)
	}
	ob := newObjective(env.Backend, plan.Options, tiles, env.Backend.NewArray(gpu.Shape{H: x.H, W: x.W, C: 3}))
	ob.regions = r.regions
	paintings, err := r.measureStyles(max(x.W, x.H), plan.Cut)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.setTargets(ob, r.content, paintings, plan.Recompute); err != nil {
		t.Fatal(err)
	}
	env.Backend.Upload(ob.x, r.px.fromPicture(x))
	env.Backend.ResetStatus()
	ob.evaluate()
	return ob
}

func (ob *objective) gradient() []float32 {
	g := make([]float32, ob.g.Shape.Len())
	ob.b.Download(g, ob.g)
	return g
}

// directions says how checkDirections compares: along how many random directions, with
// which step, and how far off a slope may be relative to the gradient's length. (A
// slope along a direction may itself be nearly zero.)
type directions struct {
	count           int
	step, tolerance float64
}

var (
	smoothLoss = directions{6, 1e-3, 2e-4}
	kinkedLoss = directions{3, 1e-4, 5e-3} // has absolute values or sorts
)

// checkDirections compares the gradient of an objective at x (H, W, 3) with central
// differences of a loss along random directions.
func checkDirections(t *testing.T, what string, ob *objective, x grid, loss func(grid) float64, along directions) {
	t.Helper()
	g := ob.gradient()
	rng := rand.New(rand.NewPCG(5, 5))
	for range along.count {
		direction, got, size := make([]float64, len(g)), 0.0, 0.0
		for i := range direction {
			direction[i] = rng.NormFloat64()
			got += direction[i] * float64(g[i]) / ob.unit
			size += float64(g[i]) * float64(g[i])
		}
		at := func(step float64) float64 {
			y := newGrid(x.h, x.w, x.c)
			for i, d := range direction {
				y.v[i] = x.v[i] + step*d
			}
			return loss(y)
		}
		want := (at(along.step) - at(-along.step)) / (2 * along.step)
		if length := math.Sqrt(size) / ob.unit; math.Abs(got-want) > along.tolerance*length {
			t.Errorf("%s: directional derivative is %.9g, want %.9g (gradient %.3g)", what, got, want, length)
		}
	}
}

func near(t *testing.T, what string, got, want, relative float64) {
	t.Helper()
	if !(math.Abs(got-want) <= relative*math.Abs(want)+1e-12) {
		t.Errorf("%s is %.9g, want %.9g (off by %.2g)", what, got, want, (got-want)/want)
	}
}

// TestPresetLossTerms compares every term of every preset, and of some with
// other smoothness, pooling and rounding, with the float64 reference.
func TestPresetLossTerms(t *testing.T) {
	n := tinyNetwork(7)
	const w, h = 23, 17 // odd: rounding and borders show
	content, style, x := smoothPicture(w, h, 1), smoothPicture(w, h, 2), smoothPicture(w, h, 3)
	for _, preset := range PresetsFor(ModeArt) {
		for name, change := range map[string]func(*Options){
			"as it is":   func(*Options) {},
			"tv 1.25":    func(o *Options) { o.TV = TVPower },
			"tv l1":      func(o *Options) { o.TV = TVL1 },
			"tv stencil": func(o *Options) { o.TV, o.TVWeight = TVStencil, 2 },
			"l2 pooling": func(o *Options) { o.Pooling, o.PoolScale = vgg.PoolL2, 0.78 },
			"average x2": func(o *Options) { o.Pooling, o.PoolScale = vgg.PoolAvg, 2 },
			"avg ceil":   func(o *Options) { o.Pooling, o.PoolRound = vgg.PoolAvg, RoundCeil },
			"max ceil":   func(o *Options) { o.Pooling, o.PoolRound = vgg.PoolMax, RoundCeil },
			"replicate":  func(o *Options) { o.Padding = PadReplicate },
			"gram":       func(o *Options) { o.StyleLoss = LossGram },
			"moments":    func(o *Options) { o.StyleLoss = LossMoments },
		} {
			if name != "as it is" && preset != "default" && preset != "jj" {
				continue
			}
			t.Run(preset+" "+name, func(t *testing.T) {
				o := tinyPreset(t, preset)
				change(&o)
				ob := engineObjective(t, n, o, x, content, style)
				got := ob.report(ob.b.Status())
				c, s, tv := referenceLosses(n, o, asGrid(x, n, o), asGrid(content, n, o), []grid{asGrid(style, n, o)}, []float64{1})
				near(t, "content", got.Content, c, 1e-5)
				tolerance := 1e-5
				if o.StyleLoss == LossW2 {
					tolerance = 1e-4 // differences of roots of covariances, in float32
				}
				near(t, "style", got.Style, s, tolerance)
				near(t, "tv", got.TV, tv, 1e-5)
				total := c + s + tv
				if !o.TVInLoss {
					total -= tv
				}
				near(t, "total", got.Total, total, tolerance)
			})
		}
	}
}

// TestPresetGradients compares the image's gradient with finite differences of
// the float64 reference along random directions. Average pooling and biases
// that keep all features positive make the objective smooth, so that the
// difference quotient means something. The Wasserstein loss is taken where
// noise makes covariances far from singular: closer to it, a fixed number of
// steps towards a root and the root's own derivative are not quite the same.
func TestPresetGradients(t *testing.T) {
	n := tinyNetwork(7)
	for i := range n.Layers {
		for j := range n.Layers[i].Bias {
			n.Layers[i].Bias[j] += 6
		}
	}
	const w, h = 18, 14
	content, style, x := noisePicture(w, h, 1), noisePicture(w, h, 2), noisePicture(w, h, 3)
	for _, preset := range append(PresetsFor(ModeArt), "gram", "moments") {
		t.Run(preset, func(t *testing.T) {
			var o Options
			if preset == "gram" || preset == "moments" {
				o = tinyPreset(t, "default")
				o.StyleLoss = StyleLoss(preset)
			} else {
				o = tinyPreset(t, preset)
			}
			o.Pooling = vgg.PoolAvg
			if o.TV == TVL1 {
				o.TVWeight = 0 // kinks; the backend's own tests look at it
			}
			if o.StyleLoss == LossW2 {
				o.StyleLayers = []LayerWeight{{"relu1_1", 1}}
			}
			ob := engineObjective(t, n, o, x, content, style)
			checkDirections(t, preset, ob, asGrid(x, n, o), func(y grid) float64 {
				c, s, tv := referenceLosses(n, o, y, asGrid(content, n, o), []grid{asGrid(style, n, o)}, []float64{1})
				return c + s + tv
			}, smoothLoss)
		})
	}
}

// TestSeveralStyles compares both ways to mix styles with the reference.
func TestSeveralStyles(t *testing.T) {
	n := tinyNetwork(3)
	const w, h = 19, 13
	content, x := smoothPicture(w, h, 1), smoothPicture(w, h, 4)
	styles := []*Picture{smoothPicture(w, h, 2), smoothPicture(w, h, 3)}
	shares := []float64{0.25, 0.75}
	for _, preset := range []string{"default", "gatys", "jj", "cp"} {
		o := tinyPreset(t, preset)
		o.StyleWeights = []float64{1, 3}
		grids := []grid{asGrid(styles[0], n, o), asGrid(styles[1], n, o)}

		o.StyleBlend = BlendLosses
		ob := engineObjective(t, n, o, x, content, styles...)
		_, s, _ := referenceLosses(n, o, asGrid(x, n, o), asGrid(content, n, o), grids, shares)
		near(t, preset+" losses", ob.report(ob.b.Status()).Style, s, 2e-4)

		if o.StyleLoss == LossW2 {
			continue
		}
		o.StyleBlend, o.StyleLoss = BlendTargets, LossGram
		ob = engineObjective(t, n, o, x, content, styles...)
		near(t, preset+" targets", ob.report(ob.b.Status()).Style, referenceBlend(n, o, asGrid(x, n, o), grids, shares), 1e-5)
	}
}

// referenceBlend is the Gram loss against the weighted mean of the styles' Grams.
func referenceBlend(n *vgg.Network, o Options, x grid, styles []grid, weights []float64) float64 {
	f, total, share := features(n, x, o), 0.0, 0.0
	for _, l := range o.StyleLayers {
		share += l.Weight
	}
	for _, l := range o.StyleLayers {
		c := f[l.Layer].c
		target := newSquare(c)
		for k, s := range styles {
			a := features(n, s, o)[l.Layer]
			g := gramOf(a)
			for i := range c {
				for j := range c {
					target[i][j] += weights[k] * g[i][j] / float64(a.h*a.w)
				}
			}
		}
		g, sum, size := gramOf(f[l.Layer]), 0.0, 0.0
		for i := range c {
			for j := range c {
				d := g[i][j]/float64(f[l.Layer].h*f[l.Layer].w) - target[i][j]
				sum += d * d
				size += target[i][j] * target[i][j]
			}
		}
		switch o.LossScale {
		case ScaleRelative:
			total += l.Weight / share * sum / size
		case ScalePaper:
			total += l.Weight * sum / float64(4*c*c)
		default: // both Grams over C, the squares over C^2
			total += l.Weight * sum / float64(c*c) / float64(c*c)
		}
	}
	return o.StyleWeight * total
}

// TestNormalizedGradients: with one loss the gradient is its weight times a
// unit, whatever the loss's own size; the two units differ by the number of
// features.
func TestNormalizedGradients(t *testing.T) {
	n := tinyNetwork(9)
	const w, h = 16, 16
	content, style, x := smoothPicture(w, h, 1), smoothPicture(w, h, 2), smoothPicture(w, h, 3)
	gradient := func(kind Normalization, brightness float64) []float32 {
		o := tinyPreset(t, "jj")
		o.Normalize, o.ContentWeight, o.TVWeight, o.StyleWeight = kind, 0, 0, 100
		o.StyleLayers = []LayerWeight{{"relu3_1", 1}}
		// features and losses of another size, the same direction
		scaled := &vgg.Network{Name: n.Name, Mean: n.Mean, Pool: n.Pool, Layers: append([]vgg.Layer(nil), n.Layers...)}
		last := &scaled.Layers[len(scaled.Layers)-1]
		last.Weight, last.Bias = times(last.Weight, brightness), times(last.Bias, brightness)
		return engineObjective(t, scaled, o, x, content, style).gradient()
	}
	features := float64(4 * 4 * 16) // relu3_1 of 16x16
	l1, mean, bright := gradient(NormalizeL1, 1), gradient(NormalizeMean, 1), gradient(NormalizeL1, 8)
	largest := 0.0
	for _, v := range l1 {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i := range l1 {
		if math.Abs(float64(mean[i])-features*float64(l1[i])) > 1e-3*features*largest {
			t.Fatalf("element %d is %g and %g, want a ratio of %g", i, l1[i], mean[i], features)
		}
		// the layer's weights are eight times as large, its unit gradient is not
		if math.Abs(float64(bright[i])-8*float64(l1[i])) > 1e-3*8*largest {
			t.Fatalf("element %d is %g and %g, want a ratio of 8", i, l1[i], bright[i])
		}
	}
}

func times(v []float32, k float64) []float32 {
	w := make([]float32, len(v))
	for i := range v {
		w[i] = v[i] * float32(k)
	}
	return w
}
