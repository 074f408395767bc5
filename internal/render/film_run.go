package render

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
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// FilmResult is the outcome of a film. Its JSON form is the result that commands
// print and jobs store.
type FilmResult struct {
	Output    string   `json:"output"`
	W         int      `json:"width"`
	H         int      `json:"height"`
	Frames    int      `json:"frames"`
	Painted   int      `json:"painted"` // number of frames painted now; the others existed
	Shots     int      `json:"shots"`
	Seconds   float64  `json:"seconds"`
	Flicker   *float64 `json:"flicker"`  // mean over the frames compared, in levels of 255
	Compared  int      `json:"compared"` // number of frames painted now that were compared with the previous frame
	Weights   string   `json:"weights"`
	Device    string   `json:"device,omitempty"`    // its class; "" if workers painted the film
	Precision string   `json:"precision,omitempty"` // of features: "f32", "f16" or "bf16"; all that workers used
	Seed      uint64   `json:"seed"`
	Recipe    string   `json:"recipe"` // its hash
	Stopped   string   `json:"stopped,omitempty"`
}

// roll is the state of a film that is being painted.
type roll struct {
	watch   Observer
	content *film.Cursor
	painted int
	flicker float64 // sum over the frames compared
	pairs   int     // number of frames compared
	spent   time.Duration
	left    float64       // planned seconds of the frames still to be painted
	paid    float64       // planned seconds of the painted frames
	packed  time.Time     // when the last checkpoint was packed, or painting began
	packing time.Duration // how long that took
}

// Run paints the missing frames and makes the film. When ctx is cancelled, the
// painted frames stay and the fault has the code "interrupted". The same request
// then continues with them.
func (v *Film) Run(ctx context.Context, watch Observer) (*FilmResult, error) {
	if v.out.skip {
		return v.skipped(), nil
	}
	for _, n := range v.Notes {
		watch.send(Warning{Text: n})
	}
	if err := v.Begin(); err != nil {
		return nil, err
	}
	plan := v.Plan()
	watch.send(FilmStarted{plan})
	v.env.setGarbage(v.plan.PeakBytes)
	v.makeRoom()
	r := &roll{watch: watch, content: film.NewCursor(v.source), left: plan.Seconds, packed: v.begun}
	defer r.content.Close()
	for _, s := range v.shots {
		if err := v.paintShot(ctx, s, r); err != nil {
			v.pack(context.WithoutCancel(ctx), r)
			return nil, v.Stopped(err)
		}
	}
	out := &FilmResult{Painted: r.painted, Compared: r.pairs, Device: v.device.Class, Precision: v.format()}
	if r.pairs > 0 {
		mean := r.flicker / float64(r.pairs)
		out.Flicker = &mean
	}
	return out, v.Finish(ctx, watch, out)
}

func (v *Film) skipped() *FilmResult {
	return &FilmResult{Output: v.out.path, Stopped: "skipped"}
}

// paintShot paints the missing frames of a shot, in order. It depends on no other
// shot, and its only results are files. So if the process is killed, another one
// can continue.
func (v *Film) paintShot(ctx context.Context, s film.Shot, r *roll) error {
	v.sequence.Start()
	last := -1 // the previous frame of the sequence
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
		f, err := v.sequence.Next(ctx, (*style.Picture)(content))
		if err != nil {
			return v.frameFault(n, err)
		}
		if err := picture.Save(v.frame(n), (*picture.Picture)(f.Picture), picture.WriteOptions{Software: v.env.software()}); err != nil {
			return err
		}
		last = n
		v.framePainted(r, n, f, time.Since(begun))
		if time.Since(r.packed) >= max(v.packEvery(), 10*r.packing) {
			v.pack(ctx, r)
		}
	}
	return nil
}

// follow makes frame n, which is painted, the previous frame of the sequence.
func (v *Film) follow(ctx context.Context, n int, r *roll) error {
	content, err := r.content.Frame(ctx, n)
	if err != nil {
		return err
	}
	painted, _, err := picture.Read(v.frame(n), picture.ReadOptions{Role: "painted frame"})
	if err != nil {
		return err
	}
	return v.sequence.Follow((*style.Picture)(content), (*style.Picture)(painted))
}

// watchFrame is called after iterations.
func (v *Film) watchFrame(r *roll, n int, e style.Event) {
	if e.Notice != "" && strings.Contains(e.Notice, "finite") {
		r.watch.send(Warning{Text: fmt.Sprintf("frame %d: %s", n+1, e.Notice)})
	}
	eta := time.Duration(-1)
	if r.paid > 0 {
		eta = max(time.Duration(float64(r.spent)*(r.left-r.paid)/r.paid)-e.Elapsed, 0)
	}
	e.Snapshot = once(e.Snapshot)
	r.watch.send(FrameProgress{Event: e, Frame: n + 1, Frames: v.input.Frames, ETA: eta, Terms: lossTerms(e.Losses)})
}

// framePainted counts a painted frame.
func (v *Film) framePainted(r *roll, n int, f *style.Frame, took time.Duration) {
	r.painted++
	r.spent += took
	r.paid += v.next.Seconds
	if f.Moved == nil {
		r.paid += v.plan.Seconds - v.next.Seconds
	}
	flicker := f.Flicker()
	if !math.IsNaN(flicker) {
		r.flicker += flicker
		r.pairs++
	}
	r.watch.send(FramePainted{n + 1, v.frame(n), took, flicker})
}

// frameFault adds the number of the frame to an error.
func (v *Film) frameFault(n int, err error) error {
	var diverged *style.DivergedError
	if errors.As(err, &diverged) {
		f := ui.FaultsOf(diverged)[0]
		f.Message = fmt.Sprintf("frame %d: %s", n+1, f.Message)
		return f
	}
	return err
}

// Stopped returns the fault of a film that was cancelled. The painted frames stay.
// It returns any other error as it is.
func (v *Film) Stopped(err error) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	f := interrupted(fmt.Sprintf("interrupted after %d of %s, which are kept in %q", v.done(), ui.Count(v.input.Frames, "frame"), filepath.Dir(v.frames)))
	if v.Request.Again != nil {
		f.Try = []string{v.again(Change{Flag: "restart", Drop: true}) + "   (goes on there)"}
	}
	return f
}

// Finish makes the film of the painted frames and completes the result, which
// already counts these frames.
func (v *Film) Finish(ctx context.Context, watch Observer, out *FilmResult) error {
	out.Output, out.W, out.H, out.Frames, out.Shots = v.out.path, v.plan.W(), v.plan.H(), v.input.Frames, len(v.shots)
	out.Weights, out.Seed, out.Recipe = v.network.Name, v.values.Options.Seed, v.order.hash()
	if v.film.Path != "" {
		if !v.tools.OK() && !film.IsArchive(v.film.Path) {
			return ui.NewFault(ui.ExitOutput, "ffmpeg_missing", fmt.Sprintf("film %q was not made: %s; its %s are in %q",
				v.film.Path, v.tools.Missing(), ui.Count(v.input.Frames, "frame"), filepath.Dir(v.frames)), v.tools.Remedy(), v.film.Command(v.frames, 1))
		}
		watch.send(Writing{Path: v.film.Path})
		if err := v.writeFilm(ctx); err != nil {
			return v.Stopped(err)
		}
		if !v.values.On("keep-frames") {
			v.removeFrames()
		}
	}
	out.Seconds = time.Since(v.begun).Seconds()
	watch.send(FilmFinished{out})
	return nil
}

// writeFilm encodes the painted frames in order, or puts them into an archive.
func (v *Film) writeFilm(ctx context.Context) error {
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
