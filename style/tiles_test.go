package style

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/testutil"
	"github.com/impasto/impasto/vgg"
)

// deepNetwork has VGG19's layers down to relu5_1, with few channels.
func deepNetwork(t testing.TB) *vgg.Network {
	full, err := vgg.Random(5, "relu5_1")
	if err != nil {
		t.Fatal(err)
	}
	in := 3
	for i := range full.Layers {
		l := &full.Layers[i]
		out := 16
		w := make([]float32, 0, out*in*9)
		for k := range out {
			for c := range in {
				w = append(w, l.Weight[(k*l.In+c)*9:][:9]...)
			}
		}
		gain := math.Sqrt(float64(l.In) / float64(in)) // what He's rule would have given
		for j := range w {
			w[j] *= float32(gain)
		}
		l.Weight, l.Bias, l.In, l.Out = w, l.Bias[:out], in, out
		in = out
	}
	return full
}

// tiledCases are losses and layer sets, each with a size and tiles.
var tiledCases = []struct {
	name   string
	w, h   int
	tile   string
	styles int
	change func(*Options)
}{
	{"art", 203, 171, "64", 1, func(*Options) {}},
	{"art in large tiles", 203, 171, "128", 1, func(*Options) {}},
	{"strips", 150, 331, "150x64", 1, func(*Options) {}},
	{"columns", 331, 90, "64x90", 1, func(*Options) {}},
	{"one tile wide", 40, 400, "64", 1, func(*Options) {}},
	{"exact multiples", 192, 160, "96x80", 1, func(*Options) {}},
	{"one row left over", 129, 65, "64", 1, func(*Options) {}},
	{"max pooling, rounded up", 173, 203, "64", 1, func(o *Options) { o.Pooling, o.PoolRound = PoolMax, RoundCeil }},
	{"l2 pooling, scaled", 173, 155, "80x64", 1, func(o *Options) { o.Pooling, o.PoolScale = PoolL2, 1.5 }},
	{"w2", 203, 171, "64", 1, func(o *Options) { o.StyleLoss = LossW2 }},
	{"w2 of two", 203, 171, "96", 2, func(o *Options) { o.StyleLoss, o.StyleBlend = LossW2, BlendLosses }},
	{"two styles", 203, 171, "80", 2, func(o *Options) { o.StyleBlend, o.StyleWeights = BlendLosses, []float64{1, 3} }},
	{"paper's sums", 203, 171, "80", 1, func(o *Options) { o.LossScale = ScalePaper }},
	{"means", 203, 171, "80", 1, func(o *Options) { o.LossScale = ScaleMean }},
	{"content alone", 203, 171, "64", 1, func(o *Options) {
		o.StyleWeight, o.TVWeight = 0, 0
		o.ContentLayers = []LayerWeight{{"relu1_1", 1}, {"relu3_2", 0.5}, {"relu5_1", 2}}
	}},
	{"style alone", 203, 171, "64", 1, func(o *Options) {
		o.ContentWeight = 0
		o.StyleLayers = []LayerWeight{{"relu1_2", 1}, {"relu4_4", 0.3}}
	}},
	{"shallow", 90, 70, "64", 1, func(o *Options) {
		o.ContentLayers, o.StyleLayers = []LayerWeight{{"relu1_2", 1}}, []LayerWeight{{"relu1_1", 1}, {"relu2_1", 1}}
	}},
	{"replicated borders", 203, 171, "64", 1, func(o *Options) { o.Padding, o.Pooling = PadReplicate, PoolMax }},
}

// TestTilesGiveTheSameGradient: losses and gradient of a cut image are those of
// the whole one but for rounding. (Max pooling and rectifiers may turn over on
// the last bit; these pictures have no such ties.)
func TestTilesGiveTheSameGradient(t *testing.T) {
	n := deepNetwork(t)
	for _, c := range tiledCases {
		t.Run(c.name, func(t *testing.T) {
			o := DefaultOptions(ModeArt, "cpu", "vgg19")
			o.Scales = 1
			c.change(&o)
			x, content := noisePicture(c.w, c.h, 3), smoothPicture(c.w, c.h, 1)
			styles := []*picture.Picture{noisePicture(190, 130, 2), smoothPicture(90, 180, 4)}[:c.styles]
			whole := engineObjective(t, n, o, x, content, styles...)
			o.Tile = c.tile
			cut := engineObjective(t, n, o, x, content, styles...)
			if whole.t.cut() || !cut.t.cut() {
				t.Fatalf("%d and %d tiles", len(whole.t.tiles), len(cut.t.tiles))
			}
			want, got := whole.gradient(), cut.gradient()
			if e := testutil.RelL2(got, want); !(e <= 1e-5) {
				t.Errorf("the gradient is off by %.2g", e)
			}
			largest := 0.0
			for _, v := range want {
				largest = max(largest, math.Abs(float64(v)))
			}
			testutil.Close(t, "gradient", got, want, 2e-5*largest, 0)
			a, b := whole.report(whole.b.Status()), cut.report(cut.b.Status())
			tol := 1e-3 // a small difference of large sums
			if o.StyleLoss == LossW2 {
				tol = 1e-2 // and of traces of roots; plain code rounds them by 2e-3
			}
			for i := range a.Layers {
				near(t, fmt.Sprint(a.Layers[i].Term, " ", a.Layers[i].Layer), b.Layers[i].Loss, a.Layers[i].Loss, tol)
			}
			near(t, "tv", b.TV, a.TV, 1e-6)
		})
	}
}

// TestTilesCoverTheImage: own parts cover it, none twice; windows lie within
// it, begin at whole units and hold what own units see.
func TestTilesCoverTheImage(t *testing.T) {
	const step, halo = 16, 80
	for _, s := range []struct{ w, h, tw, th int }{{1, 1, 64, 64}, {640, 480, 64, 64}, {641, 479, 100, 130}, {65, 4000, 64, 640}, {17, 33, 16, 16}} {
		seen := make([]int, s.w*s.h)
		for _, tile := range tileRects(s.h, s.w, s.th, s.tw, step, halo) {
			o, w := tile.own, tile.window
			if o.h < 1 || o.w < 1 || o.h > s.th || o.w > s.tw || o.y%step+o.x%step+w.y%step+w.x%step != 0 {
				t.Fatalf("%+v: tile %+v", s, tile)
			}
			for y := o.y; y < o.y+o.h; y++ {
				for x := o.x; x < o.x+o.w; x++ {
					seen[y*s.w+x]++
				}
			}
			if w.y != max(0, o.y-halo) || w.y+w.h != min(s.h, o.y+o.h+halo) || w.x != max(0, o.x-halo) || w.x+w.w != min(s.w, o.x+o.w+halo) {
				t.Errorf("%+v: window %+v of %+v", s, w, o)
			}
		}
		for i, n := range seen {
			if n != 1 {
				t.Fatalf("%+v: pixel %d belongs to %d tiles", s, i, n)
			}
		}
	}
}

// TestTilesPaintTheSamePicture: after 20 iterations of L-BFGS, whose formulas
// make much of the last bits of a gradient, the pictures still differ by less
// than a level of 255 in the mean; after five anywhere.
func TestTilesPaintTheSamePicture(t *testing.T) {
	n, err := vgg.Mini()
	if err != nil {
		t.Fatal(err)
	}
	o, err := Preset("jj", ModeArt)
	if err != nil {
		t.Fatal(err)
	}
	paint := func(tile string, iterations int) *Result {
		o.Size, o.Init, o.Iterations, o.Tile = "content", InitContent, []int{iterations}, tile
		in := Inputs{Content: smoothPicture(203, 171, 1), Styles: []*picture.Picture{noisePicture(190, 130, 2)}}
		r, err := Art(context.Background(), in, o, Env{Backend: gpu.NewCPU(gpu.CPUOptions{}), Network: n})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, c := range []struct {
		iterations int
		mean, most float64 // levels of 255
	}{{5, 1, 1}, {20, 1, 255}} {
		whole, cut := paint("off", c.iterations), paint("64", c.iterations)
		if whole.Options.Tile != "" || cut.Options.Tile != "64" {
			t.Errorf("the results call their tiles %q and %q", whole.Options.Tile, cut.Options.Tile)
		}
		mean, most := 0.0, 0.0
		for i, v := range cut.Picture.Pix {
			d := 255 * math.Abs(float64(v-whole.Picture.Pix[i]))
			mean += d / float64(len(cut.Picture.Pix))
			most = max(most, d)
		}
		t.Logf("after %d iterations pixels differ by %.3g levels, at most %.3g", c.iterations, mean, most)
		if mean >= c.mean || most >= c.most {
			t.Errorf("after %d iterations pixels differ by %.3g levels, at most %.3g", c.iterations, mean, most)
		}
	}
}

// TestFeaturesComputedAnew: where memory does not allow to keep the photograph's
// features they are computed in each iteration, and every byte is the same.
func TestFeaturesComputedAnew(t *testing.T) {
	o := DefaultOptions(ModeArt, "cpu", "vgg19")
	o.Size, o.Iterations, o.Tile = "400", []int{3}, "64"
	o.ContentLayers = []LayerWeight{{"relu1_1", 1}, {"relu4_2", 1}}
	in := Inputs{Content: smoothPicture(203, 171, 1), Styles: []*picture.Picture{noisePicture(190, 130, 2)}}
	env := Env{Backend: gpu.NewCPU(gpu.CPUOptions{}), Network: deepNetwork(t)}
	kept, err := Art(context.Background(), in, o, env)
	if err != nil {
		t.Fatal(err)
	}
	env.MaxBytes = kept.Plan.PeakBytes - 1
	anew, err := Art(context.Background(), in, o, env)
	if err != nil {
		t.Fatal(err)
	}
	if kept.Plan.Recompute || !anew.Plan.Recompute || anew.Plan.PeakBytes >= kept.Plan.PeakBytes {
		t.Fatalf("plans of %d and %d bytes, recompute %v and %v", kept.Plan.PeakBytes, anew.Plan.PeakBytes, kept.Plan.Recompute, anew.Plan.Recompute)
	}
	if !slices.Equal(anew.Picture.Pix, kept.Picture.Pix) || anew.Losses.Total != kept.Losses.Total {
		t.Error("another picture comes out")
	}
}

// TestTilesReachFarEnough: with a halo one stride too narrow the test above
// would fail; so it tests something.
func TestTilesReachFarEnough(t *testing.T) {
	n := deepNetwork(t)
	for layer, want := range map[string]int{"relu1_1": 1, "relu1_2": 2, "relu2_1": 4, "relu3_1": 10, "relu3_4": 22, "relu4_1": 30, "relu4_2": 38, "relu5_1": 70} {
		if reach, _, err := n.Reach(layer); err != nil || reach != want {
			t.Errorf("%s reaches %d, want %d (%v)", layer, reach, want, err)
		}
	}
	o := DefaultOptions(ModeArt, "cpu", "vgg19")
	o.Scales, o.Tile = 1, "64"
	x := noisePicture(203, 171, 3)
	whole := engineObjective(t, n, o, x, smoothPicture(203, 171, 1), noisePicture(190, 130, 2))
	ob := engineObjective(t, n, o, x, smoothPicture(203, 171, 1), noisePicture(190, 130, 2))
	good := testutil.RelL2(ob.gradient(), whole.gradient())
	for i := range ob.t.tiles { // windows that end 16 pixels early
		narrow := tileRects(171, 203, 64, 64, 16, 64)
		ob.t.tiles[i].window = narrow[i].window
	}
	passes, err := n.NewPasses(ob.b, windowShapes(ob.t.tiles), o.passOptions(true))
	if err != nil {
		t.Fatal(err)
	}
	for i := range ob.t.tiles {
		for j, s := range windowShapes(ob.t.tiles) {
			if ob.t.tiles[i].window.h == s.H && ob.t.tiles[i].window.w == s.W {
				ob.t.tiles[i].pass = passes[j]
			}
		}
	}
	ob.evaluate()
	if bad := testutil.RelL2(ob.gradient(), whole.gradient()); !(bad > 10*good) || !(bad > 1e-5) {
		t.Errorf("off by %.2g with too narrow a halo, %.2g with the right one", bad, good)
	}
}

// TestTilesOnADevice: a device paints in tiles what the processor paints whole.
func TestTilesOnADevice(t *testing.T) {
	o := tinyOptions(ModeArt)
	o.Size, o.Scales, o.Iterations, o.StyleLoss = "68", 1, []int{1}, LossW2
	o.StyleLayers, o.ContentLayers = o.StyleLayers[:1], []LayerWeight{{"relu1_2", 1}}
	whole, err := Art(context.Background(), tinyInputs(), o, tinyEnv(2))
	if err != nil {
		t.Fatal(err)
	}
	o.Tile = "64"
	env, _ := deviceEnv(t)
	cut, err := Art(context.Background(), tinyInputs(), o, env)
	if err != nil {
		t.Fatal(err)
	}
	if cut.Plan.Tile == (TileSize{}) {
		t.Fatal("the picture was not cut")
	}
	near(t, "loss", cut.Losses.Total, whole.Losses.Total, 1e-4)
	if p := psnr(cut.Picture.Pix, whole.Picture.Pix); !(p >= 60) {
		t.Errorf("the pictures differ by %.1f dB", p)
	}
}
