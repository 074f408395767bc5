package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/manifest"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/progress"
)

// With --submit the shots of a film are jobs in a queue: no shot needs another,
// so as many workers paint it as there are shots. A job is the video command
// itself, from an archive of the shot's frames to one of the painted ones, which
// lie in a folder of their own beside the painted frames until these are there.

// shotsFolder is what that folder is called.
const shotsFolder = "shots"

// submitFlags are those of the queue.
func submitFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.BoolFlag{Name: "submit", Usage: "let the workers of a queue paint the shots, and wait for them", Category: groupQueue},
		textFlag("class", "", groupQueue, "CLASS", "of workers that are to do them: cpu or gpu (default: this machine's)"),
	}, placeFlags()...)
}

// checkSubmit finds flags of the queue that mean nothing without --submit.
func checkSubmit(c *cli.Context) error {
	if c.Bool("submit") {
		var bad faults
		_, err := queuePlace(c)
		bad.add(err)
		bad.add(checkClass(c))
		return bad.err()
	}
	for _, name := range []string{"class", "queue", "token-file"} {
		if c.IsSet(name) {
			return usageFault(fmt.Sprintf("--%s is of --submit", name), "impasto video ... --submit --"+name+" "+shellWord(flagText(c, name)))
		}
	}
	return nil
}

// title names the film in the queue.
func (v *video) title() string {
	return filepath.Base(either(v.film.Path, filepath.Dir(v.frames)))
}

// shotFiles are the archives of a shot, before and after.
func (v *video) shotFiles(s film.Shot) (frames, painted string) {
	dir, _ := filepath.Abs(filepath.Join(filepath.Dir(v.frames), shotsFolder))
	span := fmt.Sprintf("%05d-%05d.tar", s.First+1, s.Last+1)
	return filepath.Join(dir, "frames_"+span), filepath.Join(dir, "painted_"+span)
}

// missing reports whether a shot has frames that are not painted.
func (v *video) missing(s film.Shot) bool {
	for n := s.First; n <= s.Last; n++ {
		if !v.has(n) {
			return true
		}
	}
	return false
}

// submit has the shots painted by a queue's workers and makes the film.
func (v *video) submit(ctx context.Context, signals *signals, c *cli.Context) error {
	if v.set.on("dry-run") {
		return v.dryRun()
	}
	done, err := v.settleOutput()
	if done || err != nil {
		return err
	}
	o, err := queuePlace(c)
	if err != nil {
		return err
	}
	q, err := openFarm(ctx, o)
	if err != nil {
		return err
	}
	defer q.Close()
	cols, _ := terminalSize(v.stderr)
	r := progress.NewBatch(v.stderr, progress.Options{Kind: v.set.text("progress"), Quiet: v.quiet, Terminal: isTerminal(v.stderr), Width: cols})
	defer r.Close()
	for _, n := range v.notes {
		r.Event("warning", n, nil)
	}
	painted, err := v.farmShots(ctx, c, q, r, o.URL != "")
	if err != nil {
		if ctx.Err() != nil {
			r.Close()
			f := v.stopped(signals, context.Canceled).(*fault)
			f.Message += "; its jobs stay in the queue"
			return f
		}
		return queueFault(err)
	}
	return v.finishFilm(ctx, signals, r, painted)
}

// farmShots brings the frames that are missing, and says what was painted.
func (v *video) farmShots(ctx context.Context, c *cli.Context, q farm.Queue, r progress.BatchReporter, upload bool) (o videoOutcome, err error) {
	v.begun = time.Now()
	if err := v.beginFrames(); err != nil {
		return o, err
	}
	b, shots, err := v.shotJobs(ctx, c, r)
	if err != nil {
		return o, err
	}
	if upload { // its workers may not see these files
		if _, err := farm.Upload(ctx, q, b.jobs); err != nil {
			return o, err
		}
	}
	e, err := enlist(ctx, q, b.jobs, true)
	if err != nil {
		return o, err
	}
	r.Start(fmt.Sprintf("%s in %s, %s", count(v.input.Frames, "frame"), count(len(v.shots), "shot"), e), v.describe())
	f := newFollow(r, e.list)
	f.weights = b.seconds
	sum := 0.0
	f.collect = func(ctx context.Context, st farm.Status) error {
		if _, err := collect(ctx, q, st, true); err != nil {
			return err
		}
		var one videoOutcome
		if err := json.Unmarshal(st.Outcome, &one); err == nil && one.Flicker != nil {
			sum += *one.Flicker * float64(one.Compared)
			o.Compared += one.Compared
		}
		o.Painted += shots[st.Job.ID].Len()
		return v.takeShot(ctx, shots[st.Job.ID])
	}
	if err := f.run(ctx, q); err != nil {
		return o, err
	}
	if o.Compared > 0 {
		mean := sum / float64(o.Compared)
		o.Flicker = &mean
	}
	return o, f.fault()
}

// shotJobs packs the shots with frames missing, and makes a job of each.
func (v *video) shotJobs(ctx context.Context, c *cli.Context, r progress.BatchReporter) (*batch, map[string]film.Shot, error) {
	b := &batch{name: v.title(), seconds: map[string]float64{}}
	orders := newOrders(v.session, filepath.Join(filepath.Dir(v.frames), v.title()), flagText(c, "class"))
	cursor := film.NewCursor(v.source)
	defer cursor.Close()
	var shots []film.Shot
	for i, s := range v.shots {
		frames, painted := v.shotFiles(s)
		if _, err := os.Stat(painted); err == nil && v.missing(s) { // stopped before it was taken
			if err := v.takeShot(ctx, s); err != nil {
				return nil, nil, err
			}
		}
		if !v.missing(s) {
			v.dropShot(s)
			continue
		}
		if _, err := os.Stat(frames); errors.Is(err, fs.ErrNotExist) {
			r.Event("packing", fmt.Sprintf("%s, shot %d of %d", frames, i+1, len(v.shots)), map[string]any{"shot": i + 1, "output": frames})
			err := makeDirectory(filepath.Dir(frames))
			if err == nil {
				err = film.PackShot(ctx, frames, cursor, s)
			}
			if err != nil {
				return nil, nil, err
			}
		}
		orders.add(b, v.shotEntry(c, i, frames, painted))
		shots = append(shots, s)
	}
	if len(orders.bad) > 0 {
		return nil, nil, orders.faults()
	}
	of := map[string]film.Shot{}
	for i, j := range b.jobs {
		of[j.ID] = shots[i]
	}
	return b, of, nil
}

// ofFilm are settings that have done their part when the shots are there.
var ofFilm = []string{"from", "to", "every", "fps", "codec", "crf", "cut"}

// shotEntry is the job of a shot: the video command with the settings of this
// one's command line; orders.words adds those of the configuration.
func (v *video) shotEntry(c *cli.Context, nth int, frames, painted string) manifest.Entry {
	step := manifest.Step{Command: modeVideo, Args: []string{frames}, Inputs: []string{frames}, Outputs: []string{painted}}
	say := func(name, text string) { step.Flags = append(step.Flags, manifest.Value{Key: name, Text: text}) }
	layers, _ := allLayers(c) // its faults were told
	for _, p := range params {
		if !p.in(modeVideo) || slices.Contains(slices.Concat(notInBatch, ofWorker, ofFilm, []string{"content", "style", "seed"}), p.name) {
			continue
		}
		for _, l := range layers {
			text, ok := l.get(p.name)
			if !ok {
				continue
			}
			if _, err := os.Stat(home(text)); err == nil && p.name == "weights" {
				text, _ = filepath.Abs(home(text))
				step.Inputs = append(step.Inputs, text)
			}
			say(p.name, text)
			break
		}
	}
	say("seed", fmt.Sprint(v.set.options.Seed))
	say("cut", "off")
	for _, f := range v.files {
		path := f.path
		if !strings.HasPrefix(path, samplePrefix) {
			path, _ = filepath.Abs(path)
			step.Inputs = append(step.Inputs, path)
		}
		step.Args = append(step.Args, path)
	}
	say("output", painted)
	return manifest.Entry{Name: fmt.Sprintf("%s: shot %d of %d", v.title(), nth+1, len(v.shots)), Steps: []manifest.Step{step}}
}

// takeShot puts the painted frames of a shot among the others, all or, after an
// error, as many as follow each other.
func (v *video) takeShot(ctx context.Context, s film.Shot) error {
	_, painted := v.shotFiles(s)
	source, err := film.OpenArchive(painted, film.Selection{})
	if err != nil {
		return err
	}
	if i := source.Info(); i.Frames != s.Len() || i.W != v.plan.W() || i.H != v.plan.H() {
		return newFault(exitOutput, "other_frames", fmt.Sprintf("%q holds %s of %dx%d, not %d of %dx%d",
			painted, count(i.Frames, "frame"), i.W, i.H, s.Len(), v.plan.W(), v.plan.H()), "impasto version   (on each worker)")
	}
	cursor := film.NewCursor(source)
	defer cursor.Close()
	for n := range s.Len() {
		p, err := cursor.Frame(ctx, n)
		if err == nil {
			err = picture.Save(v.frame(s.First+n), p, picture.WriteOptions{Software: software()})
		}
		if err != nil {
			return err
		}
	}
	v.dropShot(s)
	return nil
}

// dropShot removes the archives of a shot whose frames are all there.
func (v *video) dropShot(s film.Shot) {
	frames, painted := v.shotFiles(s)
	_ = os.Remove(frames) // what stays takes room, no more
	_ = os.Remove(painted)
	_ = os.Remove(filepath.Dir(frames)) // if it is empty
}
