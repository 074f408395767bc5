package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
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
	named := c.Args().Slice()
	if len(named) > 0 && filter != (farm.Filter{}) {
		return ui.UsageFault("name jobs, or choose them by --batch and --state, not both")
	}
	return s.withQueue(c, func(ctx context.Context, q farm.Queue) error {
		r := s.newBatchReporter(flagText(c, "progress"))
		defer r.Close()
		return batch.Watch(ctx, q, r, filter, named, c.Bool("forever"))
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
