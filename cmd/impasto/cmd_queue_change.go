package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/ui"
)

func queueRetryCommand(s *session) *cli.Command {
	return chosenCommand(s, "retry", "queue jobs again that failed or were cancelled", change{
		did:  "queued again",
		fits: func(st farm.Status) bool { return st.State.Ended() }, state: "has not ended",
		// Done jobs are repeated only if they are named or chosen by a flag.
		bulk: func(st farm.Status) bool { return st.State == farm.Failed || st.State == farm.Cancelled },
		do:   farm.Queue.Retry,
	}.run)
}

func queueCancelCommand(s *session) *cli.Command {
	return chosenCommand(s, "cancel", "cancel jobs, also running ones", change{
		did:  "cancelled",
		fits: func(st farm.Status) bool { return !st.State.Ended() }, state: "has ended",
		do: farm.Queue.Cancel,
	}.run)
}

func queueRemoveCommand(s *session) *cli.Command {
	return chosenCommand(s, "rm", "delete the records of jobs that have ended, and their files in the queue", change{
		did:  "deleted",
		fits: func(st farm.Status) bool { return st.State.Ended() }, state: "has not ended; cancel it first",
		do: farm.Queue.Remove, after: func(ctx context.Context, q farm.Queue) error {
			_, err := farm.Sweep(ctx, q)
			return err
		},
	}.run)
}

// change is what a command does to each of the given jobs.
type change struct {
	did   string                 // printed afterwards
	fits  func(farm.Status) bool // jobs to which it applies
	state string                 // printed about other jobs
	bulk  func(farm.Status) bool // jobs that --batch or --all choose; nil: fits
	do    func(q farm.Queue, ctx context.Context, id string) error
	after func(ctx context.Context, q farm.Queue) error
}

// run changes every job that can be changed, and reports each that cannot.
func (w change) run(ctx context.Context, s *session, c *cli.Context, q farm.Queue) error {
	named := c.NArg() > 0 || flagText(c, "state") != ""
	var bad ui.Faults
	ids, did := []string{}, map[string]bool{}
	err := eachChosen(ctx, c, q, func(st farm.Status) error {
		if did[st.Job.ID] { // a job that has changed comes again
			return nil
		}
		means := w.fits
		if !named && w.bulk != nil {
			means = w.bulk
		}
		if !means(st) {
			if c.NArg() > 0 {
				bad.Add(ui.NewFault(ui.ExitUsage, "job_state", fmt.Sprintf("job %s (%s) is %s: it %s", st.Job.ID, st.Job.Name, st.State, w.state)))
			}
			return nil
		}
		err := w.do(q, ctx, st.Job.ID)
		var ended *farm.EndedError
		switch {
		case errors.As(err, &ended) || errors.Is(err, farm.ErrUnknown):
			// Its state has changed since it was read.
			bad.Add(ui.NewFault(ui.ExitUsage, "job_state", err.Error()))
		case err != nil:
			return err
		default:
			ids, did[st.Job.ID] = append(ids, st.Job.ID), true
		}
		return nil
	})
	if err != nil {
		return err
	}
	if w.after != nil && len(ids) > 0 {
		if err := w.after(ctx, q); err != nil {
			return err
		}
	}
	return cmp.Or(s.changed(w.did, ids, len(ids)), bad.Err())
}

// changed prints how many jobs were changed. With --json it prints jobs.
func (s *session) changed(did string, jobs any, n int) error {
	s.note("%s: %s", did, ui.Count(n, "job"))
	return s.facts(map[string]any{"type": "result", "done": did, "jobs": jobs})
}
