package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/preview"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// outcome is what a command says of a finished picture, as JSON too.
type outcome struct {
	Type       string       `json:"type"` // "result"
	Output     string       `json:"output"`
	W          int          `json:"width"`
	H          int          `json:"height"`
	Iterations int          `json:"iterations"`
	Seconds    float64      `json:"seconds"`
	Iterating  float64      `json:"iterating"` // seconds of these in iterations
	Losses     style.Losses `json:"losses"`
	Weights    string       `json:"weights"`
	Seed       uint64       `json:"seed"`
	Recipe     string       `json:"recipe"` // hash
	Report     string       `json:"report,omitempty"`
	Explain    string       `json:"explain,omitempty"` // directory
	Stopped    string       `json:"stopped,omitempty"`
}

// run paints, saves and tells; prepare has been called.
func (r *render) run() error {
	if r.set.on("dry-run") {
		return r.dryRun()
	}
	if r.out.skip {
		if !r.quiet && !r.json {
			fmt.Fprintf(r.stderr, "impasto: %q exists and is left alone\n", r.out.path)
		}
		return r.tellResult(outcome{Type: "result", Output: r.out.path, Stopped: "skipped"})
	}
	if r.out.ask {
		if err := r.confirm(r.out.path); err != nil {
			return err
		}
	}
	for _, path := range r.asks {
		if err := r.confirm(path); err != nil {
			return err
		}
	}
	if err := r.makeFolders(); err != nil {
		return err
	}
	show, err := r.newShow()
	if err != nil {
		return err
	}
	defer show.reporter.Close()
	for _, n := range r.notes {
		show.reporter.Event("warning", n, nil)
	}
	show.reporter.Start(r.header(), r.describe())
	if !r.quiet && show.screen != nil {
		show.screen.Reserve(r.plan.W(), r.plan.H())
	}

	ctx, signals := r.watchSignals()
	defer signals.Stop()
	res, err := r.paint(ctx, func(e style.Event) { r.watch(show, signals, e) })
	if res == nil || res.Picture == nil {
		if errors.Is(err, context.Canceled) {
			return signals.Fault("interrupted before the first iteration; no picture was saved")
		}
		return err
	}
	return r.finish(show, signals, res, err)
}

// finish saves what was painted, also when it ended early.
func (r *render) finish(show *show, signals *ui.Signals, res *style.Result, runErr error) error {
	stopped := stopReason(runErr)
	rec := r.finished(res, stopped)
	if err := r.save(res.Picture, rec, show); err != nil {
		return r.rescue(res.Picture, rec, show, err)
	}
	if stopped != "interrupted" {
		r.removeCheckpoint()
	}
	show.preview(res.Picture, true)
	o := outcome{
		Type: "result", Output: r.out.path, W: res.Picture.W, H: res.Picture.H, Iterations: res.Iterations,
		Seconds: res.Elapsed.Seconds(), Iterating: res.Iterating.Seconds(), Losses: finiteLosses(res.Losses), Weights: r.network.Name, Seed: r.set.options.Seed,
		Recipe: rec.Hash(), Stopped: stopped,
	}
	dir := r.explain
	var why *account
	if dir != "" || r.report != "" {
		why = r.account(res)
	}
	if dir != "" {
		if err := r.writeAccount(dir, why, res); err != nil {
			return err
		}
		o.Explain = dir
	}
	if r.report != "" {
		if err := r.writeReport(res, rec, why); err != nil {
			return err
		}
		o.Report = r.report
	}
	message := fmt.Sprintf("%s in %s · loss %s (%s)", ui.Count(res.Iterations, "iteration"),
		progress.Span(res.Elapsed), progress.Number(res.Losses.Total), told(res.Losses, " "))
	if o.Report != "" {
		message += " · report " + o.Report
	}
	if o.Explain != "" {
		message += " · explained in " + o.Explain
	}
	show.reporter.Result(message, map[string]any{"output": r.out.path, "iterations": res.Iterations,
		"seconds": res.Elapsed.Seconds(), "recipe": o.Recipe, "stopped": stopped})
	show.reporter.Close()
	if dir != "" && !r.quiet && !r.json {
		for _, line := range why.explanation.Sentences() {
			fmt.Fprintln(r.stderr, ui.Printable(line))
		}
	}

	var diverged *style.DivergedError
	switch {
	case stopped == "interrupted":
		done := fmt.Sprintf("interrupted after %d of %s", res.Iterations, ui.Count(r.plan.Iterations(), "iteration"))
		if r.out.path != ui.Stdout {
			done += fmt.Sprintf("; the picture so far, %dx%d, is in %q", res.Picture.W, res.Picture.H, r.out.path)
		}
		f := signals.Fault(done)
		if r.out.path != ui.Stdout {
			f.Try = r.waysOn()
		}
		return f
	case errors.As(runErr, &diverged):
		f := ui.FaultsOf(diverged)[0]
		f.Message += fmt.Sprintf("; the last good picture was saved to %q", r.out.path)
		return f
	case runErr != nil:
		return runErr
	}
	return r.tellResult(o)
}

// tellResult writes the result on standard output: the path, or JSON.
func (r *render) tellResult(o outcome) error {
	if r.json && o.Output != ui.Stdout {
		return writeJSON(r.stdout, o)
	}
	return ui.PrintResult(r.stdout, o.Output)
}

// save writes the picture with its recipe.
func (r *render) save(p *picture.Picture, rec recipe.Recipe, show *show) error {
	o := picture.WriteOptions{Depth: rec.Output.Depth, Software: software(), Progress: show.writing(r.out.path)}
	if !r.set.on("no-recipe") {
		text, err := rec.Canonical()
		if err != nil {
			return err
		}
		o.Recipe = text
	}
	return r.write(r.out, p, o)
}

// watch is called after iterations, at most some ten times a second.
func (r *render) watch(show *show, signals *ui.Signals, e style.Event) {
	if e.Notice != "" && time.Since(show.noticed) > noticeEvery {
		show.noticed = time.Now()
		show.reporter.Event("warning", e.Notice, nil)
	}
	eta := e.ETA
	if eta == 0 && e.Done < e.Planned {
		eta = -1
	}
	show.reporter.Update(progress.Update{
		Scale: e.Scale, Scales: e.Scales, W: e.W, H: e.H, Iter: e.Iteration, Iters: e.Iterations,
		ItsPerSecond: e.PerSecond, ETA: eta, Loss: e.Losses.Total, Memory: e.Bytes, Terms: terms(e.Losses),
	})
	var snapshot *picture.Picture // made once, if anybody wants it
	now := func() *picture.Picture {
		if snapshot == nil {
			snapshot = e.Snapshot()
		}
		return snapshot
	}
	if every := r.set.number("save-every", 0); every > 0 && e.Done/every > show.saved {
		show.saved = e.Done / every
		r.saveFrame(show, now(), e.Done)
	}
	if signals.WantsPicture() && r.out.path != ui.Stdout {
		rec := r.recipe
		rec.Output = r.encoding()
		rec.Result = recipe.Result{W: e.W, H: e.H, Iterations: e.Done, Planned: e.Planned,
			Loss: recipe.Finite(e.Losses.Total), Stopped: "snapshot", PixelSHA256: pixelHash(now(), rec.Output.Depth)}
		show.tellSaved(r.out.path, r.save(now(), rec, show))
	}
	if show.due(time.Now()) {
		show.preview(now(), false)
	}
	if r.report != "" {
		r.keepFrame(e, now)
	}
}

func terms(l style.Losses) []progress.Term {
	list := []progress.Term{{Name: "style", Value: l.Style}, {Name: "content", Value: l.Content}, {Name: "tv", Value: l.TV}}
	if l.Temporal > 0 {
		list = append(list, progress.Term{Name: "temporal", Value: l.Temporal})
	}
	if l.Patch > 0 {
		list = append([]progress.Term{{Name: "patch", Value: l.Patch}}, list...)
	}
	return list
}

// told names the terms of a loss.
func told(l style.Losses, between string) string {
	var words []string
	for _, t := range terms(l) {
		words = append(words, t.Name+" "+progress.Number(t.Value))
	}
	return strings.Join(words, between)
}

// saveFrame writes an intermediate picture. A full disk must not end the
// render: the picture itself is still to come.
func (r *render) saveFrame(show *show, p *picture.Picture, iteration int) {
	name := ui.FrameName(r.framesOf, ui.Home(r.set.text("frames")), iteration)
	if _, err := os.Lstat(name); err == nil && r.keepExisting {
		return
	}
	err := picture.Save(name, p, picture.WriteOptions{Fast: true, Software: software()})
	show.tellSaved(name, err)
}

// show is what the user sees while it is being painted.
type show struct {
	reporter progress.Reporter
	screen   *preview.Screen // nil without a terminal
	file     string          // --preview FILE
	pace     preview.Pace
	saved    int // how many times save-every has passed
	noticed  time.Time
}

// noticeEvery spaces what a run says of itself: one that keeps going back
// after overflows would fill the screen.
const noticeEvery = 10 * time.Second

// writing tells how far a picture is written that takes long to write.
func (s *show) writing(path string) func(rows, of int) {
	last := time.Now()
	return func(rows, of int) {
		if time.Since(last) < writingEvery {
			return
		}
		last = time.Now()
		s.reporter.Event("writing", fmt.Sprintf("%s: %d %%", path, 100*rows/of), map[string]any{"output": path, "rows": rows, "of": of})
	}
}

const writingEvery = 2 * time.Second

// newShow opens progress and preview.
func (r *render) newShow() (*show, error) {
	s := &show{file: r.previewPath}
	isTerm := ui.IsTerminal(r.stderr)
	cols, rows := ui.TerminalSize(r.stderr)
	kind := r.set.text("progress")
	out := r.stderr
	protocol := preview.None
	if isTerm && !r.quiet && s.file == "" && (kind == "" || kind == "auto" || kind == "bar") {
		protocol = r.protocol()
	}
	if protocol != preview.None {
		s.screen = preview.NewScreen(r.stderr, protocol, cols, rows)
		out = s.screen
	}
	s.reporter = progress.New(out, progress.Options{
		Kind: kind, PrintEvery: r.set.number("print-every", 0), Quiet: r.quiet, Terminal: isTerm, Width: cols})
	if r.progressFile != nil {
		s.reporter = progress.Both(s.reporter, progress.New(r.progressFile, progress.Options{Kind: "json"}))
	}
	return s, nil
}

// protocol is how pictures are drawn in this terminal.
func (r *render) protocol() preview.Protocol {
	switch p := r.set.text("preview"); p {
	case "", "auto":
		return preview.Detect(os.Getenv, preview.AsksSixel)
	default:
		return preview.Protocol(p)
	}
}

// previewFile is the file of --preview FILE, or "".
func (r *render) previewFile() string {
	p := r.set.text("preview")
	if p == "" || p == "auto" {
		return ""
	}
	for _, known := range preview.Protocols {
		if p == string(known) {
			return ""
		}
	}
	return ui.Home(p)
}

func (s *show) due(now time.Time) bool {
	return (s.screen != nil || s.file != "") && s.pace.Due(now)
}

// preview draws p; the last picture is drawn whatever the pace.
func (s *show) preview(p *picture.Picture, last bool) {
	if s.screen == nil && s.file == "" {
		return
	}
	begun := time.Now()
	var err error
	if s.screen != nil {
		err = s.screen.Show(p.Image(8))
	} else {
		err = picture.Save(s.file, p, picture.WriteOptions{Fast: true, Software: software()})
		if err == nil && !last {
			s.reporter.Event("preview", s.file, map[string]any{"output": s.file})
		}
	}
	if err != nil {
		s.reporter.Event("warning", err.Error(), nil)
	}
	s.pace.Took(time.Now(), time.Since(begun))
}

// tellSaved reports a picture saved on the way.
func (s *show) tellSaved(path string, err error) {
	if err != nil {
		s.reporter.Event("warning", err.Error(), nil)
		return
	}
	s.reporter.Event("checkpoint", path, map[string]any{"output": path})
}
