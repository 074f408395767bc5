package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/settings"
)

func queueWatchCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:  "watch",
		Usage: "show the progress of jobs until all have ended",
		Flags: queueFlags(append(chooseFlags(),
			textFlag("progress", "", settings.GroupQueue, "KIND", "form of progress messages: auto, bar, plain, json or none"),
			&cli.BoolFlag{Name: "forever", Usage: "keep watching for new jobs when all have ended", Category: settings.GroupQueue})...),
		Action: func(c *cli.Context) error { return queueWatch(s, c) },
	}
}

func queueWatch(s *session, c *cli.Context) error {
	filter, err := filterOf(c)
	if err != nil {
		return err
	}
	if err := checkProgress(c); err != nil {
		return err
	}
	return s.withQueue(c, func(ctx context.Context, q farm.Queue) error {
		var list []farm.Status
		if named := c.Args().Slice(); len(named) > 0 && filter == (farm.Filter{}) {
			list, err = batch.Named(ctx, q, named) // which does not read the queue for IDs
		} else if list, err = q.List(ctx, filter); err == nil && len(named) > 0 {
			list, err = batch.Find(list, named)
		}
		if err != nil {
			return err
		}
		r := s.newBatchReporter(flagText(c, "progress"))
		defer r.Close()
		r.Start(batch.TallyOf(list).String(), map[string]any{"jobs": len(list)})
		f := batch.Follow(r, list)
		f.Forever = c.Bool("forever")
		if c.NArg() == 0 {
			f.Accepts = func(st farm.Status) bool { return filter.Has(st) }
		}
		if err := f.Run(ctx, q); err != nil {
			return err
		}
		return f.Report(r)
	})
}

// checkProgress checks --progress.
func checkProgress(c *cli.Context) error {
	text := flagText(c, "progress")
	if text == "" {
		return nil
	}
	return settings.Check("progress", text)
}
