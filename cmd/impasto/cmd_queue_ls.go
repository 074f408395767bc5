package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
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
	batch.Sort(list)
	if s.json {
		views := make([]batch.View, len(list))
		for i, st := range list {
			views[i] = batch.ViewOf(st)
		}
		return writeJSON(s.stdout, views)
	}
	table := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	for _, st := range list {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", farm.Printable(st.Job.ID), st.State, st.Job.Name, batch.Describe(st))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if !s.quiet {
		fmt.Fprintln(s.stderr, batch.TallyOf(list))
	}
	return nil
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
						if err := writeJSON(s.stdout, batch.ViewOf(st)); err != nil {
							return err
						}
						continue
					}
					if i > 0 {
						fmt.Fprintln(s.stdout)
					}
					batch.WriteFacts(s.stdout, st)
				}
				return nil
			})
		},
	}
}

func allFlag() cli.Flag { return &cli.BoolFlag{Name: "all", Usage: "every job", Category: groupQueue} }
