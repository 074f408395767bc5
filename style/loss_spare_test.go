package style

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/impasto/impasto/internal/picture"
)

// stripes is a grey picture whose columns from x = from on are black and white
// in turn, two pixels each.
func stripes(w, h, from int) *Picture {
	p := newPicture(w, h)
	for i := range p.Pix {
		x := i / 3 % w
		p.Pix[i] = 0.5
		if x >= from {
			p.Pix[i] = float32(x / 2 % 2)
		}
	}
	return p
}

func TestDetailIsSparedSmoothing(t *testing.T) {
	const spare = 0.9
	weights, w, h := spareWeights(stripes(67, 41, 40), spare)
	if w != 17 || h != 11 || len(weights) != w*h {
		t.Fatalf("%d weights, %dx%d, for 67x41 pixels in squares of 4", len(weights), w, h)
	}
	for y := range h {
		// Blurring twice reaches two squares far; the stripes begin in square 10.
		for x := range 7 {
			if v := weights[y*w+x]; v != 1 {
				t.Errorf("square %d, %d is flat and has weight %g, want 1", x, y, v)
			}
		}
		for x := 13; x < w; x++ {
			if v := weights[y*w+x]; v > 0.4 {
				t.Errorf("square %d, %d has detail and weight %g", x, y, v)
			}
		}
	}
}

// TestSpareWeightsByTheFormula takes a picture of one slope everywhere but at its
// last column and row: r is then 1/0.35 where nothing else is near.
func TestSpareWeightsByTheFormula(t *testing.T) {
	p := newPicture(64, 64)
	for i := range p.Pix {
		p.Pix[i] = float32(i/3%64) / 64
	}
	weights, w, h := spareWeights(p, 0.5)
	if got, want := float64(weights[h/2*w+w/2]), 1-0.5*0.891; math.Abs(got-want) > 0.02 {
		t.Errorf("weight %g in the middle of a slope, want about %g", got, want)
	}
}

func TestSpareOfSmallAndFlatPictures(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 7}, {5, 3}} {
		weights, _, _ := spareWeights(stripes(size[0], size[1], size[0]), 1)
		for _, v := range weights {
			if v != 1 {
				t.Errorf("a flat picture of %v has weight %g, want 1", size, v)
			}
		}
	}
}

// TestSpareIsWhatTheLossTakes compares the smoothness of the first evaluation,
// where the image is the photograph, with the sum of its terms.
func TestSpareIsWhatTheLossTakes(t *testing.T) {
	o := tinyOptions(ModeArt)
	o.Size, o.Scales, o.Iterations = "content", 1, []int{1}
	o.TVSpare = 0.8
	in := tinyInputs()
	r, err := Art(context.Background(), in, o, tinyEnv(1))
	if err != nil {
		t.Fatal(err)
	}
	p := in.Content.Flatten()
	want := 0.0
	squares, w, h := spareWeights(p, o.TVSpare)
	weights := picture.Resample(squares, w, h, 1, p.W, p.H, picture.Bilinear)
	for y := range p.H {
		for x := range p.W {
			for c := range 3 {
				at := func(x, y int) float64 { return float64(p.Pix[3*(min(y, p.H-1)*p.W+min(x, p.W-1))+c]) }
				dx, dy := at(x+1, y)-at(x, y), at(x, y+1)-at(x, y)
				want += float64(weights[y*p.W+x]) * (dx*dx + dy*dy) / 2 / float64(p.W*p.H*3)
			}
		}
	}
	want *= o.TVWeight
	if got := r.History[0].Losses.TV; math.Abs(got-want) > 1e-4*want {
		t.Errorf("the smoothness term is %g, want %g", got, want)
	}
}

func TestStencilSparesNothing(t *testing.T) {
	var pictures [2]*Picture
	for i, spare := range []float64{0, 0.9} {
		o := tinyOptions(ModeArt)
		o.TV, o.TVSpare = TVStencil, spare
		r, err := Art(context.Background(), tinyInputs(), o, tinyEnv(1))
		if err != nil {
			t.Fatal(err)
		}
		pictures[i] = r.Picture
	}
	if !slices.Equal(pictures[0].Pix, pictures[1].Pix) {
		t.Error("tv-spare changes a picture whose total variation is the stencil")
	}
}
