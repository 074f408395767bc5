package style

import (
	"context"
	"math"
	"testing"

	"github.com/impasto/impasto/cuda"
)

// TestDevicePaintsTheCPUsPatches: joining, matching, variety and the pull towards
// matched patches on the software device, through two scales.
func TestDevicePaintsTheCPUsPatches(t *testing.T) {
	style, styleMap := halves(48, 40, false)
	photo, canvas := halves(50, 36, true)
	guide := []Guide{{Canvas: canvas, Styles: []*Map{styleMap}}}
	for name, c := range map[string]struct {
		paint  func(context.Context, Inputs, Options, Env) (*Result, error)
		in     Inputs
		mode   Mode
		change func(*Options)
	}{
		"patch, mirrored": {Patch, Inputs{Content: photo, Styles: []*Picture{style, smoothPicture(40, 40, 4)}}, ModePatch, func(o *Options) { o.StyleRotations = 1 }},
		"doodle, variety": {Doodle, Inputs{Styles: []*Picture{style}, Guides: guide}, ModeDoodle, func(o *Options) { o.Variety = 0.3 }},
		"whole patches":   {Doodle, Inputs{Styles: []*Picture{style}, Guides: guide}, ModeDoodle, func(o *Options) { o.Match, o.PatchStride = MatchPatch, []int{2, 1} }},
	} {
		t.Run(name, func(t *testing.T) {
			o := doodleOptions(c.mode)
			o.Size, o.Scales, o.Iterations = "40", 2, []int{3, 2}
			c.change(&o)
			want, err := c.paint(context.Background(), c.in, o, tinyEnv(2))
			if err != nil {
				t.Fatal(err)
			}
			env, _ := deviceEnv(t)
			got, err := c.paint(context.Background(), c.in, o, env)
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range want.History {
				g := got.History[i]
				off := math.Abs(g.Losses.Total-w.Losses.Total) / w.Losses.Total
				t.Logf("scale %d, iteration %d: loss %.9g, the CPU's %.9g", w.Scale, w.Iteration, g.Losses.Total, w.Losses.Total)
				if w.Iteration == 1 && !(off < 1e-4) {
					t.Errorf("scale %d: the first loss is off by %.2g", w.Scale, off)
				}
			}
			for i, w := range want.Patches {
				same := 0
				for p, index := range w.Index {
					if got.Patches[i].Index[p] == index {
						same++
					}
				}
				t.Logf("%s: %d of %d patches are the CPU's", w.Layer, same, len(w.Index))
				if float64(same) < 0.99*float64(len(w.Index)) {
					t.Errorf("%s: only %d of %d patches are the CPU's", w.Layer, same, len(w.Index))
				}
			}
			if p := psnr(got.Picture.Pix, want.Picture.Pix); !(p >= 45) {
				t.Errorf("the pictures differ by %.1f dB", p)
			} else {
				t.Logf("the pictures differ by %.1f dB", p)
			}
		})
	}
}

// TestMatchingIsOneGraphLaunch: an iteration that matches anew is a program of its
// own, and its replay all that it asks of the driver.
func TestMatchingIsOneGraphLaunch(t *testing.T) {
	const short, long = 3, 6 // both look after the first and the last
	var calls [2]cuda.Calls
	for i, n := range []int{short, long} {
		o := doodleOptions(ModeDoodle)
		o.Iterations, o.Scales, o.Size, o.Rematch, o.Variety = []int{n}, 1, "24", 2, 0.3
		env, meter := deviceEnv(t)
		if _, err := Doodle(context.Background(), doodleInputs(), o, env); err != nil {
			t.Fatal(err)
		}
		calls[i] = meter.Calls()
	}
	d := calls[1].Sub(calls[0])
	if d.GraphLaunches != long-short {
		t.Errorf("%d more iterations made %d more graph launches", long-short, d.GraphLaunches)
	}
	if calls[1].Records != 2 || d.Uploads+d.Downloads+d.Allocs+d.Frees+d.Syncs+d.Loads+d.Records != 0 {
		t.Errorf("%d graphs were recorded; %d more iterations also made %+v", calls[1].Records, long-short, d)
	}
}
