package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
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
			s.note("%s: %s", b.Name, e)
			return s.facts(map[string]any{"type": "result", "batch": b.Name, "jobs": e.IDs(),
				"submitted": e.New, "again": e.Again, "waiting": e.Waiting, "done": e.DoneBefore})
		}
		r := s.newBatchReporter(flagText(c, "progress"))
		defer r.Close()
		return b.Follow(ctx, q, e, r, s.followOptions(c))
	})
}

// followOptions returns the options of a command that waits for a batch.
func (s *session) followOptions(c *cli.Context) batch.FollowOptions {
	return batch.FollowOptions{Replace: c.Bool("y"), Report: ui.Home(flagText(c, "report")), Program: shortVersion()}
}
