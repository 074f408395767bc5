package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func batchSubmitCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "submit",
		Usage:     "put the jobs of a manifest into a queue for workers",
		ArgsUsage: "MANIFEST",
		Flags: queueFlags(
			&cli.BoolFlag{Name: "wait", Usage: "wait until all jobs have ended, and write their results", Category: settings.GroupQueue},
			textFlag("progress", "", settings.GroupQueue, "KIND", "form of progress messages: auto, bar, plain, json or none"),
			priceFlag("price of an hour of a worker that has no --price: 1.20/h (default: the manifest's)"),
			budgetFlag("with --wait: start no more jobs once they cost this much (default: the manifest's)"),
			textFlag("class", "", settings.GroupQueue, "CLASS", "class of the workers that take the jobs: cpu or gpu (default: this machine's)"),
			textFlag("report", "", settings.GroupOutput, "FILE", "file for the report of --wait (default: report.json beside the results)"),
			&cli.BoolFlag{Name: "y", Usage: "replace files at the outputs that are not results of this batch", Category: settings.GroupOutput},
		),
		Action: func(c *cli.Context) error { return batchSubmit(s, c) },
	}
}

func batchSubmit(s *session, c *cli.Context) error {
	built, err := s.readBatch(c)
	if err != nil {
		return err
	}
	b := &built.Batch
	var bad ui.Faults
	bad.Add(checkProgress(c))
	bad.Add(checkClass(c))
	o, err := queuePlace(c)
	bad.Add(err)
	if len(bad) > 0 {
		return bad
	}
	return atQueue(o, func(ctx context.Context, q farm.Queue) error {
		if o.URL != "" { // its workers may not see these files
			if _, err := farm.Upload(ctx, q, b.Jobs); err != nil {
				return err
			}
		}
		e, err := batch.Submit(ctx, q, b.Jobs, c.Bool("y"))
		if err != nil {
			return err
		}
		if !c.Bool("wait") {
			if s.json {
				return writeJSON(s.stdout, map[string]any{"type": "result", "batch": b.Name, "jobs": e.IDs(),
					"submitted": e.New, "again": e.Again, "waiting": e.Waiting, "done": e.DoneBefore})
			}
			if !s.quiet {
				fmt.Fprintf(s.stderr, "%s: %s\n", b.Name, e)
			}
			return nil
		}
		r := s.newBatchReporter(flagText(c, "progress"))
		defer r.Close()
		return s.followBatch(ctx, c, q, b, e, r)
	})
}

// followBatch waits for the jobs of a batch, writes their results as they come
// and tells how it ended.
func (s *session) followBatch(ctx context.Context, c *cli.Context, q farm.Queue, b *batch.Batch, e *batch.Submission, r progress.Reporter) error {
	r.Event(progress.Start, fmt.Sprintf("%s: %s", b.Name, e), map[string]any{"batch": b.Name, "jobs": len(e.Jobs)})
	f := batch.Follow(r, e.Jobs)
	f.Weights, f.Budget = b.Seconds, b.Terms.Budget
	f.Collect = func(ctx context.Context, st farm.Status) error {
		_, err := batch.Collect(ctx, q, st, c.Bool("y") || batch.Replaces(st.Job))
		return err
	}
	if err := f.Run(ctx, q); err != nil {
		return err
	}
	return s.endBatch(c, b, e, f, r)
}
