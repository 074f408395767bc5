package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// videoOutcome is what the command says of a finished film, as JSON too.
type videoOutcome struct {
	Type     string   `json:"type"` // "result"
	Output   string   `json:"output"`
	W        int      `json:"width"`
	H        int      `json:"height"`
	Frames   int      `json:"frames"`
	Painted  int      `json:"painted"` // now; the others were there
	Shots    int      `json:"shots"`
	Seconds  float64  `json:"seconds"`
	Flicker  *float64 `json:"flicker"`  // mean over the frames compared, in levels of 255
	Compared int      `json:"compared"` // frames painted now, each with the one before it
	Weights  string   `json:"weights"`
	Seed     uint64   `json:"seed"`
	Recipe   string   `json:"recipe"` // hash
	Stopped  string   `json:"stopped,omitempty"`
}

// roll is the painting of frames under way.
type roll struct {
	show    *show
	content *film.Cursor
	painted int
	flicker float64 // sum over flickers
	pairs   int     // of them
	spent   time.Duration
	left    float64       // seconds, as planned, of what is to be painted
	paid    float64       // of that, what is painted
	kept    time.Time     // when the last checkpoint was packed, or painting began
	keeping time.Duration // that took
}

// run paints what is missing and makes the film; prepare has been called.
func (v *video) run(ctx context.Context, signals *ui.Signals) error {
	if v.set.on("dry-run") {
		return v.dryRun()
	}
	if done, err := v.settleOutput(); done || err != nil {
		return err
	}
	show, err := v.newShow()
	if err != nil {
		return err
	}
	defer show.reporter.Close()
	for _, n := range v.notes {
		show.reporter.Event("warning", n, nil)
	}
	if err := v.beginFrames(); err != nil {
		return err
	}
	v.begun = time.Now()
	show.reporter.Start(v.header(), v.describe())
	if had := v.done(); had > 0 {
		show.reporter.Event("checkpoint", fmt.Sprintf("%d of %s are painted already", had, ui.Count(v.input.Frames, "frame")), nil)
	}
	if !v.quiet && show.screen != nil {
		show.screen.Reserve(v.plan.W(), v.plan.H())
	}
	v.setGarbage(v.plan.PeakBytes)
	v.makeRoom()
	r := &roll{show: show, content: film.NewCursor(v.source), left: v.seconds(), kept: v.begun}
	defer r.content.Close()
	for _, s := range v.shots {
		if err := v.paintShot(ctx, s, r); err != nil {
			v.pack(context.WithoutCancel(ctx), r)
			return v.stopped(signals, err)
		}
	}
	o := videoOutcome{Painted: r.painted, Compared: r.pairs}
	if r.pairs > 0 {
		mean := r.flicker / float64(r.pairs)
		o.Flicker = &mean
	}
	return v.finishFilm(ctx, signals, show.reporter, o)
}

// settleOutput asks, if it must, whether the output may be replaced; done says
// that it is to be left alone.
func (v *video) settleOutput() (done bool, err error) {
	if v.out.skip {
		if !v.quiet && !v.json {
			fmt.Fprintf(v.stderr, "impasto: %q exists and is left alone\n", v.out.path)
		}
		return true, v.tell(videoOutcome{Type: "result", Output: v.out.path, Stopped: "skipped"})
	}
	if v.out.ask {
		v.asks = append([]string{v.out.path}, v.asks...)
	}
	for _, path := range v.asks {
		if err := v.confirm(path); err != nil {
			return false, err
		}
	}
	return false, nil
}

// paintShot paints the frames of a shot that are not there yet, in order. It
// needs nothing of other shots but the source to read from, and leaves nothing
// but files: killed and called again, it goes on.
func (v *video) paintShot(ctx context.Context, s film.Shot, r *roll) error {
	v.sequence.Start()
	last := -1 // the frame that the sequence would follow
	for n := s.First; n <= s.Last; n++ {
		if v.has(n) {
			continue
		}
		if n > s.First && last != n-1 {
			if err := v.follow(ctx, n-1, r); err != nil {
				return err
			}
		}
		content, err := r.content.Frame(ctx, n)
		if err != nil {
			return err
		}
		begun := time.Now()
		v.sequence.SetProgress(func(e style.Event) { v.watchFrame(r, n, e) })
		f, err := v.sequence.Next(ctx, content)
		if err != nil {
			return v.frameFault(n, err)
		}
		if err := picture.Save(v.frame(n), f.Picture, picture.WriteOptions{Software: software()}); err != nil {
			return err
		}
		last = n
		v.tellFrame(r, n, f, time.Since(begun))
		if time.Since(r.kept) >= max(packEvery, 10*r.keeping) {
			v.pack(ctx, r)
		}
	}
	return nil
}

// follow makes a painted frame the one before the next.
func (v *video) follow(ctx context.Context, n int, r *roll) error {
	content, err := r.content.Frame(ctx, n)
	if err != nil {
		return err
	}
	painted, _, err := picture.Read(v.frame(n), picture.ReadOptions{Role: "painted frame"})
	if err != nil {
		return err
	}
	return v.sequence.Follow(content, painted)
}

// watchFrame is called after iterations.
func (v *video) watchFrame(r *roll, n int, e style.Event) {
	if e.Notice != "" && strings.Contains(e.Notice, "finite") {
		r.show.reporter.Event("warning", fmt.Sprintf("frame %d: %s", n+1, e.Notice), nil)
	}
	eta := time.Duration(-1)
	if r.paid > 0 {
		eta = time.Duration(float64(r.spent)*(r.left-r.paid)/r.paid) - e.Elapsed
		eta = max(eta, 0)
	}
	r.show.reporter.Update(progress.Update{
		What: "frame", Scale: n + 1, Scales: v.input.Frames, W: e.W, H: e.H, Iter: e.Done, Iters: e.Planned,
		ItsPerSecond: e.PerSecond, ETA: eta, Loss: e.Losses.Total, Memory: e.Bytes, Terms: terms(e.Losses),
	})
	if r.show.due(time.Now()) {
		r.show.preview(e.Snapshot(), false)
	}
}

// tellFrame reports a painted frame.
func (v *video) tellFrame(r *roll, n int, f *style.Frame, took time.Duration) {
	r.painted++
	r.spent += took
	r.paid += v.next.Seconds
	if f.Moved == nil {
		r.paid += v.plan.Seconds - v.next.Seconds
	}
	facts := map[string]any{"frame": n + 1, "output": v.frame(n), "seconds": took.Seconds()}
	text := fmt.Sprintf("%s in %s", v.frame(n), progress.Span(took))
	if flicker := f.Flicker(); !math.IsNaN(flicker) {
		r.flicker += flicker
		r.pairs++
		facts["flicker"] = flicker
		text += fmt.Sprintf(", flicker %.2f", flicker)
	} else {
		text += ", begun anew"
	}
	r.show.reporter.Event("frame", text, facts)
}

// frameFault names the frame that something went wrong with.
func (v *video) frameFault(n int, err error) error {
	var diverged *style.DivergedError
	if errors.As(err, &diverged) {
		f := ui.FaultsOf(diverged)[0]
		f.Message = fmt.Sprintf("frame %d: %s", n+1, f.Message)
		return f
	}
	return err
}

// stopped is how painting ends early. What is painted stays.
func (v *video) stopped(signals *ui.Signals, err error) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	f := signals.Fault(fmt.Sprintf("interrupted after %d of %s, which are kept in %q", v.done(), ui.Count(v.input.Frames, "frame"), filepath.Dir(v.frames)))
	f.Try = []string{v.again() + "   (goes on there)"}
	return f
}

// again is the command line, without what would begin anew.
func (v *video) again() string {
	var words []string
	for _, w := range v.args {
		if w != "--restart" && w != "-restart" {
			words = append(words, w)
		}
	}
	return ui.ImpastoCommand(words[1:])
}

// teller is what both kinds of progress have in common.
type teller interface {
	Event(kind, message string, facts map[string]any)
	Result(message string, facts map[string]any)
	Close()
}

// finishFilm makes the film of the painted frames and completes o, which has
// what was painted.
func (v *video) finishFilm(ctx context.Context, signals *ui.Signals, t teller, o videoOutcome) error {
	o.Type, o.Output, o.W, o.H, o.Frames, o.Shots = "result", v.out.path, v.plan.W(), v.plan.H(), v.input.Frames, len(v.shots)
	o.Weights, o.Seed, o.Recipe = v.network.Name, v.set.options.Seed, v.order.hash()
	if v.film.Path != "" {
		if !v.tools.OK() && !film.IsArchive(v.film.Path) {
			return ui.NewFault(ui.ExitOutput, "ffmpeg_missing", fmt.Sprintf("film %q was not made, for ffmpeg is not installed; its %s are in %q",
				v.film.Path, ui.Count(v.input.Frames, "frame"), filepath.Dir(v.frames)), "apt install ffmpeg   (or brew, winget), and the same command", v.film.Command(v.frames, 1))
		}
		t.Event("writing", v.film.Path, map[string]any{"output": v.film.Path})
		if err := v.writeFilm(ctx); err != nil {
			return v.stopped(signals, err)
		}
		if !v.set.on("keep-frames") {
			v.removeFrames()
		}
	}
	took := time.Since(v.begun)
	o.Seconds = took.Seconds()
	message := fmt.Sprintf("%s, %d painted now, in %s", ui.Count(o.Frames, "frame"), o.Painted, progress.Span(took))
	if o.Flicker != nil {
		message += fmt.Sprintf(" · flicker %.2f of 255", *o.Flicker)
	}
	t.Result(message, map[string]any{"output": o.Output, "frames": o.Frames, "seconds": o.Seconds, "flicker": o.Flicker})
	t.Close()
	return v.tell(o)
}

// writeFilm encodes the painted frames in order, or puts them into an archive.
func (v *video) writeFilm(ctx context.Context) error {
	if film.IsArchive(v.film.Path) {
		return film.Pack(ctx, v.film.Path, v.painted()...)
	}
	w, err := v.tools.Create(ctx, v.film)
	if err != nil {
		return err
	}
	for n := range v.input.Frames {
		p, _, err := picture.Read(v.frame(n), picture.ReadOptions{Role: "painted frame"})
		if err == nil {
			err = w.Write(p)
		}
		if err != nil {
			w.Abort()
			return err
		}
	}
	return w.Close()
}

func (v *video) tell(o videoOutcome) error {
	if v.json {
		return writeJSON(v.stdout, o)
	}
	return ui.PrintResult(v.stdout, o.Output)
}
