package style

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// The systems that match patches, from their formulas in float64.

// patchesOf lists the k x k patches of f, stride apart, row by row, each as
// k*k*C numbers.
func patchesOf(f grid, k, stride int) (list [][]float64, cols int) {
	for y := 0; y+k <= f.h; y += stride {
		for x := 0; x+k <= f.w; x += stride {
			var p []float64
			for i := range k {
				for j := range k {
					for c := range f.c {
						p = append(p, f.at(y+i, x+j, c))
					}
				}
			}
			list = append(list, p)
		}
	}
	return list, (f.w-k)/stride + 1
}

func dot64(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

// cosineScores is <p,q>/(|p||q|): CNNMRF's response, and what image-analogies
// takes the argmax of.
func cosineScores(p, q []float64) float64 {
	return dot64(p, q) / math.Sqrt(dot64(p, p)*dot64(q, q))
}

// doodleScore is neural-doodle's: each of the nine pixels' features divided by
// 3 |f|, its map values by |m| sqrt(9/w), then the sum of products.
func doodleScore(p, q, pm, qm []float64, weight float64) float64 {
	score := 0.0
	n, m := len(p)/9, len(pm)/9
	for i := range 9 {
		a, b := p[i*n:(i+1)*n], q[i*n:(i+1)*n]
		score += dot64(a, b) / (3 * math.Sqrt(dot64(a, a)) * 3 * math.Sqrt(dot64(b, b)))
		if m > 0 {
			a, b := pm[i*m:(i+1)*m], qm[i*m:(i+1)*m]
			scale := math.Sqrt(9 / weight)
			score += dot64(a, b) / (math.Sqrt(dot64(a, a)) * scale * math.Sqrt(dot64(b, b)) * scale)
		}
	}
	return score
}

// patchFixture is a small run of a mode that matches patches.
type patchFixture struct {
	n  *vgg.Network
	o  Options
	in Inputs
	x  *Picture
	ob *objective
}

// newPatchFixture evaluates the engine's objective once, matching included.
func newPatchFixture(t *testing.T, preset string, biased bool, change func(*Options, *Inputs)) *patchFixture {
	t.Helper()
	f := &patchFixture{n: tinyNetwork(7)}
	if biased { // features all positive and pooling by averages: a smooth objective
		for i := range f.n.Layers {
			for j := range f.n.Layers[i].Bias {
				f.n.Layers[i].Bias[j] += 6
			}
		}
	}
	mode := cmp.Or(presetMode[preset], ModeDoodle)
	o, err := Preset(preset, mode)
	if err != nil {
		t.Fatal(err)
	}
	first, second := o.PatchLayers[0].Weight, o.PatchLayers[1].Weight
	o.PatchLayers = []LayerWeight{{"relu2_1", first}, {"relu3_1", second}}
	o.ContentLayers = []LayerWeight{{"relu2_1", 1}}
	o.StyleLayers, o.StyleScale = nil, 1
	if biased {
		o.Pooling = vgg.PoolAvg
	}
	const w, h = 26, 22
	draw := smoothPicture
	if biased {
		draw = noisePicture
	}
	f.x = draw(w, h, 3)
	f.in = Inputs{Content: draw(w, h, 1), Styles: []*Picture{draw(w, h, 2)}}
	if mode == ModeAnalogy {
		f.in.A, f.in.B, f.in.Content = draw(w, h, 4), draw(w, h, 5), nil
	}
	f.o = o
	if change != nil {
		change(&f.o, &f.in)
	}
	f.o.Size, f.o.Scales = "content", 1
	env := Env{Backend: gpu.NewCPU(gpu.CPUOptions{Threads: 1}), Network: f.n}
	if err := checkInputs(f.in, f.o); err != nil {
		t.Fatal(err)
	}
	plan, err := NewPlan(w, h, f.o, env)
	if err != nil {
		t.Fatal(err)
	}
	r := newRun(f.in, plan, env)
	sources, err := r.look(w, plan.Cut)
	if err != nil {
		t.Fatal(err)
	}
	tiles, err := plan.Options.newTiling(env.Backend, f.n, h, w, plan.Cut, true)
	if err != nil {
		t.Fatal(err)
	}
	f.ob = newObjective(env.Backend, plan.Options, tiles, env.Backend.NewArray(gpu.Shape{H: h, W: w, C: 3}))
	if err := r.setTargets(f.ob, r.content, nil, false); err != nil {
		t.Fatal(err)
	}
	if err := r.setPatches(f.ob, sources, plan.Cut); err != nil {
		t.Fatal(err)
	}
	env.Backend.Upload(f.ob.x, r.px.fromPicture(f.x))
	env.Backend.ResetStatus()
	f.ob.rematch = true
	f.ob.evaluate()
	return f
}

// matches returns what the engine matched at a layer.
func (f *patchFixture) matches(layer string) (index []int32, score []float32) {
	for _, c := range f.ob.correspondences(func(string) int { return 1 }) {
		if c.Layer == layer {
			return c.Index, c.Score
		}
	}
	return nil, nil
}

// checkArgmax compares the engine's matches with all scores.
func checkArgmax(t *testing.T, what string, index []int32, score []float32, want [][]float64) {
	t.Helper()
	if len(index) != len(want) {
		t.Fatalf("%s: %d patches, want %d", what, len(index), len(want))
	}
	for p, row := range want {
		best, at := math.Inf(-1), 0
		for q, s := range row {
			if s > best {
				best, at = s, q
			}
		}
		if int(index[p]) != at && row[index[p]] < best-1e-6*(1+math.Abs(best)) {
			t.Errorf("%s: patch %d matches %d with %.9g, want %d with %.9g", what, p, index[p], row[index[p]], at, best)
		}
		if math.Abs(float64(score[p])-best) > 1e-5*(1+math.Abs(best)) {
			t.Errorf("%s: patch %d scores %.9g, want %.9g", what, p, score[p], best)
		}
	}
}

// blockMean averages a map over cells of side pixels, the odd rest dropped.
func blockMean(m *Map, side int) grid {
	g := newGrid(m.H/side, m.W/side, m.C)
	for y := range g.h {
		for x := range g.w {
			for c := range g.c {
				sum := 0.0
				for i := range side {
					for j := range side {
						sum += float64(m.Pix[((y*side+i)*m.W+x*side+j)*m.C+c])
					}
				}
				g.set(y, x, c, sum/float64(side*side))
			}
		}
	}
	return g
}

// randomMap has values 0..255 as neural-doodle reads them.
func randomMap(w, h, c int, seed uint64) *Map {
	rng := rand.New(rand.NewPCG(seed, 9))
	m := &Map{W: w, H: h, C: c, Pix: make([]float32, w*h*c)}
	for i := range m.Pix {
		m.Pix[i] = 255 * rng.Float32()
	}
	return m
}

// distances sums the squared distances of patches to their matches.
func distances(canvas, style [][]float64, index []int32) float64 {
	total := 0.0
	for p, q := range index {
		for i, v := range canvas[p] {
			total += (v - style[q][i]) * (v - style[q][i])
		}
	}
	return total
}

// innerTV is neural-doodle's and image-analogies' smoothness, to the letter.
func innerTV(x grid) (sum float64, n int) {
	for y := range x.h - 1 {
		for xx := range x.w - 1 {
			for c := range x.c {
				p := x.at(y, xx, c)
				a, b := x.at(y+1, xx, c)-p, x.at(y, xx+1, c)-p
				sum += math.Pow(a*a+b*b, 1.25)
				n++
			}
		}
	}
	return sum, n
}

// TestNeuralDoodle: scores, argmax, the three terms, with and without maps, and
// of one channel and five.
func TestNeuralDoodle(t *testing.T) {
	for _, channels := range []int{0, 1, 3, 5} {
		t.Run(fmt.Sprintf("%d channels", channels), func(t *testing.T) {
			var canvas, painting *Map
			f := newPatchFixture(t, "nd", false, func(o *Options, in *Inputs) {
				if channels > 0 {
					canvas, painting = randomMap(26, 22, channels, 1), randomMap(26, 22, channels, 2)
					in.Guides = []Guide{{Canvas: canvas, Styles: []*Map{painting}}}
				}
			})
			got := f.ob.report(f.ob.b.Status())
			fx, fs := features(f.n, asGrid(f.x, f.n, f.o), f.o), features(f.n, asGrid(f.in.Styles[0], f.n, f.o), f.o)
			patch := 0.0
			for _, l := range []struct {
				layer string
				side  int
			}{{"relu2_1", 2}, {"relu3_1", 4}} {
				p, _ := patchesOf(fx[l.layer], 3, 1)
				q, _ := patchesOf(fs[l.layer], 3, 1)
				pm, qm := make([][]float64, len(p)), make([][]float64, len(q))
				if channels > 0 {
					pm, _ = patchesOf(blockMean(canvas, l.side), 3, 1)
					qm, _ = patchesOf(blockMean(painting, l.side), 3, 1)
				}
				scores := make([][]float64, len(p))
				for i := range p {
					for j := range q {
						scores[i] = append(scores[i], doodleScore(p[i], q[j], pm[i], qm[j], 10))
					}
				}
				index, score := f.matches(l.layer)
				checkArgmax(t, l.layer, index, score, scores)
				patch += 25 * distances(p, q, index) / float64(len(p)*len(p[0]))
			}
			near(t, "style", got.Patch, patch, 1e-5)
			content := features(f.n, asGrid(f.in.Content, f.n, f.o), f.o)
			near(t, "content", got.Content, 10*referenceContent(fx["relu2_1"], content["relu2_1"], ScaleMean), 1e-5)
			sum, n := innerTV(asGrid(f.x, f.n, f.o))
			near(t, "smoothness", got.TV, sum/float64(n), 1e-5)
			near(t, "total", got.Total, got.Content+got.Patch+got.TV, 1e-12)
		})
	}
}

// TestCNNMRF: responses, argmax at stride 2 on both sides, content, and the
// layer's gradient: strength times the mean over overlapping patches of what
// the canvas differs by.
func TestCNNMRF(t *testing.T) {
	for _, preset := range []string{"cnnmrf", "cnnmrf-trans"} {
		for _, confidence := range []float64{0, 0.9} {
			f := newPatchFixture(t, preset, false, func(o *Options, in *Inputs) {
				o.StyleRotations, o.StyleScales = 0, 0 // views have a test of their own
				o.Confidence = confidence
			})
			fx, fs := features(f.n, asGrid(f.x, f.n, f.o), f.o), features(f.n, asGrid(f.in.Styles[0], f.n, f.o), f.o)
			patch := 0.0
			for _, layer := range []string{"relu2_1", "relu3_1"} {
				p, cols := patchesOf(fx[layer], 3, 2)
				q, _ := patchesOf(fs[layer], 3, 2)
				scores := make([][]float64, len(p))
				for i := range p {
					for j := range q {
						scores[i] = append(scores[i], cosineScores(p[i], q[j]))
					}
				}
				index, score := f.matches(layer)
				checkArgmax(t, layer, index, score, scores)

				// gradTO / gradTO_confident * strength
				c := fx[layer]
				sum, overlap := newGrid(c.h, c.w, c.c), newGrid(c.h, c.w, 1)
				for i, j := range index {
					if scores[i][j] < confidence {
						continue
					}
					for d := range 9 {
						y, x := i/cols*2+d/3, i%cols*2+d%3
						overlap.set(y, x, 0, overlap.at(y, x, 0)+1)
						for ch := range c.c {
							diff := p[i][d*c.c+ch] - q[j][d*c.c+ch]
							sum.set(y, x, ch, sum.at(y, x, ch)+diff)
						}
					}
				}
				want := make([]float64, len(sum.v))
				for i, v := range sum.v {
					want[i] = 1e-4 * v / (overlap.v[i/c.c] + 1e-10)
				}
				checkGradient(t, fmt.Sprintf("%s %s, confidence %g", preset, layer, confidence), f.layerGradient(layer, c), want)
				for i, j := range index { // the loss whose gradient that is
					if scores[i][j] < confidence {
						continue
					}
					for d := range 9 {
						for ch := range c.c {
							diff := p[i][d*c.c+ch] - q[j][d*c.c+ch]
							patch += 1e-4 / 2 * diff * diff / overlap.at(i/cols*2+d/3, i%cols*2+d%3, 0)
						}
					}
				}
			}
			got := f.ob.report(f.ob.b.Status())
			near(t, "patches", got.Patch, patch, 1e-5)
			content := features(f.n, asGrid(f.in.Content, f.n, f.o), f.o)
			near(t, "content", got.Content, 20*referenceContent(fx["relu2_1"], content["relu2_1"], ScaleMean), 1e-5)
			near(t, "tv", got.TV, 1e-3*referenceTV(asGrid(f.x, f.n, f.o), TVSquares, ScaleMean), 1e-5)
		}
	}
}

// layerGradient is the gradient of the patch loss with respect to a layer's
// features alone.
func (f *patchFixture) layerGradient(layer string, c grid) []float32 {
	b := f.ob.b
	s := gpu.Shape{H: c.h, W: c.w, C: c.c}
	features, g := b.NewArray(s), b.NewArray(s)
	v := make([]float32, len(c.v))
	for i, e := range c.v {
		v[i] = float32(e)
	}
	b.Upload(features, v)
	grad := vgg.NewGradient(b, g)
	f.ob.patchesAt(layer, features, &grad)
	b.Download(v, g)
	return v
}

func checkGradient(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	largest := 0.0
	for _, v := range want {
		largest = max(largest, math.Abs(v))
	}
	for i := range want {
		if math.Abs(float64(got[i])-want[i]) > 1e-5*largest {
			t.Fatalf("%s: gradient %d is %.9g, want %.9g", what, i, got[i], want[i])
		}
	}
}

// TestImageAnalogies: the analogy term with its averaged patches, the MRF term
// and the sums, for patches of one pixel and of nine.
func TestImageAnalogies(t *testing.T) {
	for _, k := range []int{1, 3} {
		f := newPatchFixture(t, "ia", false, func(o *Options, _ *Inputs) { o.PatchSize = k })
		look := func(p *Picture) map[string]grid { return features(f.n, asGrid(p, f.n, f.o), f.o) }
		fx, fa, fprime, fb := look(f.x), look(f.in.A), look(f.in.Styles[0]), look(f.in.B)
		total, mrf := 0.0, 0.0
		for _, layer := range []string{"relu2_1", "relu3_1"} {
			b, cols := patchesOf(fb[layer], k, 1)
			a, _ := patchesOf(fa[layer], k, 1)
			prime, _ := patchesOf(fprime[layer], k, 1)
			canvas, _ := patchesOf(fx[layer], k, 1)
			c := fx[layer]
			sum, overlap := newGrid(c.h, c.w, c.c), newGrid(c.h, c.w, 1)
			for i := range b {
				best, at := math.Inf(-1), 0
				for j := range a {
					if s := cosineScores(b[i], a[j]); s > best {
						best, at = s, j
					}
				}
				for d := range k * k {
					y, x := i/cols+d/k, i%cols+d%k
					overlap.set(y, x, 0, overlap.at(y, x, 0)+1)
					for ch := range c.c {
						sum.set(y, x, ch, sum.at(y, x, ch)+prime[at][d*c.c+ch])
					}
				}
			}
			for i, v := range sum.v {
				d := c.v[i] - v/overlap.v[i/c.c]
				total += 1.0 / 2 * d * d
			}
			scores := make([][]float64, len(canvas))
			for i := range canvas {
				for j := range prime {
					scores[i] = append(scores[i], cosineScores(canvas[i], prime[j]))
				}
			}
			index, score := f.matches(layer)
			checkArgmax(t, fmt.Sprintf("%s, patches of %d", layer, k), index, score, scores)
			mrf += 0.5 / 2 * distances(canvas, prime, index) / float64(k*k)
		}
		got := f.ob.report(f.ob.b.Status())
		near(t, fmt.Sprintf("analogy and mrf, patches of %d", k), got.Patch, total+mrf, 1e-5)
		sum, _ := innerTV(asGrid(f.x, f.n, f.o))
		near(t, "tv", got.TV, sum, 1e-5)
	}
}

// TestPatchGradients compares the image's gradient with finite differences of
// the engine-independent losses, matches held fixed, for each preset.
func TestPatchGradients(t *testing.T) {
	for _, preset := range []string{"cnnmrf", "nd", "ia"} {
		f := newPatchFixture(t, preset, true, func(o *Options, in *Inputs) {
			if preset == "nd" {
				in.Guides = []Guide{{Canvas: randomMap(26, 22, 3, 1), Styles: []*Map{randomMap(26, 22, 3, 2)}}}
			}
			o.AnalogyWeight = 0 // a content loss, which has its own test
			o.ContentWeight = 0
		})
		fs := features(f.n, asGrid(f.in.Styles[0], f.n, f.o), f.o)
		k := f.o.PatchSize
		stride := f.o.PatchStride[0]
		losses := func(x grid) float64 {
			fx, total := features(f.n, x, f.o), 0.0
			for _, l := range f.o.PatchLayers {
				canvas, cols := patchesOf(fx[l.Layer], k, stride)
				style, _ := patchesOf(fs[l.Layer], k, f.o.StyleStride[0])
				index, _ := f.matches(l.Layer)
				c := fx[l.Layer]
				switch preset {
				case "nd":
					total += 25 * distances(canvas, style, index) / float64(len(canvas)*len(canvas[0]))
				case "ia":
					total += 0.25 * distances(canvas, style, index) / float64(k*k)
				case "cnnmrf":
					overlap := newGrid(c.h, c.w, 1)
					for i := range index {
						for d := range 9 {
							y, x := i/cols*2+d/3, i%cols*2+d%3
							overlap.set(y, x, 0, overlap.at(y, x, 0)+1)
						}
					}
					for i, j := range index {
						for e, v := range canvas[i] {
							d := e / c.c
							total += 1e-4 / 2 * (v - style[j][e]) * (v - style[j][e]) / overlap.at(i/cols*2+d/3, i%cols*2+d%3, 0)
						}
					}
				}
			}
			pixels := newGrid(x.h, x.w, 3)
			for i, v := range x.v {
				pixels.v[i] = v + float64(f.n.Mean[i%3])
			}
			switch sum, n := innerTV(pixels); preset {
			case "nd":
				total += sum / float64(n)
			case "ia":
				total += sum
			default:
				total += 1e-3 * referenceTV(pixels, TVSquares, ScaleMean)
			}
			return total
		}
		checkDirections(t, preset, f.ob, asGrid(f.x, f.n, f.o), losses, smoothLoss)
	}
}
