package style

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// rolled is a picture moved down and to the right, what leaves it on one side
// coming in on the other.
func rolled(p *Picture, dy, dx int) *Picture {
	out := &Picture{W: p.W, H: p.H, Pix: make([]float32, len(p.Pix))}
	for y := range p.H {
		for x := range p.W {
			to := ((y+dy)%p.H*p.W + (x+dx)%p.W) * 3
			copy(out.Pix[to:to+3], p.Pix[(y*p.W+x)*3:][:3])
		}
	}
	return out
}

// textureObjective sets up one scale of a texture and evaluates it at x.
func textureObjective(t *testing.T, o Options, x *Picture, styles ...*Picture) (*run, *objective) {
	return textureObjectiveOf(t, tinyEnv(1), 0, o, x, styles...)
}

// textureObjectiveOf sees that much more than the usual margin.
func textureObjectiveOf(t *testing.T, env Env, more int, o Options, x *Picture, styles ...*Picture) (*run, *objective) {
	t.Helper()
	o.Size, o.Scales = "content", 1
	plan, err := NewPlan(x.W, x.H, o, env)
	if err != nil {
		t.Fatal(err)
	}
	r := newRun(Inputs{Styles: styles}, plan, env)
	w, h := plan.Options.seen(env.Network, x.W, x.H)
	tiles, err := plan.Options.newTiling(env.Backend, env.Network, h+2*more, w+2*more, plan.Cut, true)
	if err != nil {
		t.Fatal(err)
	}
	ob := newObjective(env.Backend, plan.Options, tiles, env.Backend.NewArray(gpu.Shape{H: x.H, W: x.W, C: 3}))
	ob.styleLayers = r.crowding(x.W, x.H)
	paintings, err := r.measureStyles(r.o.side(x.W, x.H), plan.Cut)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.setTargets(ob, nil, paintings, false); err != nil {
		t.Fatal(err)
	}
	env.Backend.Upload(ob.canvas(), r.px.fromPicture(x))
	env.Backend.ResetStatus()
	ob.evaluate()
	return r, ob
}

func (ob *objective) slopeValues() []float32 {
	v := make([]float32, ob.slope().Shape.Len())
	ob.b.Download(v, ob.slope())
	return v
}

// TestTileableHasNoBorders: wherever the image is cut open, its losses and their
// gradient are the same, to rounding where the margin is as wide as the network
// looks. Moves are by whole units of the deepest layer.
func TestTileableHasNoBorders(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"l2": func(*Options) {}, "l1": func(o *Options) { o.TV = TVL1 }, "1.25": func(o *Options) { o.TV = TVPower },
		"inner": func(o *Options) { o.TV = TVInner }, "gram": func(o *Options) { o.StyleLoss = LossGram },
		"adam": func(o *Options) { o.Optimizer = OptimizerAdam },
	} {
		t.Run(name, func(t *testing.T) {
			o := tinyOptions(ModeTexture)
			change(&o)
			x, style := noisePicture(40, 32, 3), noisePicture(44, 36, 2)
			const more = 16
			_, ob := textureObjectiveOf(t, tinyEnv(1), more, o, x, style)
			_, moved := textureObjectiveOf(t, tinyEnv(1), more, o, rolled(x, 12, 20), style)
			a, b := ob.report(ob.b.Status()), moved.report(moved.b.Status())
			near(t, "style", b.Style, a.Style, 1e-5)
			near(t, "tv", b.TV, a.TV, 1e-5)
			want, got := ob.slopeValues(), moved.slopeValues()
			off, size := 0.0, 0.0
			for y := range x.H {
				for i := range x.W * 3 {
					w := want[y*x.W*3+i]
					g := got[(y+12)%x.H*x.W*3+(i+20*3)%(x.W*3)]
					off += float64(w-g) * float64(w-g)
					size += float64(w) * float64(w)
				}
			}
			if r := math.Sqrt(off / size); r > 1e-4 {
				t.Errorf("the gradient depends on where the image is cut open, by %.2g", r)
			}
			if v := moved.b.Status().Loss[spareSlot]; v != 0 {
				t.Errorf("the spare slot holds %g", v)
			}
		})
	}
}

// TestTileableGradient compares the gradient with finite differences of the loss
// itself, across all edges.
func TestTileableGradient(t *testing.T) {
	o := tinyOptions(ModeTexture)
	o.Pooling, o.StyleLoss = vgg.PoolAvg, LossGram // whose sums lose no digits, as variances do
	x, style := noisePicture(21, 17, 3), noisePicture(44, 36, 2)
	env := tinyEnv(1)
	for i := range env.Network.Layers { // features above zero have no kinks
		for j := range env.Network.Layers[i].Bias {
			env.Network.Layers[i].Bias[j] += 6
		}
	}
	r, ob := textureObjectiveOf(t, env, 0, o, x, style)
	g, at := ob.slopeValues(), r.px.fromPicture(x)
	loss := func(v []float32) float64 {
		ob.b.Upload(ob.canvas(), v)
		ob.evaluate()
		return ob.report(ob.b.Status()).Total
	}
	rng := rand.New(rand.NewPCG(5, 5))
	for range 4 {
		direction, got, size := make([]float64, len(g)), 0.0, 0.0
		for i := range direction {
			direction[i] = rng.NormFloat64()
			got += direction[i] * float64(g[i]) / ob.unit
			size += float64(g[i]) * float64(g[i])
		}
		const step = 0.05
		moved := func(step float64) []float32 {
			v := slices.Clone(at)
			for i, d := range direction {
				v[i] += float32(step * d)
			}
			return v
		}
		want := (loss(moved(step)) - loss(moved(-step))) / (2 * step)
		if length := math.Sqrt(size) / ob.unit; math.Abs(got-want) > 5e-3*length {
			t.Errorf("directional derivative is %.9g, want %.9g (gradient %.3g)", got, want, length)
		}
	}
}

// TestTileableSmoothness adds the total variation up by hand, on a picture one
// pixel high too.
func TestTileableSmoothness(t *testing.T) {
	for _, size := range [][2]int{{9, 7}, {1, 5}, {5, 1}, {1, 1}} {
		w, h := size[0], size[1]
		b := gpu.NewCPU(gpu.CPUOptions{Threads: 1})
		s := gpu.Shape{H: h, W: w, C: 3}
		ob := &objective{b: b, o: Options{Mode: ModeTexture}, t: &tiling{shape: gpu.Shape{H: h + 4, W: w + 4, C: 3}}, x: b.NewArray(s), g: b.NewArray(s)}
		ob.o.TVWeight = 1
		ob.newTorus()
		ob.tv, ob.tvCoef, ob.tvSlot = gpu.TVL2, 0.5, 3
		v := make([]float32, s.Len())
		rng := rand.New(rand.NewPCG(3, 3))
		for i := range v {
			v[i] = float32(rng.IntN(64))
		}
		b.Upload(ob.canvas(), v)
		ob.smoothness(ob.torus)
		at := func(y, x, c int) float64 { return float64(v[((y+h)%h*w+(x+w)%w)*3+c]) }
		want, slope := 0.0, make([]float64, len(v))
		for y := range h {
			for x := range w {
				for c := range 3 {
					dx, dy := at(y, x+1, c)-at(y, x, c), at(y+1, x, c)-at(y, x, c)
					want += 0.5 * (dx*dx + dy*dy)
					slope[(y*w+x)*3+c] = 2 * 0.5 * (4*at(y, x, c) - at(y, x-1, c) - at(y, x+1, c) - at(y-1, x, c) - at(y+1, x, c))
				}
			}
		}
		near(t, "tv", b.Loss(3), want, 1e-6)
		for i, g := range ob.slopeValues() {
			if math.Abs(float64(g)-slope[i]) > 1e-3 {
				t.Fatalf("%dx%d: slope %d is %g, want %g", w, h, i, g, slope[i])
			}
		}
	}
}

// TestTileableSeam paints a texture: across its edges neighbours differ no more
// than inside.
func TestTileableSeam(t *testing.T) {
	seam := func(tileable bool) float64 {
		o := tinyOptions(ModeTexture)
		o.Size, o.Tileable, o.Iterations = "72x56", tileable, []int{25, 15}
		r, err := Texture(context.Background(), Inputs{Styles: []*Picture{smoothPicture(90, 70, 2)}}, o, tinyEnv(2))
		if err != nil {
			t.Fatal(err)
		}
		p := r.Picture
		at := func(y, x int) []float32 { return p.Pix[(y%p.H*p.W+x%p.W)*3:][:3] }
		square := func(a, b []float32) (s float64) {
			for c := range a {
				s += float64(a[c]-b[c]) * float64(a[c]-b[c])
			}
			return s
		}
		across, inside := 0.0, 0.0
		for y := range p.H {
			for x := range p.W {
				right, below := square(at(y, x), at(y, x+1)), square(at(y, x), at(y+1, x))
				if x == p.W-1 {
					across += right / float64(p.H)
				} else {
					inside += right / float64(p.H*(p.W-1))
				}
				if y == p.H-1 {
					across += below / float64(p.W)
				} else {
					inside += below / float64(p.W*(p.H-1))
				}
			}
		}
		return across / inside
	}
	tileable, plain := seam(true), seam(false)
	t.Logf("squared differences across the edges, over those inside: %.2f, and %.2f of a texture with edges", tileable, plain)
	if tileable > 1.3 || plain < 2 {
		t.Errorf("across the edges neighbours differ %.2f times as much as inside, in a texture with edges %.2f", tileable, plain)
	}
}

// TestTileableInTiles: tiles see what the whole sees, but for the order of sums.
func TestTileableInTiles(t *testing.T) {
	o := tinyOptions(ModeTexture)
	x, style := noisePicture(150, 131, 3), noisePicture(144, 136, 2)
	_, whole := textureObjective(t, o, x, style)
	o.Tile = "64"
	_, cut := textureObjective(t, o, x, style)
	if whole.t.cut() || !cut.t.cut() {
		t.Fatal("cut or not cut")
	}
	near(t, "loss", cut.report(cut.b.Status()).Total, whole.report(whole.b.Status()).Total, 1e-6)
	a, b := cut.slopeValues(), whole.slopeValues()
	for i := range a {
		if d := math.Abs(float64(a[i] - b[i])); d > 1e-3*math.Abs(float64(b[i]))+1e-2 {
			t.Fatalf("value %d of the gradient is %g, whole %g", i, a[i], b[i])
		}
	}
}

// TestCrowding: layers with few positions for their channels weigh less, those
// with enough as they are told to.
func TestCrowding(t *testing.T) {
	o := tinyOptions(ModeTexture)
	o.LayerPositions = 8
	r, _ := textureObjective(t, o, noisePicture(40, 32, 3), noisePicture(44, 36, 2))
	n := r.env.Network
	for i, l := range r.crowding(40, 32) {
		depth, _ := n.Depth(l.Layer)
		// The painting is 40 pixels long beside the canvas, so both have as many.
		positions := (40 >> i) * (32 >> i)
		want := min(1, float64(positions)/float64(8*n.Layers[depth-1].Out))
		if math.Abs(l.Weight-want) > 0.05*want {
			t.Errorf("%s weighs %g, want about %g", l.Layer, l.Weight, want)
		}
	}
	r.o.LayerPositions = 0
	for _, l := range r.crowding(40, 32) {
		if l.Weight != 1 {
			t.Errorf("%s weighs %g", l.Layer, l.Weight)
		}
	}
}

func TestOnlyTexturesAreTileable(t *testing.T) {
	o := tinyOptions(ModeArt)
	o.Tileable = true
	if err := o.Validate("relu1_1", "relu2_1", "relu3_1"); err == nil {
		t.Error("a tileable photograph was taken")
	}
	o = tinyOptions(ModeTexture)
	o.TV = TVStencil
	if err := o.Validate("relu1_1", "relu2_1", "relu3_1"); err == nil {
		t.Error("a tileable stencil was taken")
	}
}
