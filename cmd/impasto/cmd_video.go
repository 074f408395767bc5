package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/show"
	"github.com/impasto/impasto/internal/ui"
)

func videoCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "video",
		Category:  categoryPaint,
		Usage:     "paint a film, or numbered pictures, in the manner of one or more paintings",
		ArgsUsage: "IN STYLE...",
		Description: "IN is a film, or numbered pictures: a folder, a .tar or a pattern such as frames/%05d.png. So is the output.\n" +
			"Each frame begins with the one before, moved along optical flow, and is kept near it where the scene\n" +
			"does not change. Frames painted so far are kept: the same command goes on where it was stopped.\n" +
			"Films need ffmpeg, numbered pictures do not.",
		Flags:  append(renderFlags(settings.ModeVideo), submitFlags()...),
		Action: func(c *cli.Context) error { return paintVideo(s, c) },
	})
}

func paintVideo(s *session, c *cli.Context) error {
	v, bad := resolve(c, settings.ModeVideo)
	req := render.NewRequest(v, bad, c.Args().Slice()...)
	req.Again = s.again
	env, err := s.surroundings(v)
	bad = nil
	bad.Add(err)
	bad.Add(checkSubmit(c))
	ctx, signals := ui.WatchSignals()
	defer signals.Stop()
	f, err := render.PrepareFilm(ctx, req, env)
	bad.Add(err)
	switch {
	case ctx.Err() != nil:
		return signals.Fault("interrupted before the first frame")
	case len(bad) > 0:
		return bad
	case v.On("dry-run"):
		return s.printFilmPlan(f.Plan())
	}
	if f.Skips() {
		s.note("impasto: %q exists and is left alone", f.Path())
		return s.printResult(f.Path(), render.FilmResult{Output: f.Path(), Stopped: "skipped"})
	}
	if err := s.confirm(f.Replaces()); err != nil {
		return err
	}
	if c.Bool("submit") {
		return s.submitFilm(ctx, signals, c, f)
	}
	w := s.watch(v, f.PreviewFile(), env.Streams, signals)
	defer w.Close()
	result, err := f.Run(ctx, w.Observe)
	w.Close()
	if err != nil {
		return bySignal(signals, err)
	}
	return s.printResult(result.Output, result)
}

// submitFlags are the flags of the queue.
func submitFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.BoolFlag{Name: "submit", Usage: "have the workers of a queue paint the shots, and wait for them", Category: settings.GroupQueue},
		textFlag("class", "", settings.GroupQueue, "CLASS", "class of workers to paint the shots: cpu or gpu (default: this machine's)"),
	}, placeFlags()...)
}

// checkSubmit finds flags of the queue that have no effect without --submit.
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
			return ui.UsageFault(fmt.Sprintf("--%s goes with --submit", name), "impasto video ... --submit --"+name+" "+ui.ShellQuote(flagText(c, name)))
		}
	}
	return nil
}

// printFilmPlan prints what would be done to a film.
func (s *session) printFilmPlan(p render.FilmPlan) error {
	if s.json {
		facts := p.Facts()
		facts["type"], facts["options"] = "plan", p.Options
		return writeJSON(s.stdout, facts)
	}
	s.printNotes(p.Notes)
	return show.FilmPlan(s.stdout, p)
}
