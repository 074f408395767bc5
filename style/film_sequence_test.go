package style

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/impasto/impasto/internal/picture"
)

// panned is a window of a large picture that moves by three pixels a frame.
func panned(frame int) *Picture {
	all := smoothPicture(140, 60, 1)
	detail := (*Picture)((*picture.Picture)(noisePicture(70, 30, 5)).Resize(140, 60, picture.Bilinear)) // something to hold on to
	p := newPicture(64, 48)
	for i := range p.Pix {
		from := (i/3/64+4)*140 + i/3%64 + 3*frame
		p.Pix[i] = 0.6*all.Pix[3*from+i%3] + 0.4*detail.Pix[3*from+i%3]
	}
	return p
}

func sequenceOptions() SequenceOptions {
	o := SequenceOptions{Options: tinyOptions(ModeArt), Flow: FlowDense, NextIterations: 6}
	o.Size, o.TemporalWeight = "content", 1
	return o
}

func shoot(t *testing.T, o SequenceOptions, frames int) []*Frame {
	t.Helper()
	s, err := NewSequence(64, 48, Inputs{Styles: tinyInputs().Styles}, o, tinyEnv(2))
	if err != nil {
		t.Fatal(err)
	}
	var list []*Frame
	for i := range frames {
		f, err := s.Next(context.Background(), panned(i))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	return list
}

// TestTemporalTermFlickersLess: with the term, what does not change in the scene
// changes less in the painting.
func TestTemporalTermFlickersLess(t *testing.T) {
	flicker := func(weight float64) float64 {
		o := sequenceOptions()
		o.TemporalWeight = weight
		list := shoot(t, o, 4)
		if !math.IsNaN(list[0].Flicker()) || list[0].Iterations != 20 || list[1].Iterations != 6 {
			t.Errorf("the first frame flickers by %g in %d iterations, the second has %d", list[0].Flicker(), list[0].Iterations, list[1].Iterations)
		}
		sum, trusted := 0.0, 0.0
		for _, f := range list[1:] {
			sum += f.Flicker()
			for _, v := range f.Trust.Pix {
				trusted += float64(v) / float64(len(f.Trust.Pix))
			}
		}
		if trusted/3 < 0.7 {
			t.Errorf("only %.2f of the frames is trusted", trusted/3)
		}
		return sum / 3
	}
	without, with := flicker(0), flicker(UsualTemporalWeight(sequenceOptions().Options))
	t.Logf("flicker %.2f without the temporal term, %.2f with it", without, with)
	if !(with < 0.7*without) {
		t.Errorf("flicker %.2f without the temporal term, %.2f with it", without, with)
	}
}

// TestShotTakenUp: from the photograph and the codes of a frame painted earlier
// the next comes out byte for byte as if the shot had not been left.
func TestShotTakenUp(t *testing.T) {
	o := sequenceOptions()
	whole := shoot(t, o, 3)
	s, err := NewSequence(64, 48, Inputs{Styles: tinyInputs().Styles}, o, tinyEnv(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Follow(panned(1), FromImage(whole[1].Picture.Image(8))); err != nil {
		t.Fatal(err)
	}
	f, err := s.Next(context.Background(), panned(2))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Picture.Pix, whole[2].Picture.Pix) {
		t.Error("the frame after taking up is another")
	}
	s.Start()
	f, err = s.Next(context.Background(), panned(0))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Picture.Pix, whole[0].Picture.Pix) {
		t.Error("the first frame of a new shot depends on the one before")
	}
	if err := s.Follow(panned(1), smoothPicture(10, 10, 1)); err == nil {
		t.Error("a frame of another size is followed")
	}
}

// TestPlainFrames: without flow the frame before stands where it was, and is
// trusted where the photograph did not change.
func TestPlainFrames(t *testing.T) {
	o := sequenceOptions()
	o.Flow = FlowNone
	s, err := NewSequence(64, 48, Inputs{Styles: tinyInputs().Styles}, o, tinyEnv(2))
	if err != nil {
		t.Fatal(err)
	}
	a := panned(0)
	b := a.Clone()
	for i := range b.Pix {
		if i/3%64 >= 32 {
			b.Pix[i] = float32(math.Mod(float64(b.Pix[i])+0.5, 1))
		}
	}
	first, err := s.Next(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.Next(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(second.Moved.Pix, first.Picture.Pix) {
		t.Error("the frame before was moved")
	}
	for i, v := range second.Trust.Pix {
		if (v == 1) != (i%64 < 32) {
			t.Fatalf("pixel %d is trusted by %g", i, v)
		}
	}
}

// TestCutWithinAShot: where nothing of the frame before is found, the frame is
// painted as a first one.
func TestCutWithinAShot(t *testing.T) {
	o := sequenceOptions()
	s, err := NewSequence(64, 48, Inputs{Styles: tinyInputs().Styles}, o, tinyEnv(2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(context.Background(), noisePicture(64, 48, 77)); err != nil {
		t.Fatal(err)
	}
	f, err := s.Next(context.Background(), panned(0))
	if err != nil {
		t.Fatal(err)
	}
	if first := shoot(t, o, 1)[0]; f.Moved != nil || !slices.Equal(f.Picture.Pix, first.Picture.Pix) {
		t.Error("the frame begins with one that has nothing to do with it")
	}
}

func TestBadSequences(t *testing.T) {
	for name, change := range map[string]func(*SequenceOptions){
		"flow":       func(o *SequenceOptions) { o.Flow = "thick" },
		"iterations": func(o *SequenceOptions) { o.NextIterations = -1 },
		"mode":       func(o *SequenceOptions) { o.Mode = ModeTexture },
		"options":    func(o *SequenceOptions) { o.StyleScale = 0 },
	} {
		o := sequenceOptions()
		change(&o)
		if _, err := NewSequence(64, 48, tinyInputs(), o, tinyEnv(1)); err == nil {
			t.Errorf("bad %s are taken", name)
		}
	}
	o := sequenceOptions()
	o.NextIterations = 0
	s, err := NewSequence(64, 48, tinyInputs(), o, tinyEnv(1))
	if err != nil {
		t.Fatal(err)
	}
	plan := s.NextPlan()
	if plan.Iterations() != 4 || len(plan.Scales) != 1 || s.Options().NextIterations != 4 {
		t.Errorf("later frames take %d iterations at %d scales, want half of 8 at one", plan.Iterations(), len(plan.Scales))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Next(ctx, panned(0)); err == nil || s.result != nil {
		t.Error("a frame that was not finished is followed")
	}
}
