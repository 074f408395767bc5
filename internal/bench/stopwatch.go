package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// painting is one painted image and its times.
type painting struct {
	spent  float64 // seconds, from reading the inputs to the written file
	scales []scaleTime
	held   int64 // bytes on the device
	plan   style.Plan
}

// done returns the number of iterations that were run.
func (p *painting) done() int {
	n := 0
	for _, s := range p.scales {
		n += s.Done
	}
	return n
}

// paint paints one image of a case from its files to output, as the command does.
// It runs at most n iterations at each scale (0: all).
func paint(ctx context.Context, c Case, n int, b gpu.Backend, network *vgg.Network, from pictures, output string) (*painting, error) {
	start := time.Now()
	in, err := from.inputs(c.Options.Mode)
	if err != nil {
		return nil, err
	}
	p := &painting{}
	env := style.Env{Backend: b, Network: network, Pictures: pictureBytes(in)}
	if n > 0 {
		env.Every = 1
	}
	var last float64 // when the event before came
	env.Progress = func(e style.Event) {
		now := time.Since(start).Seconds()
		p.event(e, now-last)
		last = now
	}
	res, err := style.Paint(ctx, in, c.atMost(n), env)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	if err := style.Save(output, res.Picture); err != nil {
		return nil, err
	}
	p.spent, p.plan = time.Since(start).Seconds(), res.Plan
	for i := range p.scales {
		s := &p.scales[i]
		s.Planned = c.Options.Iterations[min(i, len(c.Options.Iterations)-1)]
		if c.Options.Optimizer == style.OptimizerLBFGS {
			s.History = c.Options.History
		}
	}
	return p, nil
}

// event records how long the iterations since the previous event took.
func (p *painting) event(e style.Event, seconds float64) {
	p.held = max(p.held, e.Bytes)
	for len(p.scales) < e.Scale {
		p.scales = append(p.scales, scaleTime{})
	}
	s := &p.scales[e.Scale-1]
	count := e.Iteration - s.Done
	if before := s.Done; before >= warmup && count > 0 {
		s.Steps = append(s.Steps, step{Last: e.Iteration, Count: count, Seconds: seconds / float64(count)})
	}
	s.Done = e.Iteration
}

// pictureBytes returns the memory of the inputs, which is part of the plan.
func pictureBytes(in style.Inputs) int64 {
	n := 0
	for _, p := range append([]*style.Picture{in.Content, in.A, in.B}, in.Styles...) {
		if p != nil {
			n += 4 * (len(p.Pix) + len(p.Alpha))
		}
	}
	return int64(n)
}

const longHistory = 20

// historySlope returns how much longer a step of L-BFGS takes for each pair in its
// history of m, on a picture of w x h. It is measured separately, because in a
// short run the history is almost empty. The steps minimise only
// x
// ^2/2, and are so short that none ends the optimisation.
func historySlope(b gpu.Backend, w, h, m int) float64 {
	const some = 5
	if m < longHistory {
		return 0
	}
	shape := gpu.Shape{H: h, W: w, C: 3}
	x, g, zero := noise(b, shape, 9), b.NewArray(shape), b.NewArray(shape)
	o := b.NewLBFGS(shape, gpu.LBFGSOptions{History: m, LearningRate: 1e-3, FirstStep: 1})
	defer func() { o.Free(); b.Free(x, g, zero) }()
	b.ResetStatus()
	times := make([]float64, m+2*some)
	for i := range times {
		b.Fill(g, 0)
		b.ContentLoss(g, x, zero, 1, 0)
		b.Sync()
		t := time.Now()
		o.Step(x, g)
		b.Sync()
		times[i] = time.Since(t).Seconds()
	}
	early, late := times[warmup:warmup+some], times[len(times)-some:]
	return max(0, (median(late)-median(early))/float64(m-warmup-some/2))
}
