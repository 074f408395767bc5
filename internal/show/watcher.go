// Package show shows a person what a render will do and its progress: plans,
// progress, and previews in the terminal or in a file.
package show

import (
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/preview"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// Watcher shows the events of a render to the user: progress, and a preview in
// the terminal or in a file.
type Watcher struct {
	reporter progress.Reporter
	signals  *ui.Signals
	screen   *preview.Screen // nil without a terminal
	file     string          // of --preview FILE
	software string
	pace     preview.Pace
	noticed  time.Time
	closed   bool
}

// noticeEvery is the least time between notices of a run. A run that often goes
// back after overflows would otherwise fill the screen.
const noticeEvery = 10 * time.Second

// Options say how a render is shown.
type Options struct {
	Progress progress.Options
	Preview  string          // how pictures are drawn in the terminal; "": as it can
	File     string          // that a preview is written to
	Streams  []render.Stream // that progress is also written to, as JSON
	Signals  *ui.Signals
	Software string // that is named in previews
}

// NewWatcher opens progress and preview on standard error.
func NewWatcher(stderr io.Writer, o Options) *Watcher {
	w := &Watcher{file: o.File, signals: o.Signals, software: o.Software}
	kind := o.Progress.Kind
	out := stderr
	if o.Progress.Terminal && !o.Progress.Quiet && w.file == "" && (kind == "" || kind == "auto" || kind == "bar") {
		if protocol := previewProtocol(o.Preview); protocol != preview.None {
			cols, rows := ui.TerminalSize(stderr)
			w.screen = preview.NewScreen(stderr, protocol, cols, rows)
			out = w.screen
		}
	}
	w.reporter = progress.New(out, o.Progress)
	for _, stream := range o.Streams {
		w.reporter = progress.Both(w.reporter, progress.New(stream.File, progress.Options{Kind: "json"}))
	}
	return w
}

// Reported returns a watcher that uses only a reporter.
func Reported(r progress.Reporter) *Watcher { return &Watcher{reporter: r} }

// previewProtocol returns the protocol for drawing pictures in this terminal.
func previewProtocol(name string) preview.Protocol {
	if name == "" || name == "auto" {
		return preview.Detect(os.Getenv, preview.AsksSixel)
	}
	return preview.Protocol(name)
}

// Close ends the progress display and restores the terminal.
func (w *Watcher) Close() {
	if !w.closed {
		w.closed = true
		w.reporter.Close()
	}
}

// Observe shows an event. It is the render.Observer.
func (w *Watcher) Observe(e render.Event) {
	switch e := e.(type) {
	case render.Started:
		w.start(e.Plan.Header, e.Plan.Facts(), e.Plan.W, e.Plan.H)
	case render.FilmStarted:
		w.start(e.Plan.Header, e.Plan.Facts(), e.Plan.W, e.Plan.H)
		if e.Plan.Painted > 0 {
			w.reporter.Event("checkpoint", fmt.Sprintf("%d of %s are painted already", e.Plan.Painted, ui.Count(e.Plan.Input.Frames, "frame")), nil)
		}
	case render.Warning:
		if !e.Repeats || time.Since(w.noticed) > noticeEvery {
			w.reporter.Event("warning", e.Text, nil)
		}
		if e.Repeats {
			w.noticed = time.Now()
		}
	case render.Progress:
		w.progress(e)
	case render.FrameProgress:
		w.reporter.Update(progress.Update{
			What: "frame", Scale: e.Frame, Scales: e.Frames, W: e.W, H: e.H, Iter: e.Done, Iters: e.Event.Planned,
			ItsPerSecond: e.PerSecond, ETA: e.ETA, Loss: e.Losses.Total, Memory: e.Bytes, Terms: e.Terms})
		w.previewDue(e.Snapshot)
	case render.FrameSaved:
		w.saved(e.Path, e.Err)
	case render.FramePainted:
		w.framePainted(e)
	case render.Writing:
		w.writing(e)
	case render.Finished:
		w.preview(e.Result.Picture, true)
		w.reporter.Event(progress.Result, resultText(e.Result), map[string]any{"output": e.Result.Output, "iterations": e.Result.Iterations,
			"seconds": e.Result.Seconds, "recipe": e.Result.Recipe, "stopped": e.Result.Stopped})
	case render.FilmFinished:
		r := e.Result
		text := fmt.Sprintf("%s, %d painted now, in %s", ui.Count(r.Frames, "frame"), r.Painted, progress.Seconds(r.Seconds))
		if r.Flicker != nil {
			text += fmt.Sprintf(" · flicker %.2f of 255", *r.Flicker)
		}
		w.reporter.Event(progress.Result, text, map[string]any{"output": r.Output, "frames": r.Frames, "seconds": r.Seconds, "flicker": r.Flicker})
	}
}

func (w *Watcher) start(header string, facts map[string]any, width, height int) {
	w.reporter.Event(progress.Start, header, facts)
	if w.screen != nil {
		w.screen.Reserve(width, height)
	}
}

func (w *Watcher) progress(e render.Progress) {
	eta := e.ETA
	if eta == 0 && e.Done < e.Planned {
		eta = -1
	}
	w.reporter.Update(progress.Update{
		Scale: e.Scale, Scales: e.Scales, W: e.W, H: e.H, Iter: e.Iteration, Iters: e.Iterations,
		ItsPerSecond: e.PerSecond, ETA: eta, Loss: e.Losses.Total, Memory: e.Bytes, Terms: e.Terms,
	})
	if w.signals.WantsPicture() && e.Output != ui.Stdout {
		w.saved(e.Output, e.Save())
	}
	w.previewDue(e.Snapshot)
}

func (w *Watcher) previewDue(snapshot func() *style.Picture) {
	if (w.screen != nil || w.file != "") && w.pace.Due(time.Now()) {
		w.preview(snapshot(), false)
	}
}

// preview draws p. If last is set, it draws p even if the previous preview was
// recent.
func (w *Watcher) preview(p *style.Picture, last bool) {
	if w.screen == nil && w.file == "" {
		return
	}
	begun := time.Now()
	var err error
	if w.screen != nil {
		err = w.screen.Show(p.Image(8))
	} else {
		err = picture.Save(w.file, (*picture.Picture)(p), picture.WriteOptions{Fast: true, Software: w.software})
		if err == nil && !last {
			w.reporter.Event("preview", w.file, map[string]any{"output": w.file})
		}
	}
	if err != nil {
		w.reporter.Event("warning", err.Error(), nil)
	}
	w.pace.Took(time.Now(), time.Since(begun))
}

// saved reports whether an intermediate picture was saved.
func (w *Watcher) saved(path string, err error) {
	if err != nil {
		w.reporter.Event("warning", err.Error(), nil)
		return
	}
	w.reporter.Event("checkpoint", path, map[string]any{"output": path})
}

func (w *Watcher) framePainted(e render.FramePainted) {
	facts := map[string]any{"frame": e.Frame, "output": e.Path, "seconds": e.Took.Seconds()}
	text := fmt.Sprintf("%s in %s", e.Path, progress.Span(e.Took))
	if math.IsNaN(e.Flicker) {
		text += ", begun anew"
	} else {
		facts["flicker"] = e.Flicker
		text += fmt.Sprintf(", flicker %.2f", e.Flicker)
	}
	w.reporter.Event("frame", text, facts)
}

func (w *Watcher) writing(e render.Writing) {
	if e.Of == 0 {
		w.reporter.Event("writing", e.Path, map[string]any{"output": e.Path})
		return
	}
	w.reporter.Event("writing", fmt.Sprintf("%s: %d %%", e.Path, 100*e.Rows/e.Of), map[string]any{"output": e.Path, "rows": e.Rows, "of": e.Of})
}

// resultText describes the result of a picture in one line.
func resultText(r *render.Result) string {
	text := fmt.Sprintf("%s in %s · loss %s (%s)", ui.Count(r.Iterations, "iteration"),
		progress.Seconds(r.Seconds), progress.Number(r.Losses.Total), render.LossText(r.Losses, " "))
	if r.Report != "" {
		text += " · report " + r.Report
	}
	if r.Explain != "" {
		text += " · explained in " + r.Explain
	}
	return text
}
