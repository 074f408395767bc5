package studio

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// Painter is the Engine that paints in this process, one picture at a time.
type Painter struct {
	program string
	device  string // as --device
	class   string // of farm workers
	threads int    // 0: all
	library *render.Library
	devices *render.Devices

	deriving sync.Mutex
	maker    *render.MapMaker
}

// NewPainter returns what paints on a device.
func NewPainter(program, device, class string, threads int) *Painter {
	var sums farm.Sums
	library := &render.Library{Sum: sums.Of}
	return &Painter{program: program, device: device, class: class, threads: threads, library: library, devices: render.NewDevices(library)}
}

// Release lets go of the device.
func (p *Painter) Release() { p.devices.Release() }

// request reads a job's command line for this device.
func (p *Painter) request(words []string) (render.Request, error) {
	r, err := render.ParseCommandLine(words)
	if err != nil {
		return r, err
	}
	r.Values.SetText("device", p.device, "studio")
	if p.threads > 0 {
		r.Values.SetText("threads", fmt.Sprint(p.threads), "studio")
	}
	r.Output.Overwrite = "replace" // the name was free; a worker writes elsewhere first
	return r, nil
}

// Plan implements Engine.
func (p *Painter) Plan(ctx context.Context, step []string) (Plan, error) {
	r, err := p.request(step)
	if err != nil {
		return Plan{}, err
	}
	prepared, err := render.Prepare(ctx, r, render.Env{Library: p.library, Job: true, DryRun: true, Program: p.program})
	if err != nil {
		return Plan{}, err
	}
	made := prepared.Plan()
	plan := Plan{W: made.W, H: made.H, Seconds: made.Seconds, Bytes: made.PeakBytes, Class: p.class}
	for _, f := range made.Files {
		if _, _, ok := isSample(f.Path); !ok {
			plan.Files = append(plan.Files, f.Path)
		}
	}
	return plan, nil
}

// often is how often pictures of up to that many pixels save a checkpoint: it is
// soon saved, and a person who looks on minds every lost second.
const often, upTo = 5 * time.Second, 512 * 512

// Do implements Engine. A job of the studio is one command line.
func (p *Painter) Do(ctx context.Context, t *farm.Task, look Look) error {
	r, err := p.request(t.Steps[0])
	if err != nil {
		return farm.Permanent(err)
	}
	output := r.Output.Name
	if _, err := os.Stat(output + ".checkpoint"); err == nil {
		r.Output.Resume = true
	}
	if look.Explain != "" {
		_ = os.RemoveAll(look.Explain) // of an attempt before
		r.Output.Explain = look.Explain
	}
	env := render.Env{Library: p.library, Devices: p.devices, Job: true, Program: p.program}
	prepared, err := render.Prepare(ctx, r, env)
	if err != nil {
		return lasting(err)
	}
	if plan := prepared.Plan(); plan.W*plan.H <= upTo {
		prepared.Request.Output.Checkpoint.Every = often
	}
	w := &watcher{task: t, look: look, output: output}
	result, err := prepared.Run(ctx, w.see)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return lasting(err)
	}
	t.Outcome, err = json.Marshal(result)
	return err
}

// lasting marks errors that another attempt would meet again: what a command
// line or its files say does not change by itself, unlike a full disk.
func lasting(err error) error {
	for _, f := range ui.FaultsOf(err) {
		switch f.Exit {
		case ui.ExitUsage, ui.ExitInput, ui.ExitWeights, ui.ExitMemory, ui.ExitDiverged, ui.ExitMismatch:
			return farm.Permanent(err)
		}
	}
	return err
}

// watcher turns the events of a render into what the queue and the page see.
type watcher struct {
	task   *farm.Task
	look   Look
	output string
	next   time.Time // when a preview is due
}

func (w *watcher) see(e render.Event) {
	switch e := e.(type) {
	case render.CheckpointSaved:
		if w.task.Checkpointed != nil {
			w.task.Checkpointed(w.output)
		}
	case render.Progress:
		w.progress(e)
	}
}

func (w *watcher) progress(e render.Progress) {
	m := Moment{Scale: e.Scale, Scales: e.Scales, Iter: e.Iteration, Iters: e.Iterations, W: e.W, H: e.H, Loss: map[string]float64{}}
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
	m.Done = float64(e.Done) / float64(max(e.Planned, 1))
	if w.task.Progress != nil {
		w.task.Progress(m.Done, fmt.Sprintf("scale %d/%d, %d/%d", e.Scale, e.Scales, e.Iteration, e.Iterations))
	}
	if begun := time.Now(); w.look.Preview != "" && begun.After(w.next) {
		p := e.Snapshot()
		if long := max(p.W, p.H); long > previewSide {
			p = p.Resize(max(1, p.W*previewSide/long), max(1, p.H*previewSide/long), picture.Area)
		}
		// One that cannot be saved is not worth ending the render for.
		_ = picture.Save(w.look.Preview, p, picture.WriteOptions{Fast: true})
		w.next = time.Now().Add(max(previewEvery, previewShare*time.Since(begun)))
	}
	if w.look.Watch != nil {
		w.look.Watch(m)
	}
}

const (
	previewSide  = 1024                   // most pixels a side
	previewEvery = 300 * time.Millisecond // least time between two
	previewShare = 20                     // and how often as long as one takes
)

// Derive implements Engine, with the best network there is.
func (p *Painter) Derive(ctx context.Context, img *picture.Picture, regions int) (*maps.Map, error) {
	p.deriving.Lock()
	defer p.deriving.Unlock()
	if p.maker == nil {
		maker, err := render.NewMapMaker(ctx, "", p.threads)
		if err != nil {
			return nil, err
		}
		p.maker = maker
	}
	return p.maker.Derive(img, regions)
}

// besides are settings of the page that are no options of the picture.
var besides = []string{"weights", "map-check"}

// Settings implements Engine: what decides the picture and names no file.
func (p *Painter) Settings(mode string, from *recipe.Recipe) []Setting {
	var list []Setting
	defaults := settings.Defaults(mode, "")
	for _, s := range settings.For(mode) {
		if !s.Option() && !slices.Contains(besides, s.Name) {
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
			p.said(&one, s, from)
		}
		list = append(list, one)
	}
	return list
}

// said takes the value that a recipe has where it is not the default.
func (p *Painter) said(one *Setting, s settings.Setting, from *recipe.Recipe) {
	switch {
	case s.Name == "weights":
		if slices.Contains(one.Choices, from.Weights.Name) {
			one.Text = from.Weights.Name
		}
	case s.Option():
		text := settings.OptionText(&from.Options, s.Name)
		if text != one.Default && (len(one.Choices) == 0 || slices.Contains(one.Choices, text)) {
			one.Text = text
		}
	}
}
