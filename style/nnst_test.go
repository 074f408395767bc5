package style

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/testutil"
)

// tinyNeighbours are options of nearest-neighbour style transfer for the tiny
// network.
func tinyNeighbours() Options {
	o := tinyOptions(ModeArt)
	o.UseMethod(MethodNNST, "vgg19")
	o.StyleLayers = []LayerWeight{{"relu1_1", 1}, {"relu1_2", 1}, {"relu2_1", 0.5}, {"relu3_1", 1}}
	o.Size, o.MinScale, o.Iterations, o.Refine = "45", 16, []int{4, 3}, 3
	return o
}

// neighboursRun is a run that has not begun, with its plan.
func neighboursRun(t *testing.T, o Options, env Env) *run {
	t.Helper()
	in := tinyInputs()
	plan, err := NewPlan(in.Content.W, in.Content.H, o, env)
	if err != nil {
		t.Fatal(err)
	}
	return newRun(in, plan, env)
}

// reduced is f at another size: a triangle as wide as a pixel of the smaller of
// the two, as Resample has it.
func reduced(f grid, h, w int) grid {
	weights := func(i, m, n int) []float64 {
		stretch := math.Max(1, float64(n)/float64(m))
		list, total := make([]float64, n), 0.0
		for j := range list {
			list[j] = math.Max(0, 1-math.Abs((float64(j)+0.5)-(float64(i)+0.5)*float64(n)/float64(m))/stretch)
			total += list[j]
		}
		for j := range list {
			list[j] /= total
		}
		return list
	}
	out := newGrid(h, w, f.c)
	for y := range h {
		wy := weights(y, h, f.h)
		for x := range w {
			wx := weights(x, w, f.w)
			for c := range f.c {
				sum := 0.0
				for j, a := range wy {
					for i, e := range wx {
						if a*e != 0 {
							sum += a * e * f.at(j, i, c)
						}
					}
				}
				out.set(y, x, c, sum)
			}
		}
	}
	return out
}

// referenceJoined is H(x): every layer over its channels, times its weight, at a
// quarter of the sides, rounded.
func referenceJoined(r *run, x grid) grid {
	maps := features(r.env.Network, x, r.o)
	h, w := int(math.Max(1, math.Round(float64(x.h)/4))), int(math.Max(1, math.Round(float64(x.w)/4)))
	var parts []grid
	channels := 0
	for _, l := range r.o.StyleLayers {
		f := reduced(maps[l.Layer], h, w)
		for i := range f.v {
			f.v[i] *= l.Weight / float64(f.c)
		}
		parts = append(parts, f)
		channels += f.c
	}
	out := newGrid(h, w, 0)
	out.c = channels
	for p := range h * w {
		for _, f := range parts {
			out.v = append(out.v, f.v[p*f.c:][:f.c]...)
		}
	}
	return out
}

func (g grid) position(p int) []float64 { return g.v[p*g.c:][:g.c] }

func cosineOf(a, b []float64) float64 {
	var aa, bb, ab float64
	for i := range a {
		aa, bb, ab = aa+a[i]*a[i], bb+b[i]*b[i], ab+a[i]*b[i]
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// centredGrids takes the mean over all positions off, as float64.
func centredGrids(all ...grid) []grid {
	mean, n := make([]float64, all[0].c), 0
	for _, g := range all {
		n += g.h * g.w
		for i, v := range g.v {
			mean[i%g.c] += v
		}
	}
	var out []grid
	for _, g := range all {
		c := newGrid(g.h, g.w, g.c)
		for i, v := range g.v {
			c.v[i] = v - mean[i%g.c]/float64(n)
		}
		out = append(out, c)
	}
	return out
}

// gridOf reads an array (h, w, C) back.
func gridOf(b gpu.Backend, a *gpu.Array) grid {
	v := make([]float32, a.Shape.Len())
	b.Download(v, a)
	g := newGrid(a.Shape.H, a.Shape.W, a.Shape.C)
	for i, e := range v {
		g.v[i] = float64(e)
	}
	return g
}

// imageGrid is a picture as the network takes it.
func imageGrid(r *run, p *Picture) grid {
	g := newGrid(p.H, p.W, 3)
	for i, v := range r.px.fromPicture(p) {
		g.v[i] = float64(v)
	}
	return g
}

// referenceImage adds bands up.
func referenceImage(bands []grid) grid {
	x := bands[len(bands)-1]
	for i := len(bands) - 2; i >= 0; i-- {
		up := reduced(x, bands[i].h, bands[i].w)
		for j := range up.v {
			up.v[j] += bands[i].v[j]
		}
		x = up
	}
	return x
}

func bandGrids(n *neighbours) (list []grid) {
	for _, z := range n.bands.zs {
		list = append(list, gridOf(n.ob.b, z))
	}
	return list
}

// TestNeighboursAgainstReference: targets, loss and gradient by the bands are
// those of the formulas in float64, at odd sizes, at a scale after the first, with
// paintings turned.
func TestNeighboursAgainstReference(t *testing.T) {
	o := tinyNeighbours()
	o.StyleTurns = true
	onBackends(t, func(t *testing.T, env Env) {
		r := neighboursRun(t, o, env)
		defer r.release()
		s := r.plan.Scales[1]
		content := r.content.Resize(s.W, s.H)
		n, err := r.newNeighbours(s)
		defer n.free()
		if err != nil {
			t.Fatal(err)
		}
		r.image = n.ob.x
		canvas := noisePicture(s.W, s.H, 5)
		r.px.upload(env.Backend, n.ob.x, canvas)
		n.begin()
		if err := n.meet(r, content, r.o.neighbourShare(1)); err != nil {
			t.Fatal(err)
		}
		// What is matched, and with what.
		mixed, photo := imageGrid(r, canvas), imageGrid(r, content)
		for i, v := range photo.v {
			mixed.v[i] = 0.25*mixed.v[i] + 0.75*v
		}
		f := centredGrids(referenceJoined(r, mixed))[0]
		var paintings []grid
		for _, p := range r.neighbourViews(max(s.W, s.H)) {
			paintings = append(paintings, referenceJoined(r, imageGrid(r, p)))
		}
		if len(paintings) != 4 {
			t.Fatalf("%d views", len(paintings))
		}
		got := gridOf(env.Backend, n.target)
		targets := newGrid(f.h, f.w, f.c)
		for p := range f.h * f.w {
			best, at, from := math.Inf(-1), 0, 0
			for i, c := range centredGrids(paintings...) {
				for q := range c.h * c.w {
					if v := cosineOf(f.position(p), c.position(q)); v > best {
						best, at, from = v, q, i
					}
				}
			}
			copy(targets.position(p), paintings[from].position(at))
			if c := cosineOf(got.position(p), targets.position(p)); c < 1-1e-5 {
				t.Errorf("position %d: the target has the cosine %g to the nearest neighbour", p, c)
			}
		}
		// The loss and its slope along each band and a smooth direction.
		loss := func(bands []grid) float64 {
			h, sum := referenceJoined(r, referenceImage(bands)), 0.0
			for p := range h.h * h.w {
				sum += 1 - cosineOf(h.position(p), targets.position(p))
			}
			return sum / float64(h.h*h.w) * n.ob.unit
		}
		checkBandSlopes(t, n, loss)
	})
}

// checkBandSlopes compares the loss with that of a reference, and its gradient
// with finite differences along smooth directions of each band.
func checkBandSlopes(t *testing.T, n *neighbours, loss func(bands []grid) float64) {
	t.Helper()
	n.evaluate()
	b := n.ob.b
	b.Sync()
	bands := bandGrids(n)
	total := 0.0
	for slot := range n.ob.terms {
		total += b.Status().Loss[slot]
	}
	// The status of a device is that of the last step: read the slots themselves.
	if total == 0 {
		for slot := range n.ob.terms {
			total += b.Loss(slot)
		}
	}
	want := loss(bands)
	testutil.Close(t, "loss", []float64{total}, []float64{want}, 0, 2e-4)
	for i, z := range bands {
		d := gridOf(b, n.bands.ds[i])
		direction, along := make([]float64, len(z.v)), 0.0
		for j := range direction {
			y, x, c := j/(z.w*z.c), j/z.c%z.w, j%z.c
			direction[j] = math.Sin(0.7*float64(y)+0.9*float64(x)+float64(c)) + 0.3
			along += d.v[j] * direction[j]
		}
		const step = 2e-3
		moved := func(by float64) float64 {
			keep := slices.Clone(z.v)
			for j := range z.v {
				z.v[j] += by * direction[j]
			}
			v := loss(bands)
			copy(z.v, keep)
			return v
		}
		slope := (moved(step) - moved(-step)) / (2 * step)
		norm := 0.0
		for _, v := range d.v {
			norm += v * v
		}
		testutil.Close(t, "slope of a band", []float64{along}, []float64{slope}, 2e-3*math.Sqrt(norm*float64(len(d.v))), 5e-3)
	}
}

// TestRefiningAgainstReference: in the last iterations the neighbours are those of
// the positions on that iteration's grid, layer by layer.
func TestRefiningAgainstReference(t *testing.T) {
	onBackends(t, func(t *testing.T, env Env) {
		o := tinyNeighbours()
		r := neighboursRun(t, o, env)
		defer r.release()
		s := r.plan.Scales[len(r.plan.Scales)-1]
		if !s.refine || s.Iterations != o.Refine {
			t.Fatalf("the last scale is %+v", s)
		}
		n, err := r.newNeighbours(s)
		defer n.free()
		if err != nil {
			t.Fatal(err)
		}
		r.image = n.ob.x
		r.px.upload(env.Backend, n.ob.x, noisePicture(s.W, s.H, 5))
		n.begin()
		if err := n.meet(r, nil, 0); err != nil {
			t.Fatal(err)
		}
		n.refine.iteration = 2
		painting := r.neighbourViews(max(s.W, s.H))[0]
		ofPainting := features(r.env.Network, imageGrid(r, painting), r.o)
		// Neighbours are held while the bands move: the reference finds them once.
		held := map[string][]int{}
		loss := func(bands []grid) float64 {
			maps, total := features(r.env.Network, referenceImage(bands), r.o), 0.0
			for i, l := range n.refine.layers {
				few := onGrid(n.refine, maps[l.name], refinedCanvas, 2, i)
				style := onGrid(n.refine, ofPainting[l.name], refinedPainting, 0, i)
				if held[l.name] == nil {
					c, cs := centredGrids(few)[0], centredGrids(style)[0]
					for p := range c.h * c.w {
						best, at := math.Inf(-1), 0
						for q := range cs.h * cs.w {
							if v := cosineOf(c.position(p), cs.position(q)); v > best {
								best, at = v, q
							}
						}
						held[l.name] = append(held[l.name], at)
					}
				}
				sum := 0.0
				for p, q := range held[l.name] {
					sum += 1 - cosineOf(few.position(p), style.position(q))
				}
				total += l.weight * sum / float64(few.h*few.w) * n.ob.unit
			}
			return total
		}
		checkBandSlopes(t, n, loss)
	})
}

// onGrid are the positions of a layer's features in an iteration.
func onGrid(n *refining, f grid, most, iteration, layer int) grid {
	step, h, w := gridStep(gpu.Shape{H: f.h, W: f.w, C: f.c}, most)
	g := n.grid(gpu.Shape{H: f.h, W: f.w}, gpu.Shape{H: h, W: w}, step, iteration, layer)
	out := newGrid(h, w, f.c)
	for y := range h {
		for x := range w {
			for c := range f.c {
				out.set(y, x, c, f.at(g.Y+y*g.Step, g.X+x*g.Step, c))
			}
		}
	}
	return out
}

// onBackends runs f on the processor and on the software device.
func onBackends(t *testing.T, f func(t *testing.T, env Env)) {
	t.Run("cpu", func(t *testing.T) { f(t, tinyEnv(2)) })
	t.Run("emu", func(t *testing.T) {
		env, _ := deviceEnv(t)
		f(t, env)
	})
}

// TestGridsCoverTheLayer: every position is on some grid, none is beyond.
func TestGridsCoverTheLayer(t *testing.T) {
	n := &refining{seed: 3}
	for _, f := range []gpu.Shape{{H: 1, W: 1, C: 8}, {H: 5, W: 3, C: 8}, {H: 33, W: 70, C: 8}, {H: 31, W: 65, C: 8}} {
		step, h, w := gridStep(f, 8)
		seen := make([]bool, f.Pixels())
		for it := range 4000 {
			g := n.grid(f, gpu.Shape{H: h, W: w}, step, it, 1)
			for y := range h {
				for x := range w {
					at := (g.Y+y*step)*f.W + g.X + x*step
					if g.Y+y*step >= f.H || g.X+x*step >= f.W {
						t.Fatalf("%v: the grid %+v ends beyond", f, g)
					}
					seen[at] = true
				}
			}
		}
		if slices.Contains(seen, false) {
			t.Errorf("%v: a position is on no grid", f)
		}
	}
}

// TestNeighboursAnyThreads: the same bytes for any number of threads, and from the
// options in the result.
func TestNeighboursAnyThreads(t *testing.T) {
	var first *Result
	for _, threads := range []int{1, 2, 3} {
		o := tinyNeighbours()
		if first != nil {
			o = first.Options
		}
		r, err := Art(context.Background(), tinyInputs(), o, tinyEnv(threads))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = r
			if r.Iterations != 4+3+3 || len(r.Plan.Scales) != 3 {
				t.Errorf("%d iterations at %v", r.Iterations, r.Plan.Scales)
			}
		}
		if !slices.Equal(r.Picture.Pix, first.Picture.Pix) {
			t.Errorf("%d threads paint another picture", threads)
		}
	}
}

// TestNeighboursResume: a run that is taken up ends in the same bytes, wherever it
// was stopped.
func TestNeighboursResume(t *testing.T) {
	o := tinyNeighbours()
	want, err := Art(context.Background(), tinyInputs(), o, tinyEnv(1))
	if err != nil {
		t.Fatal(err)
	}
	for at := 1; at <= 9; at++ { // of 4, 3 and 3 iterations
		env := tinyEnv(3)
		env.Resume = interrupted(t, o, at, filepath.Join(t.TempDir(), "run.checkpoint"))
		got, err := Art(context.Background(), tinyInputs(), o, env)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Picture.Pix, want.Picture.Pix) || got.Iterations != want.Iterations {
			t.Errorf("resumed after %d iterations, another picture came out", at)
		}
	}
}

// TestNeighboursOnDevices: a device paints the processor's picture, but for
// rounding, which the choice of a neighbour can magnify.
func TestNeighboursOnDevices(t *testing.T) {
	for _, p := range []gpu.Precision{gpu.Single, gpu.Half} {
		o := tinyNeighbours()
		o.Size, o.Scales, o.Iterations, o.Refine, o.StyleLayers = "16", 1, []int{2}, 1, o.StyleLayers[2:]
		want, err := Art(context.Background(), tinyInputs(), o, tinyEnv(2))
		if err != nil {
			t.Fatal(err)
		}
		env, _ := deviceEnvOf(t, p)
		got, err := Art(context.Background(), tinyInputs(), o, env)
		if err != nil {
			t.Fatal(err)
		}
		if e := testutil.RelL2(got.Picture.Pix, wide(want.Picture.Pix)); !(e < 0.01) {
			t.Errorf("%v: the device's picture differs by %g", p, e)
		}
	}
}

func TestNeighboursRefusals(t *testing.T) {
	for option, change := range map[string]func(*Options){
		"tile":            func(o *Options) { o.Tile = "64" },
		"content-weight":  func(o *Options) { o.ContentWeight = 1.5 },
		"style-weight":    func(o *Options) { o.StyleWeight = 0 },
		"optimizer":       func(o *Options) { o.Optimizer = OptimizerLBFGS },
		"temporal-weight": func(o *Options) { o.TemporalWeight = 1 },
		"style-weights":   func(o *Options) { o.StyleWeights = []float64{1} },
		"refine":          func(o *Options) { o.Refine = -1 },
		"method":          func(o *Options) { o.Method = "nearest" },
		"content-layers":  func(o *Options) { o.ContentLayers = []LayerWeight{{"relu2_1", 1}} },
		"color-space":     func(o *Options) { o.ColorSpace = "lab" },
	} {
		o := tinyNeighbours()
		change(&o)
		err := o.Validate()
		var problems Problems
		if !errors.As(err, &problems) || !slices.ContainsFunc(problems, func(e *OptionError) bool { return e.Option == option }) {
			t.Errorf("%s: %v", option, err)
		}
	}
	o := tinyNeighbours()
	o.Mode = ModeTexture
	if err := o.Validate(); err == nil {
		t.Error("a texture by nearest neighbours was taken")
	}
}

// wide is v in float64.
func wide(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, e := range v {
		out[i] = float64(e)
	}
	return out
}
