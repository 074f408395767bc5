package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
)

func queueListCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:  "ls",
		Usage: "list jobs and how they stand",
		Flags: queueFlags(chooseFlags()...),
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return ui.UsageFault(fmt.Sprintf("queue ls takes no argument, got %q", c.Args().First()), "impasto queue show "+c.Args().First())
			}
			return s.withQueue(c, func(ctx context.Context, q farm.Queue) error { return queueList(ctx, s, c, q) })
		},
	}
}

func queueList(ctx context.Context, s *session, c *cli.Context, q farm.Queue) error {
	f, err := filterOf(c)
	if err != nil {
		return err
	}
	list, err := q.List(ctx, f)
	if err != nil {
		return err
	}
	inOrder(list)
	if s.json {
		views := make([]jobView, len(list))
		for i, st := range list {
			views[i] = viewOf(st)
		}
		return writeJSON(s.stdout, views)
	}
	table := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	for _, st := range list {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", st.Job.ID, st.State, st.Job.Name, standing(st))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if !s.quiet {
		fmt.Fprintln(s.stderr, tallyOf(list))
	}
	return nil
}

// inOrder sorts jobs as people look for them: what runs, what waits in the
// order it is taken, what failed, and the rest, each by batch and name.
func inOrder(list []farm.Status) {
	rank := func(st farm.Status) int {
		return slices.Index([]farm.State{farm.Running, farm.Queued, farm.Failed, farm.Cancelled, farm.Done}, st.State)
	}
	slices.SortStableFunc(list, func(a, b farm.Status) int {
		if n := rank(a) - rank(b); n != 0 {
			return n
		}
		if a.State == farm.Queued && a.Job.Priority != b.Job.Priority {
			return b.Job.Priority - a.Job.Priority
		}
		if n := strings.Compare(a.Job.Batch, b.Job.Batch); n != 0 {
			return n
		}
		return strings.Compare(a.Job.Name, b.Job.Name)
	})
}

func queueShowCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "all that is known of jobs, with their command lines",
		ArgsUsage: "JOB...",
		Flags:     queueFlags(append(chooseFlags(), allFlag())...),
		Action: func(c *cli.Context) error {
			return s.withQueue(c, func(ctx context.Context, q farm.Queue) error {
				list, err := chosen(ctx, c, q)
				if err != nil {
					return err
				}
				for i, st := range list {
					if s.json {
						if err := writeJSON(s.stdout, viewOf(st)); err != nil {
							return err
						}
						continue
					}
					if i > 0 {
						fmt.Fprintln(s.stdout)
					}
					showJob(s, st)
				}
				return nil
			})
		},
	}
}

func allFlag() cli.Flag { return &cli.BoolFlag{Name: "all", Usage: "every job", Category: groupQueue} }

// showJob writes the facts of one job, a line each.
func showJob(s *session, st farm.Status) {
	line := func(key, format string, a ...any) { fmt.Fprintf(s.stdout, "%-11s%s\n", key, fmt.Sprintf(format, a...)) }
	line("job", "%s  %s", st.Job.ID, st.Job.Name)
	if st.Job.Batch != "" {
		line("batch", "%s", st.Job.Batch)
	}
	state := string(st.State)
	if st.State == farm.Running {
		state += fmt.Sprintf(", %.0f %%", 100*st.Fraction)
		if st.Text != "" {
			state += ", " + st.Text
		}
	}
	line("state", "%s", state)
	if st.Worker != "" {
		line("worker", "%s", st.Worker)
	}
	line("class", "%s, priority %d", st.Job.Class, st.Job.Priority)
	if st.Attempts > 0 || st.Deaths > 0 {
		text := fmt.Sprintf("%d of %d", st.Attempts, 1+st.Job.Retries)
		if st.Deaths > 0 {
			text += ", and " + ui.Count(st.Deaths, "worker") + " lost since the last checkpoint"
		}
		line("attempts", "%s", text)
	}
	if st.Error != "" {
		line("error", "%s", strings.ReplaceAll(st.Error, "\n", "\n           "))
	}
	if st.Seconds > 0 {
		line("time", "%s", progress.Span(time.Duration(st.Seconds*float64(time.Second))))
	}
	if !st.Ended.IsZero() {
		line("ended", "%s", st.Ended.Local().Format(time.DateTime))
	} else if !st.Started.IsZero() {
		line("started", "%s", st.Started.Local().Format(time.DateTime))
	}
	for _, step := range st.Job.Steps {
		line("step", "%s", ui.ImpastoCommand(step))
	}
	for _, output := range st.Job.Outputs {
		note := ""
		if sum := st.Results[output]; sum != "" {
			note = "  sha256 " + sum[:12] + "..."
		} else if st.Checkpoints[output] != "" {
			note = "  has a checkpoint"
		}
		line("output", "%s%s", output, note)
	}
}
