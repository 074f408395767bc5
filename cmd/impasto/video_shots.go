package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/film"
	"github.com/impasto/impasto/internal/manifest"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
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
		var bad ui.Faults
		_, err := queuePlace(c)
		bad.Add(err)
		bad.Add(checkClass(c))
		return bad.Err()
	}
	for _, name := range []string{"class", "queue", "token-file", "tls"} {
		if c.IsSet(name) {
			return ui.UsageFault(fmt.Sprintf("--%s is of --submit", name), "impasto video ... --submit --"+name+" "+ui.ShellQuote(flagText(c, name)))
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
			if _, err := os.Stat(ui.Home(text)); err == nil && p.name == "weights" {
				text, _ = filepath.Abs(ui.Home(text))
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
		return ui.NewFault(ui.ExitOutput, "other_frames", fmt.Sprintf("%q holds %s of %dx%d, not %d of %dx%d",
			painted, ui.Count(i.Frames, "frame"), i.W, i.H, s.Len(), v.plan.W(), v.plan.H()), "impasto version   (on each worker)")
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
}
