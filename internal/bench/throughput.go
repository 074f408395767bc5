package bench

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/style"
	"github.com/impasto/impasto/vgg"
)

// ThroughputOptions say which images are measured, and how long.
type ThroughputOptions struct {
	Presets    []string                 // of ThroughputPresets
	Sides      []int                    // of the square pictures; none: each preset's own
	Iterations int                      // 0: each preset's own
	Sample     int                      // iterations of a scale that are measured, beside warming up; 0: all
	Rounds     int                      // images of each case
	Weights    string                   // as vgg.Load takes them; "" for random weights of VGG-19's shape
	Backends   []gpu.Backend            // each image is measured on each in turn
	Check      func(*vgg.Network) error // whether the backends can run a network; nil: all can
	OnProgress func(text string)
}

// RandomWeights are sufficient for measuring, because the time does not depend on
// the values.
const RandomWeights = "random:1"

// Image is the measurement of one image of a case. Images are made one after
// another in a process that holds the network. Each reads the pictures, paints, and
// writes the file.
type Image struct {
	Name       string          `json:"name"`
	Preset     string          `json:"preset"`
	Mode       style.Mode      `json:"mode"`
	Optimizer  style.Optimizer `json:"optimizer"`
	History    int             `json:"history,omitempty"` // of L-BFGS
	Layers     string          `json:"layers"`
	Side       int             `json:"side"`
	Format     string          `json:"precision"` // of features: "f32", "f16" or "bf16"
	Scales     []Scale         `json:"scales"`
	Iterations int             `json:"iterations"` // evaluations of an image, over all scales

	Extrapolated bool      `json:"extrapolated"`        // not all of them were run
	Measured     int       `json:"measured_iterations"` // in each round
	Rounds       []float64 `json:"rounds_s"`            // seconds of the image, by round

	Seconds   Range   `json:"seconds"`     // of an image, over the rounds
	Iteration Range   `json:"iteration_s"` // at the last scale: each round's median
	Processor float64 `json:"processor_s"` // of all processors together, for an image; 0 if unknown
	Overhead  float64 `json:"overhead_s"`  // of Seconds.Median, all that is not iterations
	PerSecond float64 `json:"iterations_per_s"`
	PerHour   float64 `json:"images_per_hour"`

	Planned int64   `json:"planned_bytes"`
	PeakRSS int64   `json:"peak_memory_bytes"` // of the process, as far as it was run
	Held    int64   `json:"held_bytes"`        // by the device for the picture, its network pass and its optimiser
	Others  float64 `json:"others_cpu"`        // share of the processors that other programs took; 0 if unknown
}

// Scale is one size at which an image is painted, coarse ones first.
type Scale struct {
	W          int `json:"w"`
	H          int `json:"h"`
	Iterations int `json:"iterations"`
}

// key identifies images of two reports that are the same work.
func (x Image) key() string {
	return fmt.Sprint(x.Name, " ", x.Layers, " ", x.Scales, " ", x.History, " ", x.Format)
}

// size returns the size of the picture.
func (x Image) size() string {
	if len(x.Scales) == 0 {
		return ""
	}
	s := x.Scales[len(x.Scales)-1]
	return fmt.Sprintf("%dx%d", s.W, s.H)
}

// Throughput measures images. In each round it measures all cases in turn, so that
// other work of the machine affects all of them equally. If ctx is cancelled, it
// ends after the current iteration and keeps the rounds so far.
func (r *Report) Throughput(ctx context.Context, o ThroughputOptions) error {
	cases, err := o.cases()
	if err != nil {
		return err
	}
	network, err := vgg.Load(ctx, cmp.Or(o.Weights, RandomWeights), vgg.LoadOptions{UpTo: "relu5_1"})
	if err != nil {
		return err
	}
	if o.Check != nil {
		if err := o.Check(network); err != nil {
			return err
		}
	}
	r.Machine.Weights = network.Name
	dir, err := os.MkdirTemp("", "impasto-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// This is the setting that the command uses for painting.
	defer debug.SetGCPercent(debug.SetGCPercent(10))

	m := meter{o: o, network: network, dir: dir}
	var tallies []tally
	for _, c := range cases {
		for _, b := range o.Backends {
			tallies = append(tallies, tally{c: c, b: b})
		}
	}
	defer func() {
		for _, t := range tallies {
			if len(t.seconds) > 0 {
				r.Images = append(r.Images, t.image())
			}
		}
	}()
	seconds := 0.0
	for _, t := range tallies { // report impossible cases before anything slow starts
		c := t.c
		p, err := style.NewPlan(c.Side, c.Side, c.atMost(o.limit()), style.Env{Backend: t.b, Network: network})
		if err != nil {
			return fmt.Errorf("%s, %d pixels: %w", c.Name, c.Side, err)
		}
		seconds += p.Seconds * float64(o.Rounds)
	}
	m.report("about %s for %s of %s", time.Duration(seconds*float64(time.Second)).Round(time.Second), count(o.Rounds, "round"), count(len(tallies), "image"))
	// Each case runs once without measuring, so that files are read into memory and
	// weights are arranged.
	for i := range tallies {
		m.report("warming up: %s", tallies[i].name())
		if err := m.warm(ctx, &tallies[i]); err != nil {
			return err
		}
	}
	for round := range o.Rounds {
		for i := range tallies {
			t := &tallies[i]
			m.report("round %d of %d: %s, %s", round+1, o.Rounds, t.name(), t.c.Options.Size)
			if err := m.round(ctx, t); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o ThroughputOptions) cases() ([]Case, error) {
	sides := o.Sides
	if len(sides) == 0 {
		sides = []int{0}
	}
	var all []Case
	for _, side := range sides {
		cases, err := Cases(o.Presets, side, o.Iterations)
		if err != nil {
			return nil, err
		}
		all = append(all, cases...)
	}
	return all, nil
}

// limit returns how many iterations of a scale are run; 0: all.
func (o ThroughputOptions) limit() int {
	if o.Sample == 0 {
		return 0
	}
	return warmup + o.Sample
}

// meter measures cases.
type meter struct {
	o       ThroughputOptions
	network *vgg.Network
	dir     string
	slopes  map[string]float64 // by size and history
}

// tally holds the measurements of a case so far.
type tally struct {
	c         Case
	b         gpu.Backend
	from      pictures
	seconds   []float64 // by round
	iteration []float64
	overhead  []float64
	processor []float64
	others    []float64
	peak      int64
	last      *painting
}

func (t *tally) name() string { return named(t.c.Name, format(t.b)) }

func (m *meter) report(format string, a ...any) {
	if m.o.OnProgress != nil {
		m.o.OnProgress(fmt.Sprintf(format, a...))
	}
}

func (m *meter) warm(ctx context.Context, t *tally) error {
	var err error
	if t.from, err = draw(m.dir, t.c.Side); err != nil {
		return err
	}
	_, err = paint(ctx, t.c, 1, t.b, m.network, t.from, filepath.Join(m.dir, "out.png"))
	return err
}

func (m *meter) round(ctx context.Context, t *tally) error {
	resetPeak()
	before, start := readProcessors(), time.Now()
	p, err := paint(ctx, t.c, m.o.limit(), t.b, m.network, t.from, filepath.Join(m.dir, "out.png"))
	if err != nil {
		return err
	}
	after := readProcessors()
	t.others = append(t.others, after.others(before, time.Since(start)))
	t.peak = max(t.peak, PeakRSS())
	for i := range p.scales {
		s := &p.scales[i]
		if s.Done < s.Planned && s.History > 0 {
			s.Slope = m.slope(t.b, p.plan.Scales[i], s.History)
		}
	}
	whole, iterating := estimate(p.spent, p.scales)
	t.processor = append(t.processor, (after.own-before.own)*whole/p.spent)
	last, _ := p.scales[len(p.scales)-1].iteration()
	t.seconds, t.iteration, t.overhead = append(t.seconds, whole), append(t.iteration, last), append(t.overhead, whole-iterating)
	t.last = p
	return ctx.Err()
}

// slope returns historySlope, which it measures once for each size.
func (m *meter) slope(b gpu.Backend, s style.Scale, history int) float64 {
	key := fmt.Sprint(s.W, s.H, history, format(b))
	if m.slopes == nil {
		m.slopes = map[string]float64{}
	}
	v, ok := m.slopes[key]
	if !ok {
		v = historySlope(b, s.W, s.H, history)
		m.slopes[key] = v
	}
	return v
}

// image returns the result of a tally of at least one round.
func (t *tally) image() Image {
	o, p := t.c.Options, t.last
	x := Image{
		Name: t.c.Name, Preset: o.Preset, Mode: o.Mode, Optimizer: o.Optimizer, Layers: t.c.layers(), Side: t.c.Side, Format: format(t.b),
		Measured: p.done(), Rounds: t.seconds,
		Seconds: rangeOf(t.seconds), Iteration: rangeOf(t.iteration), Processor: median(t.processor), Overhead: median(t.overhead),
		Planned: p.plan.PeakBytes, PeakRSS: t.peak, Held: p.held, Others: median(t.others),
	}
	if o.Optimizer == style.OptimizerLBFGS {
		x.History = o.History
	}
	for i, s := range p.plan.Scales { // the plan has the iterations that were run
		x.Scales = append(x.Scales, Scale{s.W, s.H, p.scales[i].Planned})
		x.Iterations += p.scales[i].Planned
	}
	x.Extrapolated = x.Measured < x.Iterations
	x.PerHour = 3600 / x.Seconds.Median
	if iterating := x.Seconds.Median - x.Overhead; iterating > 0 {
		x.PerSecond = float64(x.Iterations) / iterating
	}
	return x
}
