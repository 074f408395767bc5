package style

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// halves is a picture whose left and right half look different, and its map;
// swapped exchanges them.
func halves(w, h int, swapped bool) (*Picture, *Map) {
	p, m := noisePicture(w, h, 8), &Map{W: w, H: h, C: 3, Pix: make([]float32, w*h*3)}
	for y := range h {
		for x := range w {
			left := x < w/2 != swapped
			at := (y*w + x) * 3
			if left {
				p.Pix[at] = 0.8 + 0.2*float32(math.Sin(float64(y)))
				m.Pix[at] = 1 // red; the other region is black
			} else {
				p.Pix[at+2] = 0.7 + 0.3*float32(math.Sin(float64(x)))
			}
		}
	}
	return p, m
}

// doodleOptions paint a small doodle with the tiny network.
func doodleOptions(mode Mode) Options {
	o := DefaultOptions(mode, "cpu", "vgg19")
	o.Size, o.MinScale = "64", 32
	o.Iterations = []int{12, 8}
	o.PatchLayers = []LayerWeight{{"relu2_1", 1}, {"relu3_1", 1}}
	o.ContentLayers, o.StyleLayers = []LayerWeight{{"relu2_1", 1}}, nil
	return o
}

func doodleInputs() Inputs {
	style, styleMap := halves(64, 48, false)
	_, canvas := halves(64, 48, true)
	return Inputs{Styles: []*Picture{style}, Guides: []Guide{{Canvas: canvas, Styles: []*Map{styleMap}}}}
}

// TestRegionsStayApart: with two regions swapped between painting and canvas,
// patches away from the border come from where the painting's map says the
// same, though one of the colours is black and the canvas starts as noise.
func TestRegionsStayApart(t *testing.T) {
	in := doodleInputs()
	r, err := Doodle(context.Background(), in, doodleOptions(ModeDoodle), tinyEnv(2))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Patches) != 2 {
		t.Fatalf("%d layers were matched, want 2", len(r.Patches))
	}
	for _, c := range r.Patches {
		right, all := 0, 0
		span := float64((c.Size - 1) * c.Cell) // from a patch's first cell to its last
		for p, index := range c.Index {
			x := float64(p%c.W*c.Stride*c.Cell) + span/2 + float64(c.Cell)/2
			if math.Abs(x-float64(c.CanvasW)/2) < span {
				continue // over the border
			}
			source, col, _ := c.At(index)
			from := float64(col*source.Stride*c.Cell) + span/2 + float64(c.Cell)/2
			all++
			if (x < float64(c.CanvasW)/2) == (from >= float64(source.W)/2) {
				right++
			}
		}
		if all == 0 || float64(right) < 0.95*float64(all) {
			t.Errorf("%s: %d of %d patches come from the right region", c.Layer, right, all)
		}
	}
	left, rightHalf := meanOf(r.Picture, 0, r.Picture.W/3), meanOf(r.Picture, 2*r.Picture.W/3, r.Picture.W)
	if left[2] < rightHalf[2] || left[0] > rightHalf[0] {
		t.Errorf("the left is %v and the right %v; blue and red should have changed places", left, rightHalf)
	}
}

// meanOf is the mean colour of columns x0 to x1-1.
func meanOf(p *Picture, x0, x1 int) (mean [3]float64) {
	n := 0.0
	for y := range p.H {
		for x := x0; x < x1; x++ {
			for c := range 3 {
				mean[c] += float64(p.Pix[(y*p.W+x)*3+c])
			}
			n++
		}
	}
	for c := range mean {
		mean[c] /= n
	}
	return mean
}

// TestPatchModesAnyThreads: every mode, with all that matching can do, paints
// the same bytes for any number of threads, and again from its own options.
func TestPatchModesAnyThreads(t *testing.T) {
	style, styleMap := halves(64, 48, false)
	photo, canvas := halves(70, 50, true)
	for name, c := range map[string]struct {
		paint func(context.Context, Inputs, Options, Env) (*Result, error)
		in    Inputs
		mode  Mode
		o     func(*Options)
	}{
		"patch":        {Patch, Inputs{Content: photo, Styles: []*Picture{style, smoothPicture(60, 60, 4)}}, ModePatch, func(o *Options) { o.StyleRotations, o.StyleScales = 1, 1 }},
		"with Gram":    {Patch, Inputs{Content: photo, Styles: []*Picture{style}}, ModePatch, func(o *Options) { o.StyleWeight, o.StyleLayers = 1, []LayerWeight{{"relu1_1", 1}} }},
		"doodle":       {Doodle, doodleInputs(), ModeDoodle, func(o *Options) { o.Variety = 0.3 }},
		"content":      {Doodle, Inputs{Content: photo, Styles: []*Picture{style}, Guides: []Guide{{Canvas: canvas, Styles: []*Map{styleMap}}}}, ModeDoodle, func(o *Options) { o.ContentWeight = 1 }},
		"whole maps":   {Doodle, doodleInputs(), ModeDoodle, func(o *Options) { o.Match, o.MapForm = MatchPatch, MapDirection }},
		"style alone":  {Doodle, Inputs{Styles: []*Picture{style}}, ModeDoodle, func(o *Options) { o.PatchStride = []int{2, 1} }},
		"analogy":      {Analogy, Inputs{A: MapPicture(styleMap), Styles: []*Picture{style}, B: MapPicture(canvas)}, ModeAnalogy, func(o *Options) { o.AnalogyWeight = 0.5 }},
		"several maps": {Doodle, Inputs{Styles: doodleInputs().Styles, Guides: append(doodleInputs().Guides, Guide{Canvas: Uniform(9, 7, 1), Styles: []*Map{Uniform(64, 48, 1)}, Weight: 2})}, ModeDoodle, func(o *Options) {}},
	} {
		t.Run(name, func(t *testing.T) {
			o := doodleOptions(c.mode)
			o.Iterations = []int{3, 7}
			c.o(&o)
			var first *Result
			for _, threads := range []int{1, 3} {
				r, err := c.paint(context.Background(), c.in, o, tinyEnv(threads))
				if err != nil {
					t.Fatal(err)
				}
				if first == nil {
					first, o = r, r.Options
					continue
				}
				if !slices.Equal(r.Picture.Pix, first.Picture.Pix) || r.Losses.Total != first.Losses.Total {
					t.Errorf("%d threads paint another picture", threads)
				}
				for i, p := range r.Patches {
					if !slices.Equal(p.Index, first.Patches[i].Index) {
						t.Errorf("%d threads match other patches of %s", threads, p.Layer)
					}
				}
			}
			if !(first.Losses.Patch > 0) || first.Losses.Total-first.Losses.Total != 0 {
				t.Errorf("the losses are %+v", first.Losses)
			}
		})
	}
}

// MapPicture draws a map of three channels.
func MapPicture(m *Map) *Picture {
	p := newPicture(m.W, m.H)
	copy(p.Pix, m.Pix)
	return p
}

// TestProtectedPixelsStay: where the mask is white the content's pixels come
// out as they went in, half-way there they are in between.
func TestProtectedPixelsStay(t *testing.T) {
	photo, _ := halves(64, 48, true)
	mask := &Map{W: 64, H: 48, C: 1, Pix: make([]float32, 64*48)}
	for p := range mask.Pix {
		mask.Pix[p] = min(max(float32(p%64-20)/10, 0), 1) // black, a soft border, white from 30 on
	}
	o := doodleOptions(ModePatch)
	o.Size = "content"
	r, err := Patch(context.Background(), Inputs{Content: photo, Styles: []*Picture{smoothPicture(60, 60, 4)}, Protect: mask}, o, tinyEnv(2))
	if err != nil {
		t.Fatal(err)
	}
	changed := 0.0
	for i, v := range r.Picture.Pix {
		d := math.Abs(float64(v - photo.Pix[i]))
		if x := i / 3 % 64; x >= 34 && d > 1e-6 {
			t.Fatalf("pixel (%d, %d) is protected and changed by %g", x, i/3/64, d)
		} else if x < 20 {
			changed += d
		}
	}
	if changed/(20*48*3) < 0.01 {
		t.Errorf("what is not protected changed by %g on average", changed/(20*48*3))
	}
}

// TestStylePerRegion: each half takes its patches from the painting it is
// given, whatever they look like.
func TestStylePerRegion(t *testing.T) {
	styles := []*Picture{smoothPicture(60, 60, 4), noisePicture(50, 66, 5)}
	regions := &Map{W: 64, H: 48, C: 2, Pix: make([]float32, 64*48*2)}
	for p := range 64 * 48 {
		regions.Pix[2*p+p%64/32] = 1
	}
	in := Inputs{Content: smoothPicture(64, 48, 1), Styles: styles, Guides: []Guide{StylePerRegion(regions, styles)}}
	r, err := Doodle(context.Background(), in, doodleOptions(ModeDoodle), tinyEnv(2))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Patches {
		for p, index := range c.Index {
			x := (p%c.W*c.Stride + 1) * c.Cell
			if source, _, _ := c.At(index); x < 32-2*c.Cell && source.Style != 0 || x >= 32+2*c.Cell && source.Style != 1 {
				t.Fatalf("%s: the patch at column %d comes from painting %d", c.Layer, x, source.Style+1)
			}
		}
	}
}

// TestDoodleResumes: a doodle interrupted anywhere, also while matches are
// held, ends in the same bytes as one that was not.
func TestDoodleResumes(t *testing.T) {
	o := doodleOptions(ModeDoodle)
	o.Rematch = 4
	whole, err := Doodle(context.Background(), doodleInputs(), o, tinyEnv(2))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{1, 6, 12, 15} {
		path := filepath.Join(t.TempDir(), "checkpoint")
		env := tinyEnv(1)
		env.Saving = Saving{Path: path, Every: time.Hour}
		ctx, stop := context.WithCancel(context.Background())
		env.Every = 1
		env.Progress = func(e Event) {
			if e.Done >= at {
				stop()
			}
		}
		if _, err := Doodle(ctx, doodleInputs(), o, env); !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted at %d: %v", at, err)
		}
		c, err := LoadCheckpoint(path)
		if err != nil {
			t.Fatal(err)
		}
		env = tinyEnv(2)
		env.Resume = c
		r, err := Doodle(context.Background(), doodleInputs(), o, env)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(r.Picture.Pix, whole.Picture.Pix) {
			t.Errorf("interrupted at %d and taken up at %d of scale %d, another picture came out", at, c.Iteration, c.Scale+1)
		}
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// TestViews: turned paintings hold nothing but the painting, and the untouched
// one comes first.
func TestViews(t *testing.T) {
	p := newPicture(60, 40)
	for i := range p.Pix {
		p.Pix[i] = 0.5
	}
	o := Options{PatchOptions: PatchOptions{StyleRotations: 2, StyleScales: 1}}
	list := o.views(2)
	if len(list) != 2*5*3 || list[0] != (view{0, 0, 1}) || list[15] != (view{1, 0, 1}) {
		t.Fatalf("%d views, beginning %v; the second painting's %v", len(list), list[0], list[15])
	}
	for _, v := range append(list, view{0, 45, 1}, view{0, 90, 1}) {
		q := v.turn(p)
		for _, e := range q.Pix {
			if math.Abs(float64(e-0.5)) > 1e-6 {
				t.Fatalf("%v holds %g", v, e)
			}
		}
		if math.Abs(v.angle) <= 15 && q.W*q.H < 60*40/3 {
			t.Errorf("%v keeps only %dx%d", v, q.W, q.H)
		}
	}
	// Turned by a quarter, the upper right corner is the upper left one.
	for i := range 60 * 40 {
		p.Pix[3*i] = float32(i%60) / 60
	}
	q := view{0, 90, 1}.turn(p)
	if q.W != 40 || q.H != 60 || math.Abs(float64(q.Pix[0])-59./60) > 0.02 {
		t.Errorf("a quarter turn is %dx%d with %g in its corner", q.W, q.H, q.Pix[0])
	}
}

// TestModesRefuse: inputs and options that cannot be painted, all at once.
func TestModesRefuse(t *testing.T) {
	style, styleMap := halves(64, 48, false)
	for name, c := range map[string]struct {
		paint func(context.Context, Inputs, Options, Env) (*Result, error)
		mode  Mode
		in    Inputs
		o     func(*Options)
		want  string
	}{
		"no content":     {Patch, ModePatch, Inputs{Styles: []*Picture{style}}, nil, "patch needs a content picture"},
		"no style":       {Doodle, ModeDoodle, Inputs{}, nil, "no style picture given"},
		"other channels": {Doodle, ModeDoodle, Inputs{Styles: []*Picture{style}, Guides: []Guide{{Canvas: Uniform(9, 9, 1), Styles: []*Map{styleMap}}}}, nil, "the map of painting 1 has 3 channels, that of the canvas 1"},
		"other size":     {Doodle, ModeDoodle, Inputs{Styles: []*Picture{style}, Guides: []Guide{{Canvas: styleMap, Styles: []*Map{Uniform(9, 9, 1, 0, 0)}}}}, nil, "the map of painting 1 is 9x9, the painting 64x48"},
		"map not a map":  {Doodle, ModeDoodle, Inputs{Styles: []*Picture{style}, Guides: []Guide{{Canvas: Uniform(2, 2, float32(math.NaN())), Styles: []*Map{styleMap}}}}, nil, "map 1 of the canvas holds a value that is not finite"},
		"one map":        {Doodle, ModeDoodle, Inputs{Styles: []*Picture{style}, Guides: []Guide{{Canvas: styleMap}}}, nil, "0 maps for 1 paintings"},
		"A of no size":   {Analogy, ModeAnalogy, Inputs{A: smoothPicture(9, 9, 1), B: style, Styles: []*Picture{style}}, nil, "A is 9x9 but A' is 64x48; they must show the same things at the same places"},
		"no weight":      {Doodle, ModeDoodle, doodleInputs(), func(o *Options) { o.PatchWeight = 0 }, "patches have weight 0; that is what doodle paints with"},
		"variety":        {Patch, ModePatch, Inputs{Content: style, Styles: []*Picture{style}}, func(o *Options) { o.Variety = 0.5 }, "variety 0.5 needs scores that can be compared between patches"},
		"large patches":  {Doodle, ModeDoodle, doodleInputs(), func(o *Options) { o.PatchSize = 6 }, "patch-size is 6; it must lie from 1 to 5"},
		"held for never": {Doodle, ModeDoodle, doodleInputs(), func(o *Options) { o.Rematch = 0 }, "rematch is 0; it must lie from 1 to 1e+06"},
	} {
		t.Run(name, func(t *testing.T) {
			o := doodleOptions(c.mode)
			if c.o != nil {
				c.o(&o)
			}
			_, err := c.paint(context.Background(), c.in, o, tinyEnv(1))
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v", err)
			}
			for _, p := range problems {
				if p.Reason == c.want {
					return
				}
			}
			t.Errorf("got %q, want %q", err, c.want)
		})
	}
}
