package studio

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/job"
	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/style"
)

// Painter is the Engine that paints in this process, one picture at a time.
type Painter struct {
	// Elsewhere says that the workers of another queue paint, perhaps on other devices.
	Elsewhere bool

	env   render.Env // of jobs
	place job.Place

	deriving sync.Mutex
	maker    *render.MapMaker
}

// NewPainter returns a Painter that paints at a place. env is the environment of
// the jobs (see job.NewEnv).
func NewPainter(env render.Env, place job.Place) *Painter {
	env.Devices = render.NewDevices(env.Library)
	return &Painter{env: env, place: place}
}

// Release closes the device.
func (p *Painter) Release() { p.env.Devices.Release() }

// Plan implements Engine.
func (p *Painter) Plan(ctx context.Context, step []string) (Plan, error) {
	r, err := render.ParseCommandLine(step)
	if err != nil {
		return Plan{}, err
	}
	r.Values.SetText("device", p.place.Device, "studio")
	if p.place.Threads > 0 {
		r.Values.SetText("threads", fmt.Sprint(p.place.Threads), "studio")
	}
	env := p.env
	env.Devices, env.DryRun = nil, true // the worker uses env.Devices
	prepared, err := render.Prepare(ctx, r, env)
	if err != nil {
		return Plan{}, err
	}
	made := prepared.Plan()
	plan := Plan{W: made.W, H: made.H, Seconds: made.Seconds, Bytes: made.PeakBytes, Class: p.place.Class}
	for _, f := range made.Files {
		if _, _, ok := isSample(f.Path); !ok {
			plan.Files = append(plan.Files, f.Path)
		}
	}
	return plan, nil
}

// often is the interval of checkpoints for pictures of at most upTo pixels a side.
// Saving them is quick, and a person who watches does not want to lose a minute.
const often, upTo = 5 * time.Second, 512

// Do implements Engine.
func (p *Painter) Do(ctx context.Context, t *farm.Task, show Display) error {
	runner := job.Runner{Device: p.place.Device, Threads: p.place.Threads, Env: p.env, Watch: (&watcher{show: show}).see,
		Change: func(r *render.Request) {
			if n, err := strconv.Atoi(r.Values.Options.Size); err == nil && n <= upTo {
				r.Output.Checkpoint.Every = often
			}
			if show.Explain != "" {
				_ = os.RemoveAll(show.Explain) // from an earlier attempt
				r.Output.Explain = show.Explain
			}
		}}
	return runner.Do(ctx, t)
}

// watcher turns the events of a render into what the page sees.
type watcher struct {
	show Display
	next time.Time // when a preview is due
}

func (w *watcher) see(event render.Event) {
	e, ok := event.(render.Progress)
	if !ok {
		return
	}
	m := Moment{Done: float64(e.Done) / float64(max(e.Planned, 1)), Scale: e.Scale, Scales: e.Scales, Iter: e.Iteration, Iters: e.Iterations, W: e.W, H: e.H, Loss: map[string]float64{}}
	if e.ETA > 0 {
		m.ETA = new(e.ETA.Seconds())
	}
	m.Rate = recipe.Finite(e.PerSecond)
	if v := recipe.Finite(e.Losses.Total); v != nil {
		m.Loss["total"] = *v
	}
	for _, term := range e.Terms {
		if v := recipe.Finite(term.Value); v != nil {
			m.Loss[term.Name] = *v
		}
	}
	if begun := time.Now(); w.show.Preview != "" && begun.After(w.next) {
		p := (*picture.Picture)(e.Snapshot()).Within(previewSide, picture.Area)
		// A preview that cannot be saved is no reason to end the render.
		_ = picture.Save(w.show.Preview, p, picture.WriteOptions{Fast: true})
		w.next = time.Now().Add(max(previewEvery, previewShare*time.Since(begun)))
	}
	if w.show.Watch != nil {
		w.show.Watch(m)
	}
}

const (
	previewSide  = 1024                   // most pixels a side
	previewEvery = 300 * time.Millisecond // least time between two
	previewShare = 20                     // and at least so many times the duration of making one
)

// Derive implements Engine, with the best network that is installed.
func (p *Painter) Derive(ctx context.Context, img *picture.Picture, regions int) (*maps.Map, error) {
	p.deriving.Lock()
	defer p.deriving.Unlock()
	if p.maker == nil {
		maker, err := render.NewMapMaker(ctx, p.env.Library, "", p.place.Threads)
		if err != nil {
			return nil, err
		}
		p.maker = maker
	}
	return p.maker.Derive(img, regions)
}

// besides are settings of the page that are not options of a picture.
var besides = []string{"weights", "map-check", "precision"}

// Settings implements Engine: the settings that affect the picture and name no
// file.
func (p *Painter) Settings(mode style.Mode, from *recipe.Recipe) []Setting {
	var list []Setting
	defaults := settings.Defaults(mode, "", p.place.Device)
	for _, s := range settings.For(mode) {
		if !s.Option() && !slices.Contains(besides, s.Name) || s.Name == "precision" && !p.hasHalf() {
			continue
		}
		one := Setting{Name: s.Name, Value: s.Value, Help: s.HelpFor(mode), Group: s.Group, Advanced: s.Advanced, Default: s.Default}
		if s.Option() {
			one.Default = settings.OptionText(&defaults, s.Name)
		}
		if s.Name != "size" { // these are suggestions
			one.Choices = s.ChoicesFor(mode)
		}
		if from != nil {
			p.fromRecipe(&one, s, from)
		}
		list = append(list, one)
	}
	return list
}

// hasHalf reports whether the page offers half precision.
func (p *Painter) hasHalf() bool {
	return p.Elsewhere || len(device.Precisions(p.place.Device)) > 1
}

// fromRecipe sets the value of a setting to that of a recipe, if that is not the
// default.
func (p *Painter) fromRecipe(one *Setting, s settings.Setting, from *recipe.Recipe) {
	switch {
	case s.Name == "weights":
		if slices.Contains(one.Choices, from.Weights.Name) {
			one.Text = from.Weights.Name
		}
	case s.Name == "precision":
		for _, kind := range device.Precisions(p.place.Device) {
			if device.Format(p.place.Device, kind) == from.Precision && kind != device.Usual(p.place.Device) {
				one.Text = kind.String()
			}
		}
	case s.Option():
		text := settings.OptionText(&from.Options, s.Name)
		if text != one.Default && (len(one.Choices) == 0 || slices.Contains(one.Choices, text)) {
			one.Text = text
		}
	}
}
