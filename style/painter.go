package style

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/impasto/impasto/gpu"
	"github.com/impasto/impasto/vgg"
)

// Painter paints pictures with one network on one device. It owns both, and keeps
// what pictures share, such as a painting's statistics. So a program that paints many
// pictures makes one Painter. Goroutines may share a Painter; it paints one picture at
// a time.
type Painter struct {
	mu    sync.Mutex // held while a picture is painted
	env   Env        // Backend is nil once the Painter is closed
	cache Cache
}

// ErrClosed is returned by a Painter that was closed.
var ErrClosed = errors.New("the painter is closed")

// PainterOption changes the Painter that NewPainter makes.
type PainterOption func(*painterSetup)

type painterSetup struct {
	env     Env
	weights string
	threads int

	precision gpu.Precision
}

// WithWeights chooses the network: the name of installed weights, the path of a
// weights file, or "mini" for the small network inside the program. The default
// is the installed VGG-19, else mini.
func WithWeights(name string) PainterOption { return func(s *painterSetup) { s.weights = name } }

// WithNetwork sets a network that was loaded by vgg.
func WithNetwork(n *vgg.Network) PainterOption { return func(s *painterSetup) { s.env.Network = n } }

// WithBackend computes on b, such as a CUDA device from gpu.NewDevice, instead
// of the processor. The Painter closes it.
func WithBackend(b gpu.Backend) PainterOption { return func(s *painterSetup) { s.env.Backend = b } }

// WithThreads limits how many processors are used. It does not change the
// picture. The default is all of them.
func WithThreads(n int) PainterOption { return func(s *painterSetup) { s.threads = n } }

// WithPrecision computes in half or single precision. Half stores features as bfloat16,
// in half of the memory. The default, gpu.Auto, is single. It is for the processor: a
// backend of WithBackend has its own.
func WithPrecision(p gpu.Precision) PainterOption {
	return func(s *painterSetup) { s.precision = p }
}

// WithMaxBytes limits the memory of a picture, in bytes; larger pictures are painted
// in tiles. The default is no limit.
func WithMaxBytes(n int64) PainterOption { return func(s *painterSetup) { s.env.MaxBytes = n } }

// NewPainter loads the network and opens the device. The errors are those of
// vgg.Load. Close the Painter at the end.
func NewPainter(ctx context.Context, options ...PainterOption) (*Painter, error) {
	var s painterSetup
	for _, o := range options {
		o(&s)
	}
	if s.env.Network == nil {
		n, err := vgg.Load(ctx, s.weights, vgg.LoadOptions{})
		if err != nil {
			return nil, err
		}
		s.env.Network = n
	}
	if s.env.Backend == nil {
		s.env.Backend = gpu.NewCPU(gpu.CPUOptions{Threads: s.threads, Precision: s.precision})
	}
	p := &Painter{env: s.env}
	p.env.Cache = &p.cache
	return p, nil
}

// Close waits for the picture that is being painted, and frees the device and the
// cache. A Painter may be closed twice.
func (p *Painter) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.env.Backend == nil {
		return
	}
	p.env.Network.Forget(p.env.Backend)
	p.env.Backend.Close()
	p.cache.Drop()
	p.env = Env{}
}

// Option changes how one picture is painted.
type Option func(*job)

// job is one picture that a Painter shall paint.
type job struct {
	mode    Mode
	options Options
	env     Env
	err     error
}

// networkName returns the name by which defaults are chosen for a network: "mini" for
// those as narrow as it, or "vgg19".
func networkName(n *vgg.Network) string {
	if n != nil && n.Narrow() {
		return "mini"
	}
	return "vgg19"
}

// WithOptions replaces all options by o, such as the options of an earlier Result.
func WithOptions(o Options) Option { return func(j *job) { j.options = o } }

// WithPreset paints as another system does; see Preset for the names.
func WithPreset(name string) Option {
	return func(j *job) {
		o, err := Preset(name, j.mode)
		if err != nil {
			j.err = err
			return
		}
		j.options = o
	}
}

// WithMethod paints by a method and the options that go with it; see UseMethod.
// Options that set other values come after it.
func WithMethod(m Method) Option {
	return func(j *job) { j.options.UseMethod(m, networkName(j.env.Network)) }
}

// WithStyleLoss paints by a style loss and the weights that go with it; see
// UseStyleLoss. Options that set other weights come after it.
func WithStyleLoss(loss StyleLoss) Option {
	return func(j *job) { j.options.UseStyleLoss(loss, networkName(j.env.Network)) }
}

// WithSize sets the size of the result: "512" (the long side), "640x480", "2x",
// "50%", "content", "512+" (the area of 512x512) or "max".
func WithSize(size string) Option { return func(j *job) { j.options.Size = size } }

// With changes any of the options. It applies after the Options given before it.
func With(change func(*Options)) Option { return func(j *job) { change(&j.options) } }

// WithProgress calls f while the picture is painted; see Event.
func WithProgress(f func(Event)) Option { return func(j *job) { j.env.Progress = f } }

// WithCheckpoints writes checkpoints to a file, from which the picture can be
// continued after a crash.
func WithCheckpoints(s Saving) Option { return func(j *job) { j.env.Saving = s } }

// WithResume continues from checkpoint c. Inputs, options and network must be those
// with which c was written.
func WithResume(c *Checkpoint) Option { return func(j *job) { j.env.Resume = c } }

// Defaults returns the options that a mode starts from with this Painter.
func (p *Painter) Defaults(mode Mode) Options {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.defaults(mode)
}

func (p *Painter) defaults(mode Mode) Options {
	device := "cpu"
	if p.env.Backend != nil && strings.HasPrefix(p.env.Backend.Name(), "cuda") {
		device = "cuda"
	}
	return DefaultOptions(mode, device, networkName(p.env.Network))
}

// Art paints in.Content in the look of in.Styles; see the function Art.
func (p *Painter) Art(ctx context.Context, in Inputs, options ...Option) (*Result, error) {
	return p.paint(ctx, ModeArt, in, options)
}

// Texture makes a picture with the look of in.Styles and nothing else; see the
// function Texture.
func (p *Painter) Texture(ctx context.Context, in Inputs, options ...Option) (*Result, error) {
	return p.paint(ctx, ModeTexture, in, options)
}

// Patch paints in.Content with patches of in.Styles; see the function Patch.
func (p *Painter) Patch(ctx context.Context, in Inputs, options ...Option) (*Result, error) {
	return p.paint(ctx, ModePatch, in, options)
}

// Doodle paints from the maps in in.Guides; see the function Doodle.
func (p *Painter) Doodle(ctx context.Context, in Inputs, options ...Option) (*Result, error) {
	return p.paint(ctx, ModeDoodle, in, options)
}

// Analogy paints in.B as in.Styles[0] was made of in.A; see the function
// Analogy.
func (p *Painter) Analogy(ctx context.Context, in Inputs, options ...Option) (*Result, error) {
	return p.paint(ctx, ModeAnalogy, in, options)
}

func (p *Painter) paint(ctx context.Context, mode Mode, in Inputs, options []Option) (*Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j, err := p.job(mode, options)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil { // it may have waited a long time
		return nil, err
	}
	j.options.Mode = mode
	return Paint(ctx, in, j.options, j.env)
}

// Plan returns what painting would do, its size, memory and time, without painting.
// The errors are those of NewPlan.
func (p *Painter) Plan(mode Mode, in Inputs, options ...Option) (Plan, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j, err := p.job(mode, options)
	if err != nil {
		return Plan{}, err
	}
	j.options.Mode = mode
	if err := checkInputs(in, j.options); err != nil {
		return Plan{}, err
	}
	return in.Plan(j.options, j.env)
}

func (p *Painter) job(mode Mode, options []Option) (*job, error) {
	if p.env.Backend == nil {
		return nil, ErrClosed
	}
	j := &job{mode: mode, options: p.defaults(mode), env: p.env}
	for _, o := range options {
		o(j)
	}
	return j, j.err
}
