package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// Run paints the picture and writes it with all that belongs to it. When ctx is
// cancelled, Run finishes the iteration, saves the current picture, and returns the
// result together with a fault with the code "interrupted". A run that diverges
// ends in the same way, with its last good picture.
func (r *Prepared) Run(ctx context.Context, watch Observer) (*Result, error) {
	if r.out.skip {
		return &Result{Output: r.out.path, Stopped: "skipped"}, nil
	}
	for _, dir := range r.folders {
		if err := MakeDirectory(dir); err != nil {
			return nil, err
		}
	}
	r.start(watch)
	res, err := r.paint(ctx, watch, r.watchRun(watch))
	if res == nil || res.Picture == nil {
		if errors.Is(err, context.Canceled) {
			return nil, interrupted("interrupted before the first iteration; no picture was saved")
		}
		return nil, err
	}
	return r.finish(watch, res, err)
}

func interrupted(message string) *ui.Fault {
	return ui.NewFault(ui.ExitInterrupted, "interrupted", message)
}

func (r *Prepared) start(watch Observer) {
	for _, n := range r.Notes {
		watch.send(Warning{Text: n})
	}
	watch.send(Started{r.Plan()})
}

// paint runs the optimisation. It may return a picture together with an error,
// because interrupted and diverged runs keep their picture.
func (r *Prepared) paint(ctx context.Context, watch Observer, each func(style.Event)) (*style.Result, error) {
	r.env.setGarbage(r.plan.PeakBytes)
	r.makeRoom()
	r.painter.Progress, r.painter.Plan = each, &r.plan
	r.painter.Saving = r.saving()
	r.painter.Saving.Saved = func(path string) { watch.send(CheckpointSaved{path}) }
	o := r.values.Options
	o.Mode = r.Request.Mode
	return style.Paint(ctx, r.inputs, o, r.painter)
}

// garbagePercent is how much garbage may exist, in percent of the memory in use.
// The heap is a few large arrays without pointers, so that scanning it costs almost
// nothing. Go's default of 100 would double the memory in the plan.
const garbagePercent = 10

// jobGarbage is how many bytes of garbage may exist in a process that paints one
// job after the other and has other parts, such as the queue. Scanning after every
// few megabytes took a job of 256 pixels 8 ms (scripts/bench-batch).
const jobGarbage = 32 << 20

// setGarbage sets how much garbage may exist when peak bytes are in use.
func (e Env) setGarbage(peak int64) {
	percent := garbagePercent
	if e.Job {
		percent = max(percent, int(100*jobGarbage/max(peak, jobGarbage)))
	}
	debug.SetGCPercent(percent)
}

// watchRun returns the function that style calls after iterations.
func (r *Prepared) watchRun(watch Observer) func(style.Event) {
	saved := 0 // number of intermediate pictures so far
	return func(e style.Event) {
		if e.Notice != "" {
			watch.send(Warning{Text: e.Notice, Repeats: true})
		}
		e.Snapshot = once(e.Snapshot)
		if every := r.Request.Output.SaveEvery; every > 0 && e.Done/every > saved {
			saved = e.Done / every
			r.saveFrame(watch, e.Snapshot(), e.Done)
		}
		watch.send(Progress{Event: e, Terms: lossTerms(e.Losses), Output: r.out.path, Save: func() error { return r.saveSnapshot(watch, e) }})
		if r.report != "" {
			r.keepFrame(e, e.Snapshot)
		}
	}
}

// once returns a function that calls f at its first call and then returns the same
// result.
func once(f func() *style.Picture) func() *style.Picture {
	var p *style.Picture
	return func() *style.Picture {
		if p == nil {
			p = f()
		}
		return p
	}
}

// saveFrame writes an intermediate picture.
func (r *Prepared) saveFrame(watch Observer, p *style.Picture, iteration int) {
	name := ui.FrameName(r.framesOf, r.Request.Output.Frames, iteration)
	if _, err := os.Lstat(name); err == nil && r.keepExisting {
		return
	}
	watch.send(FrameSaved{name, picture.Save(name, (*picture.Picture)(p), picture.WriteOptions{Fast: true, Software: r.env.software()})})
}

// saveSnapshot writes the unfinished picture to the output.
func (r *Prepared) saveSnapshot(watch Observer, e style.Event) error {
	if r.out.path == ui.Stdout {
		return nil
	}
	rec := r.recipe
	rec.Output = r.encoding()
	rec.Result = recipe.Result{W: e.W, H: e.H, Iterations: e.Done, Planned: e.Planned,
		Loss: recipe.Finite(e.Losses.Total), Stopped: "snapshot", PixelSHA256: pixelHash(e.Snapshot(), rec.Output.Depth)}
	return r.save(e.Snapshot(), rec, watch)
}

// finish saves the picture, even if the run ended early.
func (r *Prepared) finish(watch Observer, res *style.Result, runErr error) (*Result, error) {
	stopped := stopReason(runErr)
	rec := r.finished(res, stopped)
	if err := r.save(res.Picture, rec, watch); err != nil {
		return nil, r.rescue(res.Picture, rec, watch, err)
	}
	if stopped != "interrupted" {
		r.removeCheckpoint()
	}
	out := &Result{
		Output: r.out.path, W: res.Picture.W, H: res.Picture.H, Iterations: res.Iterations,
		Seconds: res.Elapsed.Seconds(), Iterating: res.Iterating.Seconds(), Losses: finiteLosses(res.Losses),
		Weights: r.network.Name, Device: rec.Device, Precision: rec.Precision, Seed: r.values.Options.Seed, Recipe: rec.Hash(), Stopped: stopped, Picture: res.Picture,
	}
	if err := r.writeExtras(out, res, rec); err != nil {
		return nil, err
	}
	watch.send(Finished{out})
	return out, r.ending(res, runErr)
}

// writeExtras writes the report and the explanation.
func (r *Prepared) writeExtras(out *Result, res *style.Result, rec recipe.Recipe) error {
	if r.explain == "" && r.report == "" {
		return nil
	}
	why := r.explainPatches(res)
	if r.explain != "" {
		if err := r.writeExplanation(r.explain, why, res); err != nil {
			return err
		}
		out.Explain, out.Explanation = r.explain, why.explanation.Sentences()
	}
	if r.report != "" {
		if err := r.writeReport(res, rec, why); err != nil {
			return err
		}
		out.Report = r.report
	}
	return nil
}

// ending returns the fault of a run that ended early, or nil for one that did not.
func (r *Prepared) ending(res *style.Result, err error) error {
	var diverged *style.DivergedError
	switch {
	case errors.Is(err, context.Canceled):
		text := fmt.Sprintf("interrupted after %d of %s", res.Iterations, ui.Count(r.plan.Iterations(), "iteration"))
		if r.out.path == ui.Stdout {
			return interrupted(text)
		}
		f := interrupted(text + fmt.Sprintf("; the picture so far, %dx%d, is in %q", res.Picture.W, res.Picture.H, r.out.path))
		f.Try = r.nextSteps()
		return f
	case errors.As(err, &diverged):
		f := ui.FaultsOf(diverged)[0]
		f.Message += fmt.Sprintf("; the last good picture was saved to %q", r.out.path)
		return f
	}
	return err
}

// stopReason names why a run ended early, or returns "" if it did not.
func stopReason(err error) string {
	var diverged *style.DivergedError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &diverged):
		return "diverged"
	case errors.Is(err, context.Canceled):
		return "interrupted"
	}
	return "failed"
}

// finished returns the recipe with the result added.
func (r *Prepared) finished(res *style.Result, stopped string) recipe.Recipe {
	rec := r.recipe
	rec.Options = res.Options
	rec.Output = r.encoding()
	p := res.Picture
	rec.Result = recipe.Result{
		W: p.W, H: p.H, Iterations: res.Iterations, Planned: r.plan.Iterations(),
		Loss: recipe.Finite(res.Losses.Total), Stopped: stopped, PixelSHA256: pixelHash(p, rec.Output.Depth),
	}
	return rec
}

// pixelHash returns a hash of a picture's codes of 8 or 16 bits a channel.
func pixelHash(p *style.Picture, depth int) string {
	return recipe.PixelHash(p.W, p.H, func(w io.Writer) { (*picture.Picture)(p).WriteCodes(w, depth) })
}

// writingEvery is the time between two Writing events.
const writingEvery = 2 * time.Second

// save writes the picture with its recipe.
func (r *Prepared) save(p *style.Picture, rec recipe.Recipe, watch Observer) error {
	last := time.Now()
	o := picture.WriteOptions{Depth: rec.Output.Depth, Software: r.env.software(), Progress: func(rows, of int) {
		if time.Since(last) >= writingEvery {
			last = time.Now()
			watch.send(Writing{r.out.path, rows, of})
		}
	}}
	if !r.Request.Output.NoRecipe {
		text, err := rec.Canonical()
		if err != nil {
			return err
		}
		o.Recipe = text
	}
	if r.out.path == ui.Stdout {
		err := picture.Encode(r.env.Stdout, (*picture.Picture)(p), r.out.format, o)
		if out, ok := r.env.Stdout.(*ui.Output); ok && err != nil {
			if f := out.Fault(); f != nil {
				return f
			}
		}
		return err
	}
	return picture.Save(r.out.path, (*picture.Picture)(p), o)
}

// again returns the command line of this request with changes, or "" if there is
// none.
func (r *Prepared) again(changes ...Change) string {
	if r.Request.Again == nil {
		return ""
	}
	return r.Request.Again(changes...)
}
