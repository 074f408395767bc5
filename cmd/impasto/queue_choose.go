package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// chooseFlags are the flags that choose jobs without naming them.
func chooseFlags() []cli.Flag {
	return []cli.Flag{
		textFlag("batch", "b", settings.GroupQueue, "NAME", "only the jobs of this batch"),
		textFlag("state", "", settings.GroupQueue, "STATE", "only jobs in this state: queued, running, done, failed or cancelled"),
	}
}

// chosenCommand makes a command for jobs that its arguments name or its flags
// choose.
func chosenCommand(s *session, name, usage string, run func(context.Context, *session, *cli.Context, farm.Queue) error, more ...cli.Flag) *cli.Command {
	return &cli.Command{
		Name:      name,
		Usage:     usage,
		ArgsUsage: "JOB...",
		Flags: queueFlags(slices.Concat(chooseFlags(),
			[]cli.Flag{&cli.BoolFlag{Name: "all", Usage: "all jobs in the queue", Category: settings.GroupQueue}}, more)...),
		Action: func(c *cli.Context) error {
			return s.withQueue(c, func(ctx context.Context, q farm.Queue) error { return run(ctx, s, c, q) })
		},
	}
}

// filterOf reads --batch and --state.
func filterOf(c *cli.Context) (farm.Filter, error) {
	f := farm.Filter{Batch: flagText(c, "batch"), State: farm.State(flagText(c, "state"))}
	if f.State != "" && !slices.Contains(batch.States, f.State) {
		return f, ui.UsageFault(fmt.Sprintf("--state %q is not one of %s", f.State, strings.Join(flagChoices["state"], ", ")))
	}
	return f, nil
}

// eachChosen calls f with each job that a command line names, or that --batch,
// --state and --all choose. It holds no list of the chosen jobs. A command line
// that chooses nothing is a fault, so that a missing word does not change every
// job.
func eachChosen(ctx context.Context, c *cli.Context, q farm.Queue, f func(farm.Status) error) error {
	filter, err := filterOf(c)
	if err != nil {
		return err
	}
	if c.NArg() > 0 && filter != (farm.Filter{}) {
		return ui.UsageFault("name jobs, or choose them by --batch and --state, not both")
	}
	if c.NArg() == 0 && filter == (farm.Filter{}) && !c.Bool("all") {
		return ui.UsageFault(fmt.Sprintf("queue %s needs jobs", c.Command.Name),
			"impasto queue ls   (lists them)", fmt.Sprintf("impasto queue %s --help   (--batch, --state and --all choose several)", c.Command.Name))
	}
	if c.NArg() == 0 {
		var fault error
		err := q.Scan(ctx, filter, 0, func(st farm.Status, _ uint64) bool {
			fault = f(st)
			return fault == nil
		})
		return cmp.Or(fault, err)
	}
	named, err := batch.Named(ctx, q, c.Args().Slice())
	if err != nil {
		return err
	}
	for _, st := range named {
		if err := f(st); err != nil {
			return err
		}
	}
	return nil
}

// newBatchReporter opens the progress report that the command line asks for.
func (s *session) newBatchReporter(kind string) progress.Reporter {
	if s.json { // with --json, events are the results
		return progress.New(s.stdout, progress.Options{Kind: "json"})
	}
	return progress.New(s.stderr, s.progressOptions(kind))
}
