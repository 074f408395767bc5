package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/ui"
)

func queueWatchCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:  "watch",
		Usage: "tell how jobs get on until all have ended",
		Flags: queueFlags(append(chooseFlags(),
			textFlag("progress", "", groupQueue, "KIND", "auto, bar, plain, json, none"),
			&cli.BoolFlag{Name: "forever", Usage: "go on for jobs that are still to come", Category: groupQueue})...),
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
		list, err := q.List(ctx, filter)
		if err != nil {
			return err
		}
		if c.NArg() > 0 {
			if list, err = jobsNamed(list, c.Args().Slice()); err != nil {
				return err
			}
		}
		r := s.newBatchReporter(flagText(c, "progress"))
		defer r.Close()
		r.Start(tallyOf(list).String(), map[string]any{"jobs": len(list)})
		f := newFollow(r, list)
		f.forever = c.Bool("forever")
		if c.NArg() == 0 {
			f.wants = func(st farm.Status) bool { return filter.Has(st) }
		}
		if err := f.run(ctx, q); err != nil {
			return err
		}
		return f.ended(r)
	})
}

// ended tells how it all came out; the fault, if any, is that some failed.
func (f *follow) ended(r interface {
	Result(string, map[string]any)
	Close()
}) error {
	b := f.batch()
	message := fmt.Sprintf("%s: %d done", ui.Count(b.Total, "job"), b.Done)
	if b.Failed > 0 {
		message += fmt.Sprintf(", %d failed", b.Failed)
	}
	r.Result(message, map[string]any{"total": b.Total, "done": b.Done, "failed": b.Failed})
	r.Close()
	return f.fault()
}

// fault is nil if every job is done.
func (f *follow) fault() error {
	b := f.batch()
	if b.Failed == 0 {
		return nil
	}
	return ui.NewFault(ui.ExitSomeFailed, "some_failed", fmt.Sprintf("%d of %s failed", b.Failed, ui.Count(b.Total, "job")),
		"impasto queue ls --state failed", "impasto queue retry --state failed")
}

// checkProgress checks --progress.
func checkProgress(c *cli.Context) error {
	text := flagText(c, "progress")
	if text == "" {
		return nil
	}
	return checkText(param{name: "progress", value: "KIND"}, text)
}
