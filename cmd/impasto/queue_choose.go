package main

import (
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

// chooseFlags choose jobs where they are not named.
func chooseFlags() []cli.Flag {
	return []cli.Flag{
		textFlag("batch", "b", settings.GroupQueue, "NAME", "name of a batch, whose jobs are meant"),
		textFlag("state", "", settings.GroupQueue, "STATE", "state of the jobs meant: queued, running, done, failed or cancelled"),
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

// chosen are the jobs a command line means: those it names, or those that
// --batch, --state and --all choose. Choosing nothing is a fault, so that
// nobody changes every job by leaving out a word.
func chosen(ctx context.Context, c *cli.Context, q farm.Queue) ([]farm.Status, error) {
	f, err := filterOf(c)
	if err != nil {
		return nil, err
	}
	if c.NArg() > 0 && f != (farm.Filter{}) {
		return nil, ui.UsageFault("name jobs, or choose them by --batch and --state, not both")
	}
	if c.NArg() == 0 && f == (farm.Filter{}) && !c.Bool("all") {
		return nil, ui.UsageFault(fmt.Sprintf("queue %s needs jobs", c.Command.Name),
			"impasto queue ls   (lists them)", fmt.Sprintf("impasto queue %s --help   (--batch, --state and --all choose several)", c.Command.Name))
	}
	list, err := q.List(ctx, f)
	if err != nil || c.NArg() == 0 {
		return list, err
	}
	return batch.Find(list, c.Args().Slice())
}

// newBatchReporter opens progress as the command line asks for it.
func (s *session) newBatchReporter(kind string) progress.BatchReporter {
	out, cols := s.stderr, 0
	if s.json { // events are the results
		out, kind = s.stdout, "json"
	}
	cols, _ = ui.TerminalSize(s.stderr)
	return progress.NewBatch(out, progress.Options{Kind: kind, Quiet: s.quiet, Terminal: ui.IsTerminal(s.stderr), Width: cols})
}
