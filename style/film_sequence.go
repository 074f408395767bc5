package style

import (
	"context"
	"fmt"
	"math"

	"github.com/impasto/impasto/internal/flow"
	"github.com/impasto/impasto/internal/picture"
)

// SequenceOptions say how the frames of a shot are painted.
type SequenceOptions struct {
	Options             // options of the first frame; TemporalWeight is for all others
	Flow           Flow // FlowDense or FlowNone
	NextIterations int  // iterations of each later frame; 0: half those of the first frame's last scale
}

// Sequence paints the frames of one shot in order. Each frame begins with the one
// before it, and the temporal weight keeps it near that one: Ruder, Dosovitskiy and
// Brox, "Artistic style transfer for videos", GCPR 2016.
//
// A frame passes only its picture, in 8 bits, to the next one. So a shot can continue
// from the pictures in a folder, with the same result as without the interruption.
type Sequence struct {
	in   Inputs
	o    SequenceOptions
	env  Env
	plan Plan // of the first frame
	next Plan // of the others

	content, result *Picture // of the frame before; nil before the first
}

// Frame is one painted frame.
type Frame struct {
	*Result
	// Moved is the frame before, moved to where this frame shows the same things.
	// Trust, (H, W, 1), is 1 where Moved is known to be right and 0 where it is not.
	// Both are nil for the first frame, and for a frame in which the flow found nothing
	// of the one before.
	Moved *Picture
	Trust *Map
}

// NewSequence prepares a shot whose frames have w x h pixels. It ignores in.Content,
// in.Init and in.Earlier, which belong to single frames.
func NewSequence(w, h int, in Inputs, o SequenceOptions, env Env) (*Sequence, error) {
	c := checker{}
	c.oneOf("flow", string(o.Flow))
	if o.NextIterations < 0 {
		c.add("next-iterations", nil, "next-iterations is %d; it must be at least 1", o.NextIterations)
	}
	if o.Mode != ModeArt {
		c.add("mode", nil, "frames are painted in mode %q, not %q", ModeArt, o.Mode)
	}
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	env.inputs = &Inputs{Styles: in.Styles}
	s := &Sequence{in: in, o: o, env: env}
	var err error
	if s.plan, err = NewPlan(w, h, o.Options, env); err != nil {
		return nil, err
	}
	s.o.Options = s.plan.Options
	if o.NextIterations == 0 {
		s.o.NextIterations = max(1, (s.plan.Scales[len(s.plan.Scales)-1].Iterations+1)/2)
	}
	later := s.o.Options
	later.Scales, later.ScaleFrom, later.Iterations, later.Init = 1, 0, []int{s.o.NextIterations}, InitFile
	if s.next, err = NewPlan(s.plan.W(), s.plan.H(), later, env); err != nil {
		return nil, err
	}
	s.next.Seconds += s.motionWork().host
	return s, nil
}

// Plan returns the plan of the first frame.
func (s *Sequence) Plan() Plan { return s.plan }

// Options returns the options of the sequence with every automatic value made concrete.
func (s *Sequence) Options() SequenceOptions { return s.o }

// NextPlan returns the plan of each frame but the first.
func (s *Sequence) NextPlan() Plan { return s.next }

// SetProgress sets the progress function of the next frames.
func (s *Sequence) SetProgress(f func(Event)) { s.env.Progress = f }

// Start begins a new shot: the next frame does not depend on the one before.
func (s *Sequence) Start() { s.content, s.result = nil, nil }

// Follow sets the frame before the next one, which was painted earlier: its photograph
// and its result.
func (s *Sequence) Follow(content, result *Picture) error {
	if result.W != s.plan.W() || result.H != s.plan.H() {
		return fmt.Errorf("the frame before has %dx%d pixels, this shot %dx%d", result.W, result.H, s.plan.W(), s.plan.H())
	}
	s.content, s.result = s.fit(content), coded(result)
	return nil
}

// Next paints the next frame of the shot. It ends as Art does. A frame that was not
// finished does not become the frame before the next one.
func (s *Sequence) Next(ctx context.Context, content *Picture) (*Frame, error) {
	in, env, f := s.in, s.env, &Frame{}
	in.Content = content
	if s.result != nil {
		f.Moved, f.Trust = s.motion(s.fit(content))
		if s.o.Flow == FlowDense && mean(f.Trust.Pix) < leastTrust {
			f.Moved, f.Trust = nil, nil
		}
	}
	env.Plan = &s.plan
	if f.Moved != nil {
		env.Plan = &s.next
		in.Init, in.Earlier = f.Moved, &Earlier{f.Moved, f.Trust}
	}
	var err error
	if f.Result, err = Art(ctx, in, env.Plan.Options, env); err != nil {
		return f, err
	}
	f.Picture = coded(f.Picture)
	s.content, s.result = s.fit(content), f.Picture
	return f, nil
}

// fit resizes a photograph to the shot's size.
func (s *Sequence) fit(content *Picture) *Picture {
	return content.Flatten().Resize(s.plan.W(), s.plan.H())
}

// leastTrust is the share of a frame that must be known from the one before. With less,
// the flow found nothing and the scene is another, so the frame is painted as the first
// of a shot.
const leastTrust = 0.1

func mean(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x)
	}
	return sum / float64(len(v))
}

// coded rounds the values of a picture to 8 bits.
func coded(p *Picture) *Picture { return FromImage(p.Image(8)) }

// flowSide is the longest side at which flow is estimated. Flow is smooth, and at twice
// the side it would take four times as long.
const flowSide = 720

// motion moves the result of the frame before to where this frame shows the same
// things. It also returns the trust in each pixel.
func (s *Sequence) motion(content *Picture) (moved *Picture, trust *Map) {
	w, h := content.W, content.H
	trust = &Map{W: w, H: h, C: 1}
	if s.o.Flow == FlowNone {
		trust.Pix = still(s.content, content)
		return s.result, trust
	}
	fw, fh := w, h
	if long := max(w, h); long > flowSide {
		fw, fh = atLeastOne(float64(w*flowSide)/float64(long)), atLeastOne(float64(h*flowSide)/float64(long))
	}
	luma := func(p *Picture) []float32 { return (*picture.Picture)(p).Resize(fw, fh, picture.Area).Luma() }
	back, forth := flow.Between(luma(content), luma(s.content), fw, fh)
	trust.Pix = flow.Trust(back, forth)
	if fw != w || fh != h {
		trust.Pix = picture.Resample(trust.Pix, fw, fh, 1, w, h, picture.Bilinear)
		back = back.Resize(w, h)
	}
	moved = &Picture{W: w, H: h, Depth: s.result.Depth, Pix: back.Warp(s.result.Pix, 3)}
	for i, v := range moved.Pix {
		moved.Pix[i] = min(max(v, 0), 1)
	}
	return moved, trust
}

// motionWork returns the work of motion for a frame.
func (s *Sequence) motionWork() work {
	total := work{what: "motion"}
	if w, h := float64(s.plan.W()), float64(s.plan.H()); s.o.Flow == FlowDense {
		total.host = flowSeconds * w * h * min(1, math.Pow(flowSide/max(w, h), 2))
	}
	return total
}

// stillWithin is how far noise and compression may change the value of a pixel that
// does not move.
const stillWithin = 8.0 / 255

// still returns 1 for each pixel that is the same in two photographs, and 0 for the
// others.
func still(a, b *Picture) []float32 {
	trust := make([]float32, a.W*a.H)
	for i := range trust {
		most := float32(0)
		for c := 3 * i; c < 3*i+3; c++ {
			most = max(most, a.Pix[c]-b.Pix[c], b.Pix[c]-a.Pix[c])
		}
		if most <= stillWithin {
			trust[i] = 1
		}
	}
	return trust
}

// Flicker returns the mean distance between the frame and the one before, moved to
// where this frame shows the same things. It is weighted by the trust and in levels of
// 255. It is NaN for a first frame, and where nothing is trusted.
func (f *Frame) Flicker() float64 {
	if f.Moved == nil {
		return math.NaN()
	}
	sum, weight := 0.0, 0.0
	for i, t := range f.Trust.Pix {
		for c := 3 * i; c < 3*i+3; c++ {
			sum += float64(t) * math.Abs(float64(f.Picture.Pix[c]-f.Moved.Pix[c]))
		}
		weight += 3 * float64(t)
	}
	return 255 * sum / weight
}
