package main

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
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// watcher shows the events of a render to the user: progress, and a preview in
// the terminal or in a file.
type watcher struct {
	reporter progress.Reporter
	signals  *ui.Signals
	screen   *preview.Screen // nil without a terminal
	file     string          // of --preview FILE
	pace     preview.Pace
	noticed  time.Time
	closed   bool
}

// noticeEvery spaces the notices of a run: one that keeps going back after
// overflows would fill the screen.
const noticeEvery = 10 * time.Second

// newWatcher opens progress and preview.
func (s *session) newWatcher(v *settings.Values, previewFile string, streams []render.Stream, signals *ui.Signals) *watcher {
	w := &watcher{file: previewFile, signals: signals}
	isTerminal := ui.IsTerminal(s.stderr)
	cols, rows := ui.TerminalSize(s.stderr)
	kind := v.Text("progress")
	var out io.Writer = s.stderr
	if isTerminal && !s.quiet && w.file == "" && (kind == "" || kind == "auto" || kind == "bar") {
		if protocol := previewProtocol(v.Text("preview")); protocol != preview.None {
			w.screen = preview.NewScreen(s.stderr, protocol, cols, rows)
			out = w.screen
		}
	}
	o := s.progressOptions(kind)
	o.PrintEvery = v.Number("print-every", 0)
	w.reporter = progress.New(out, o)
	for _, stream := range streams {
		w.reporter = progress.Both(w.reporter, progress.New(stream.File, progress.Options{Kind: "json"}))
	}
	return w
}

// progressOptions say how progress of a kind is written to standard error.
func (s *session) progressOptions(kind string) progress.Options {
	cols, _ := ui.TerminalSize(s.stderr)
	return progress.Options{Kind: kind, Quiet: s.quiet, Terminal: ui.IsTerminal(s.stderr), Width: cols}
}

// previewProtocol is how pictures are drawn in this terminal.
func previewProtocol(name string) preview.Protocol {
	if name == "" || name == "auto" {
		return preview.Detect(os.Getenv, preview.AsksSixel)
	}
	return preview.Protocol(name)
}

func (w *watcher) close() {
	if !w.closed {
		w.closed = true
		w.reporter.Close()
	}
}

// observe is the render.Observer.
func (w *watcher) observe(e render.Event) {
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
		text := fmt.Sprintf("%s, %d painted now, in %s", ui.Count(r.Frames, "frame"), r.Painted, span(r.Seconds))
		if r.Flicker != nil {
			text += fmt.Sprintf(" · flicker %.2f of 255", *r.Flicker)
		}
		w.reporter.Event(progress.Result, text, map[string]any{"output": r.Output, "frames": r.Frames, "seconds": r.Seconds, "flicker": r.Flicker})
	}
}

func (w *watcher) start(header string, facts map[string]any, width, height int) {
	w.reporter.Event(progress.Start, header, facts)
	if w.screen != nil {
		w.screen.Reserve(width, height)
	}
}

func (w *watcher) progress(e render.Progress) {
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

func (w *watcher) previewDue(snapshot func() *style.Picture) {
	if (w.screen != nil || w.file != "") && w.pace.Due(time.Now()) {
		w.preview(snapshot(), false)
	}
}

// preview draws p; the last picture is drawn whatever the pace.
func (w *watcher) preview(p *style.Picture, last bool) {
	if w.screen == nil && w.file == "" {
		return
	}
	begun := time.Now()
	var err error
	if w.screen != nil {
		err = w.screen.Show(p.Image(8))
	} else {
		err = picture.Save(w.file, (*picture.Picture)(p), picture.WriteOptions{Fast: true, Software: software()})
		if err == nil && !last {
			w.reporter.Event("preview", w.file, map[string]any{"output": w.file})
		}
	}
	if err != nil {
		w.reporter.Event("warning", err.Error(), nil)
	}
	w.pace.Took(time.Now(), time.Since(begun))
}

// saved reports a picture that was saved on the way, or not.
func (w *watcher) saved(path string, err error) {
	if err != nil {
		w.reporter.Event("warning", err.Error(), nil)
		return
	}
	w.reporter.Event("checkpoint", path, map[string]any{"output": path})
}

func (w *watcher) framePainted(e render.FramePainted) {
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

func (w *watcher) writing(e render.Writing) {
	if e.Of == 0 {
		w.reporter.Event("writing", e.Path, map[string]any{"output": e.Path})
		return
	}
	w.reporter.Event("writing", fmt.Sprintf("%s: %d %%", e.Path, 100*e.Rows/e.Of), map[string]any{"output": e.Path, "rows": e.Rows, "of": e.Of})
}

// resultText is the result of a picture in one line.
func resultText(r *render.Result) string {
	text := fmt.Sprintf("%s in %s · loss %s (%s)", ui.Count(r.Iterations, "iteration"),
		span(r.Seconds), progress.Number(r.Losses.Total), render.LossText(r.Losses, " "))
	if r.Report != "" {
		text += " · report " + r.Report
	}
	if r.Explain != "" {
		text += " · explained in " + r.Explain
	}
	return text
}

func span(seconds float64) string {
	return progress.Span(time.Duration(seconds * float64(time.Second)))
}
