package style

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/gpu"
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
	{"max pooling, rounded up", 173, 203, "64", 1, func(o *Options) { o.Pooling, o.PoolRound = vgg.PoolMax, RoundCeil }},
	{"l2 pooling, scaled", 173, 155, "80x64", 1, func(o *Options) { o.Pooling, o.PoolScale = vgg.PoolL2, 1.5 }},
	{"w2", 203, 171, "64", 1, func(o *Options) { o.StyleLoss = LossW2 }},
	{"w2 of two", 203, 171, "96", 2, func(o *Options) { o.StyleLoss, o.StyleBlend = LossW2, BlendLosses }},
	{"gram", 203, 171, "64", 1, func(o *Options) { o.StyleLoss = LossGram }},
	{"covariance of two", 203, 171, "96", 2, func(o *Options) { o.StyleLoss, o.StyleBlend = LossCovariance, BlendLosses }},
	{"moments", 203, 171, "64", 1, func(o *Options) { o.StyleLoss = LossMoments }},
	{"sliced", 203, 171, "64", 1, func(o *Options) { o.StyleLoss = LossSliced }},
	{"sliced, of two, at many layers", 203, 171, "80x64", 2, func(o *Options) { o.UseStyleLoss(LossSliced, "vgg19") }},
	{"self-similarity", 203, 171, "64", 1, func(o *Options) { o.ContentLoss = ContentSelfSim }},
	{"self-similarity at two layers", 203, 171, "80x64", 1, func(o *Options) {
		o.ContentLoss, o.ContentLayers = ContentSelfSim, []LayerWeight{{"relu2_1", 1}, {"relu4_1", 2}}
	}},
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
	{"replicated borders", 203, 171, "64", 1, func(o *Options) { o.Padding, o.Pooling = PadReplicate, vgg.PoolMax }},
}

// TestTilesGiveTheSameGradient: losses and gradient of a cut image are those of
// the whole one to the last bit, whatever the plan thinks the best stages.
func TestTilesGiveTheSameGradient(t *testing.T) {
	n := deepNetwork(t)
	for _, c := range tiledCases {
		t.Run(c.name, func(t *testing.T) {
			o := DefaultOptions(ModeArt, "cpu", "vgg19")
			o.Scales = 1
			c.change(&o)
			x, content := noisePicture(c.w, c.h, 3), smoothPicture(c.w, c.h, 1)
			styles := []*Picture{noisePicture(190, 130, 2), smoothPicture(90, 180, 4)}[:c.styles]
			whole := engineObjective(t, n, o, x, content, styles...)
			o.Tile = c.tile
			cut := engineObjective(t, n, o, x, content, styles...)
			if whole.t.cut() || !cut.t.stages[0].cut() {
				t.Fatalf("%d and %d tiles", len(whole.t.stages[0].tiles), len(cut.t.stages[0].tiles))
			}
			sameGradient(t, "planned", cut, whole)
		})
	}
}

// sameGradient compares gradients and losses to the last bit, and looks
// for what the optimiser would count beside them.
func sameGradient(t *testing.T, what string, got, want *objective) {
	t.Helper()
	a, b := got.gradient(), want.gradient()
	off := 0
	for i := range a {
		if a[i] != b[i] {
			off++
		}
	}
	if off > 0 {
		t.Errorf("%s: %d of %d values of the gradient differ, relatively by %.2g", what, off, len(a), testutil.RelL2(a, b))
	}
	status := got.b.Status()
	l, m := got.report(status), want.report(want.b.Status())
	if v := status.Loss[spareSlot]; v != 0 {
		t.Errorf("%s: the spare slot holds %g, which the optimiser takes for a loss", what, v)
	}
	for i := range m.Layers {
		if got, want := l.Layers[i].Loss, m.Layers[i].Loss; got != want {
			t.Errorf("%s: %s %s is %.17g, want %.17g", what, m.Layers[i].Term, m.Layers[i].Layer, got, want)
		}
	}
	if l.TV != m.TV {
		t.Errorf("%s: tv is %.17g, want %.17g", what, l.TV, m.TV)
	}
}

// TestStagesGiveTheSameGradient: any stages, and any tiles of each.
func TestStagesGiveTheSameGradient(t *testing.T) {
	n := deepNetwork(t)
	o := DefaultOptions(ModeArt, "cpu", "vgg19")
	o.Scales, o.Size = 1, "content"
	o.ContentLayers = []LayerWeight{{"relu2_2", 1}, {"relu4_2", 1}}
	o.StyleLayers = []LayerWeight{{"relu1_2", 1}, {"relu2_1", 1}, {"relu3_4", 1}, {"relu4_1", 1}, {"relu5_1", 1}}
	const w, h = 611, 283
	x, content, painting := noisePicture(w, h, 3), smoothPicture(w, h, 1), noisePicture(301, 190, 2)
	small := TileSize{W: 64, H: 64}
	for _, pool := range []struct {
		kind  vgg.Pool
		round Rounding
	}{{vgg.PoolMax, RoundFloor}, {vgg.PoolAvg, RoundCeil}, {vgg.PoolL2, RoundCeil}} {
		o.Pooling, o.PoolRound = pool.kind, pool.round
		env := Env{Backend: gpu.NewCPU(gpu.CPUOptions{}), Network: n}
		plan, err := NewPlan(w, h, o, env)
		if err != nil {
			t.Fatal(err)
		}
		whole := objectiveOf(t, env, plan, x, content, painting)
		for _, c := range []Cut{
			{Ends: []int{1, 2, 3, 4}},
			{Ends: []int{1, 2, 3, 4}, Tiles: []TileSize{small, small, small, small, small}},
			{Ends: []int{2}, Tiles: []TileSize{{W: w, H: 64}, {}}},
			{Ends: []int{3}, Tiles: []TileSize{small, {W: 256, H: 256}}},
			{Tiles: []TileSize{{W: 256, H: 256}}},
			{Ends: []int{4}, Tiles: []TileSize{{W: 300, H: 128}, {}}},
		} {
			if pool.kind != vgg.PoolMax && len(c.Ends) != 1 {
				continue
			}
			plan.Cut = c
			// A backend keeps the status of one objective.
			cutEnv := Env{Backend: gpu.NewCPU(gpu.CPUOptions{}), Network: n}
			sameGradient(t, fmt.Sprint(pool, c), objectiveOf(t, cutEnv, plan, x, content, painting), whole)
			if pool.kind == vgg.PoolAvg { // maxima and roots turn over on a last bit
				plan.Cut.Near = true
				cutEnv.Backend = gpu.NewCPU(gpu.CPUOptions{})
				near := objectiveOf(t, cutEnv, plan, x, content, painting)
				if e := testutil.RelL2(near.gradient(), whole.gradient()); !(e <= 1e-5) {
					t.Errorf("%v with near halos: the gradient is off by %.2g", c, e)
				}
			}
		}
	}
}

// TestTilesCoverTheImage: own parts cover it, none twice; windows lie within
// it, begin at whole units and hold what own units see.
func TestTilesCoverTheImage(t *testing.T) {
	const step, halo = 16, 80
	for _, s := range []struct{ w, h, tw, th int }{{1, 1, 64, 64}, {640, 480, 64, 64}, {641, 479, 100, 130}, {65, 4000, 64, 640}, {17, 33, 16, 16}} {
		seen := make([]int, s.w*s.h)
		for _, tile := range tileRects(s.h, s.w, s.th, s.tw, step, 32, halo) {
			o, w := tile.own, tile.window
			if o.H < 1 || o.W < 1 || o.H > s.th || o.W > s.tw || o.Y%step+o.X%step+w.Y%step+w.X%step != 0 {
				t.Fatalf("%+v: tile %+v", s, tile)
			}
			for y := o.Y; y < o.Y+o.H; y++ {
				for x := o.X; x < o.X+o.W; x++ {
					seen[y*s.w+x]++
				}
			}
			if w.Y != max(0, o.Y-halo) || w.Y+w.H != min(s.h, o.Y+o.H+halo) || w.X != max(0, o.X-halo) || w.X+w.W != min(s.w, o.X+o.W+halo) {
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

// TestTilesPaintTheSamePicture: every iteration starts from the same bits, so
// after twenty of L-BFGS the pictures are the same byte for byte, also where the
// line search shortens steps by the difference of two losses.
func TestTilesPaintTheSamePicture(t *testing.T) {
	n, err := vgg.Load(context.Background(), "mini:1", vgg.LoadOptions{}) // the smaller edition
	if err != nil {
		t.Fatal(err)
	}
	jj, err := Preset("jj", ModeArt)
	if err != nil {
		t.Fatal(err)
	}
	ours := DefaultOptions(ModeArt, "cpu", "mini")
	replicated := ours
	replicated.Padding = PadReplicate
	gram := replicated
	gram.StyleLoss = LossGram
	for _, c := range []struct {
		name string
		o    Options
	}{{"jj", jj}, {"default", ours}, {"replicated borders", replicated}, {"gram, replicated borders", gram}} {
		o := c.o
		paint := func(tile string) *Result {
			o.Size, o.Init, o.Scales, o.Iterations, o.Tile = "content", InitContent, 1, []int{20}, tile
			in := Inputs{Content: smoothPicture(203, 171, 1), Styles: []*Picture{noisePicture(190, 130, 2)}}
			r, err := Art(context.Background(), in, o, Env{Backend: gpu.NewCPU(gpu.CPUOptions{}), Network: n})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		whole, cut := paint("off"), paint("64")
		if whole.Options.Tile != "" || cut.Options.Tile != "64" {
			t.Errorf("the results call their tiles %q and %q", whole.Options.Tile, cut.Options.Tile)
		}
		if !slices.Equal(whole.Picture.Pix, cut.Picture.Pix) {
			t.Errorf("%s: the pictures differ, by %.1f dB", c.name, psnr(cut.Picture.Pix, whole.Picture.Pix))
		}
	}
}

// TestFeaturesComputedAnew: where memory does not allow to keep the photograph's
// features they are computed in each iteration, and every byte is the same.
func TestFeaturesComputedAnew(t *testing.T) {
	o := DefaultOptions(ModeArt, "cpu", "vgg19")
	o.Scales, o.Size = 1, "content"
	o.ContentLayers = []LayerWeight{{"relu1_1", 1}, {"relu3_2", 1}}
	const w, h = 283, 351
	env := Env{Backend: gpu.NewCPU(gpu.CPUOptions{}), Network: deepNetwork(t)}
	plan, err := NewPlan(w, h, o, env)
	if err != nil {
		t.Fatal(err)
	}
	x, content, painting := noisePicture(w, h, 3), smoothPicture(w, h, 1), noisePicture(190, 130, 2)
	whole := objectiveOf(t, env, plan, x, content, painting)
	plan.Cut = Cut{Ends: []int{3}, Tiles: []TileSize{{W: 128, H: 64}}}
	plan.Recompute = true
	env.Backend = gpu.NewCPU(gpu.CPUOptions{})
	sameGradient(t, "anew", objectiveOf(t, env, plan, x, content, painting), whole)
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
	o.Scales, o.Size = 1, "content"
	env := Env{Backend: gpu.NewCPU(gpu.CPUOptions{}), Network: n}
	const w, h = 303, 611
	plan, err := NewPlan(w, h, o, env)
	if err != nil {
		t.Fatal(err)
	}
	x := noisePicture(w, h, 3)
	whole := objectiveOf(t, env, plan, x, smoothPicture(w, h, 1), noisePicture(190, 130, 2))
	plan.Cut.Tiles = []TileSize{{W: w, H: 256}}
	ob := objectiveOf(t, env, plan, x, smoothPicture(w, h, 1), noisePicture(190, 130, 2))
	// relu5_1 sees 70 pixels, and what it sees must be right for the way back.
	s := &ob.t.stages[0]
	for i, tile := range tileRects(h, w, 256, w, 256, 80, 80) {
		s.tiles[i].ahead, s.tiles[i].window = tile.ahead, tile.window
	}
	if ob.t.passes, err = n.NewPasses(ob.b, s.windows(), o.passOptions(true)); err != nil {
		t.Fatal(err)
	}
	ob.t.setPasses(s.windows())
	ob.evaluate()
	if bad := testutil.RelL2(ob.gradient(), whole.gradient()); !(bad > 1e-5) {
		t.Errorf("off by %.2g with too narrow a halo", bad)
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

// TestPatchesInTiles: features are gathered by tiles, matched all together, and
// their gradient goes back by tiles: same matches, same picture.
func TestPatchesInTiles(t *testing.T) {
	env := Env{Network: deepNetwork(t)}
	photo, painting := smoothPicture(283, 211, 1), noisePicture(190, 150, 2)
	guide := Guide{Canvas: randomMap(283, 211, 2, 1), Styles: []*Map{randomMap(190, 150, 2, 2)}}
	for name, c := range map[string]struct {
		mode   Mode
		paint  func(context.Context, Inputs, Options, Env) (*Result, error)
		in     Inputs
		change func(*Options)
	}{
		"patch":   {ModePatch, Patch, Inputs{Content: photo, Styles: []*Picture{painting}}, func(o *Options) {}},
		"doodle":  {ModeDoodle, Doodle, Inputs{Content: photo, Styles: []*Picture{painting}, Guides: []Guide{guide}}, func(o *Options) { o.Variety = 0.2 }},
		"analogy": {ModeAnalogy, Analogy, Inputs{A: smoothPicture(190, 150, 5), B: photo, Styles: []*Picture{painting}}, func(o *Options) { o.PatchWeight = 0.5 }},
		"all": {ModePatch, Patch, Inputs{Content: photo, Styles: []*Picture{painting}}, func(o *Options) {
			o.StyleWeight, o.StyleLayers = 1, []LayerWeight{{"relu3_1", 1}}
			o.ContentWeight, o.ContentLayers = 1, []LayerWeight{{"relu3_1", 1}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			paint := func(tile string) *Result {
				o := DefaultOptions(c.mode, "cpu", "vgg19")
				c.change(&o)
				o.Size, o.Scales, o.Iterations, o.Tile = "content", 2, []int{2, 4}, tile
				o.PatchLayers = []LayerWeight{{"relu3_1", 1}, {"relu4_1", 1}}
				env.Backend = gpu.NewCPU(gpu.CPUOptions{})
				r, err := c.paint(context.Background(), c.in, o, env)
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			whole, cut := paint("off"), paint("64")
			if cut.Plan.Tile == (TileSize{}) {
				t.Fatal("the picture was not cut")
			}
			for i, p := range whole.Patches {
				if !slices.Equal(p.Index, cut.Patches[i].Index) {
					t.Errorf("%s: other patches were matched", p.Layer)
				}
			}
			if !slices.Equal(whole.Picture.Pix, cut.Picture.Pix) {
				t.Errorf("the pictures differ, by %.1f dB", psnr(cut.Picture.Pix, whole.Picture.Pix))
			}
		})
	}
}

// shortBackend counts elements only so far, as a device does.
type shortBackend struct {
	gpu.Backend
	most int
}

func (b shortBackend) MaxLen() int { return b.most }

// TestPlanCutsWhatCannotBeCounted: with memory for all, a backend that cannot
// count an activation's elements computes it in tiles.
func TestPlanCutsWhatCannotBeCounted(t *testing.T) {
	n, err := vgg.Random(5, "relu5_1")
	if err != nil {
		t.Fatal(err)
	}
	o := DefaultOptions(ModeArt, "cpu", "vgg19")
	o.Scales, o.Size = 1, "2000x1700"
	cpu := gpu.NewCPU(gpu.CPUOptions{})
	for _, most := range []int{2000 * 1700 * 64, 2000*1700*64 - 1, 2000 * 1700 * 12} {
		b := shortBackend{cpu, most}
		plan, err := NewPlan(2000, 1700, o, Env{Backend: b, Network: n})
		if err != nil {
			t.Fatal(err)
		}
		if whole := plan.Cut.Tiles == nil; whole != (most >= 2000*1700*64) {
			t.Errorf("%d elements: the cut is %v", most, plan.Cut)
		}
		stages, err := o.layout(b, n, 1700, 2000, plan.Cut, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range stages[0].windows() {
			if w.H*w.W*64 > most {
				t.Errorf("%d elements: a window of %dx%d", most, w.W, w.H)
			}
		}
	}
}

// TestPlanRefusesWhatCannotBeCounted: untiled by request, the fault is told while
// planning, with the numbers and what to try.
func TestPlanRefusesWhatCannotBeCounted(t *testing.T) {
	n, err := vgg.Random(5, "relu5_1")
	if err != nil {
		t.Fatal(err)
	}
	o := DefaultOptions(ModeArt, "cpu", "vgg19")
	o.Size, o.Tile = "2000x1700", "off"
	b := shortBackend{gpu.NewCPU(gpu.CPUOptions{}), 2000*1700*64 - 1}
	_, err = NewPlan(2000, 1700, o, Env{Backend: b, Network: n})
	var fault *OptionError
	if !errors.As(err, &fault) || fault.Option != "tile" || len(fault.Try) == 0 ||
		!strings.Contains(fault.Reason, "217600000") || !strings.Contains(fault.Reason, "217599999") {
		t.Errorf("%v", err)
	}
	b.most++
	if _, err := NewPlan(2000, 1700, o, Env{Backend: b, Network: n}); err != nil {
		t.Errorf("what can be counted: %v", err)
	}
}

// TestTilesOnSeveralBackends: each computes some of the tiles; the picture is that
// of one, whether they are of the processor or devices.
func TestTilesOnSeveralBackends(t *testing.T) {
	n := deepNetwork(t)
	cpus := func(count int) (list []gpu.Backend) {
		for range count {
			list = append(list, gpu.NewCPU(gpu.CPUOptions{Threads: 1}))
		}
		return list
	}
	paint := func(in Inputs, o Options, env Env) *Result {
		t.Helper()
		if o.Mode == ModePatch {
			r, err := Patch(context.Background(), in, o, env)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		r, err := Art(context.Background(), in, o, env)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for name, c := range map[string]struct {
		mode   Mode
		change func(*Options)
	}{
		"gram":       {ModeArt, func(o *Options) { o.StyleLoss = LossGram }},
		"w2":         {ModeArt, func(o *Options) { o.StyleLoss = LossW2 }},
		"covariance": {ModeArt, func(o *Options) { o.StyleLoss = LossCovariance }},
		"moments":    {ModeArt, func(o *Options) { o.StyleLoss = LossMoments }},
		"sliced":     {ModeArt, func(o *Options) { o.StyleLoss = LossSliced }},
		"selfsim":    {ModeArt, func(o *Options) { o.ContentLoss = ContentSelfSim }},
		"patch":      {ModePatch, func(o *Options) { o.PatchLayers = []LayerWeight{{"relu3_1", 1}} }},
	} {
		o := DefaultOptions(c.mode, "cpu", "vgg19")
		o.Size, o.Scales, o.Iterations, o.Tile = "content", 1, []int{4}, "64"
		c.change(&o)
		in := Inputs{Content: smoothPicture(203, 171, 1), Styles: []*Picture{noisePicture(190, 130, 2)}}
		one := paint(in, o, Env{Backend: cpus(1)[0], Network: n})
		for _, others := range []int{1, 2} {
			several := paint(in, o, Env{Backend: cpus(1)[0], Others: cpus(others), Network: n})
			if !slices.Equal(one.Picture.Pix, several.Picture.Pix) {
				t.Errorf("%s: %d backends paint another picture than one, by %.1f dB", name, others+1, psnr(several.Picture.Pix, one.Picture.Pix))
			}
			near(t, name+": loss", several.Losses.Total, one.Losses.Total, 1e-12)
		}
	}
}

// TestTilesOnSeveralDevices: two devices paint the bytes of one.
func TestTilesOnSeveralDevices(t *testing.T) {
	o := tinyOptions(ModeArt)
	o.Size, o.Scales, o.Iterations, o.Tile = "80", 1, []int{2}, "64"
	o.StyleLayers, o.ContentLayers = o.StyleLayers[:1], []LayerWeight{{"relu1_2", 1}}
	env, _ := deviceEnv(t)
	one, err := Art(context.Background(), tinyInputs(), o, env)
	if err != nil {
		t.Fatal(err)
	}
	env, _ = deviceEnv(t)
	second, _ := deviceEnv(t)
	env.Others = []gpu.Backend{second.Backend}
	two, err := Art(context.Background(), tinyInputs(), o, env)
	if err != nil {
		t.Fatal(err)
	}
	if len(two.Plan.Cut.Tiles) == 0 {
		t.Fatal("the picture was not cut")
	}
	if !slices.Equal(one.Picture.Pix, two.Picture.Pix) {
		t.Errorf("two devices paint another picture than one, by %.1f dB", psnr(two.Picture.Pix, one.Picture.Pix))
	}
}

// TestNearCutsAreRecorded: a cut that rounds by itself is recorded in full, and
// what is recorded paints the same bytes, whatever memory there is.
func TestNearCutsAreRecorded(t *testing.T) {
	n := deepNetwork(t)
	o := DefaultOptions(ModeArt, "cpu", "vgg19")
	o.Size, o.Scales, o.Iterations, o.Tile = "content", 2, []int{1, 3}, "~300x64/3:off"
	in := Inputs{Content: smoothPicture(303, 271, 1), Styles: []*Picture{noisePicture(190, 130, 2)}}
	paint := func(o Options, limit int64) *Result {
		t.Helper()
		r, err := Art(context.Background(), in, o, Env{Backend: gpu.NewCPU(gpu.CPUOptions{}), Network: n, MaxBytes: limit})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := paint(o, 0)
	if first.Options.Tile != o.Tile || !first.Plan.Cut.Near {
		t.Fatalf("recorded as %q, cut %+v", first.Options.Tile, first.Plan.Cut)
	}
	again := paint(first.Options, first.Plan.PeakBytes)
	if !slices.Equal(again.Picture.Pix, first.Picture.Pix) {
		t.Errorf("the pictures differ, by %.1f dB", psnr(again.Picture.Pix, first.Picture.Pix))
	}
	for _, wrong := range []string{"~", "~100/", "~100/3", "~100/5:off", "~100/3:off/2:off", "~100/x:100", "~10", "~100/2:10"} {
		if _, err := parseTile(wrong); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}

// TestResumeInLessMemory: a run begun whole goes on in tiles, to the same bytes.
func TestResumeInLessMemory(t *testing.T) {
	n := deepNetwork(t)
	o := DefaultOptions(ModeArt, "cpu", "vgg19")
	o.Size, o.Scales, o.Iterations = "content", 1, []int{6}
	in := Inputs{Content: smoothPicture(403, 371, 1), Styles: []*Picture{noisePicture(190, 130, 2)}}
	paint := func(ctx context.Context, env Env) (*Result, error) {
		env.Backend, env.Network = gpu.NewCPU(gpu.CPUOptions{}), n
		return Art(ctx, in, o, env)
	}
	whole, err := paint(context.Background(), Env{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "checkpoint")
	ctx, cancel := context.WithCancel(context.Background())
	_, err = paint(ctx, Env{Saving: Saving{Path: path}, Every: 1, Progress: func(e Event) {
		if e.Done == 3 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	c, err := LoadCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := paint(context.Background(), Env{Resume: c, MaxBytes: whole.Plan.PeakBytes - 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Plan.Cut.Tiles) == 0 || r.Plan.Cut.Near {
		t.Fatalf("the cut is %+v", r.Plan.Cut)
	}
	if !slices.Equal(r.Picture.Pix, whole.Picture.Pix) {
		t.Errorf("the pictures differ, by %.1f dB", psnr(r.Picture.Pix, whole.Picture.Pix))
	}
}
