package style

import (
	"math"
	"testing"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// TestTilingCostsLittle counts the multiplications of an iteration: in tiles of
// 1024 pixels at most three quarters more than whole, where a way
// forward and back through all layers with the halo they need has twice as many.
func TestTilingCostsLittle(t *testing.T) {
	n, err := vgg.Random(5, "relu5_1")
	if err != nil {
		t.Fatal(err)
	}
	b := gpu.NewCPU(gpu.CPUOptions{})
	for _, side := range []string{"2048x2048", "4096x4096"} {
		o := DefaultOptions(ModeArt, "cpu", "vgg19")
		o.Scales, o.Size, o.Tile, o.Optimizer = 1, side, "1024", OptimizerAdam
		plan, err := NewPlan(3, 2, o, Env{Backend: b, Network: n})
		if err != nil {
			t.Fatal(err)
		}
		work, err := o.cutWork(b, n, plan.H(), plan.W(), plan.Cut, false)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s in %v: %.2f times the multiplications, %s", side, plan.Cut, work, gigabytes(plan.PeakBytes))
		for i, s := range plan.Cut.Tiles {
			t.Logf("stage %d in tiles of %v", i+1, s)
		}
		if work >= 1.8 {
			t.Errorf("%s in %v: %.2f times the multiplications", side, plan.Cut, work)
		}
	}
}

// TestWorkOfAStage counts by hand: blocks 1 and 2 of 100 x 60 pixels, once, in two
// tiles, and as the last stage.
func TestWorkOfAStage(t *testing.T) {
	n, err := vgg.Random(5, "relu3_1")
	if err != nil {
		t.Fatal(err)
	}
	o := DefaultOptions(ModeArt, "cpu", "vgg19")
	o.ContentLayers, o.StyleLayers = []LayerWeight{{"relu2_1", 1}}, []LayerWeight{{"relu3_1", 1}}
	each := 9 * (3*64 + 64*64 + (64*128+128*128)/4.0)
	for _, c := range []struct {
		stage vgg.Stage
		tile  TileSize
		want  float64
	}{
		{vgg.Stage{First: 1, Last: 2}, TileSize{}, 3 * 100 * 60 * each},
		{vgg.Stage{First: 1, Last: 2}, TileSize{W: 64, H: 60}, 3 * 100 * 60 * each}, // windows as wide as the image
		{vgg.Stage{First: 3}, TileSize{}, 2 * 25 * 15 * 9 * 128 * 256},
	} {
		s := stage{Stage: c.stage}
		if err := o.layStage(&s, n, 60, 100, c.tile, 1, true); err != nil {
			t.Fatal(err)
		}
		want := c.want
		if s.cut() {
			want = 0
			for _, tile := range s.tiles {
				want += float64(tile.ahead.H*tile.ahead.W+2*tile.window.H*tile.window.W) * each
			}
			if s.tiles[0].window.W == 100 {
				t.Error("the tile's window is the image")
			}
		}
		got, err := o.stageWork(n, &s)
		if err != nil || math.Abs(got-want) > 1e-9*want {
			t.Errorf("%+v in tiles of %v: %g multiplications, want %g (%v)", c.stage, c.tile, got, want, err)
		}
	}
}
