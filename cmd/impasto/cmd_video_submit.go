package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/show"
	"github.com/impasto/impasto/internal/ui"
)

// submitFilm lets a queue's workers paint the shots, and makes the film.
func (s *session) submitFilm(ctx context.Context, signals *ui.Signals, c *cli.Context, f *render.Film) error {
	o, err := queuePlace(c)
	if err != nil {
		return err
	}
	q, err := batch.Open(ctx, o)
	if err != nil {
		return err
	}
	defer q.Close()
	r := progress.New(s.stderr, s.progressOptions(flagText(c, "progress")))
	defer r.Close()
	for _, n := range f.Notes {
		r.Event("warning", n, nil)
	}
	own, err := batch.OwnJobs()
	if err != nil {
		return err
	}
	shots := &batch.FilmShots{Own: own, Film: f, Queue: q, Class: flagText(c, "class"), Given: given(c), Env: s.jobs, Upload: o.URL != ""}
	painted, err := shots.Paint(ctx, r)
	if err != nil {
		if ctx.Err() != nil {
			r.Close()
			fault := bySignal(signals, f.Stopped(context.Canceled)).(*ui.Fault)
			fault.Message += "; its jobs stay in the queue"
			return fault
		}
		return batch.QueueFault(err)
	}
	if err := f.Finish(ctx, show.Reported(r).Observe, painted); err != nil {
		return bySignal(signals, err)
	}
	r.Close()
	return s.printResult(painted.Output, painted)
}
