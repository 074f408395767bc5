package main

import (
	"context"
	"fmt"
	"strconv"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func queueListCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:  "ls",
		Usage: "list jobs and their states",
		Description: "Lists a thousand jobs, those that changed longest ago, sorted by state. --batch and\n" +
			"--state read only the jobs they choose. --after MARK lists the next thousand,\n" +
			"--limit 0 all jobs.",
		Flags: queueFlags(append(chooseFlags(),
			textFlag("limit", "", settings.GroupQueue, "N", "number of jobs to list; 0 for all (default: 1000)"),
			textFlag("after", "", settings.GroupQueue, "MARK", "list the jobs after this mark, which the last list printed; with the same --batch and --state"))...),
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
	limit, after, err := pageOf(c)
	if err != nil {
		return err
	}
	list, mark, more, err := batch.Page(ctx, q, f, after, limit)
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
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", ui.Printable(st.Job.ID), st.State, st.Job.Name, batch.Describe(st))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	switch {
	case s.quiet:
	case more:
		fmt.Fprintf(s.stderr, "%s; there are more: impasto queue ls%s --after %d\n", batch.TallyOf(list), filterWords(f), mark)
	default:
		fmt.Fprintln(s.stderr, batch.TallyOf(list))
	}
	return nil
}

// filterWords returns the flags of a filter, each after a space.
func filterWords(f farm.Filter) (words string) {
	if f.Batch != "" {
		words += " --batch " + ui.ShellQuote(f.Batch)
	}
	if f.State != "" {
		words += " --state " + string(f.State)
	}
	return words
}

// pageOf reads --limit and --after.
func pageOf(c *cli.Context) (limit int, after uint64, err error) {
	limit = 1000
	if text := flagText(c, "limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 0 {
			return 0, 0, settings.BadValue("limit", text, "a whole number from 0")
		}
	}
	if text := flagText(c, "after"); text != "" {
		if after, err = strconv.ParseUint(text, 10, 64); err != nil {
			return 0, 0, settings.BadValue("after", text, "the number that the list before ended with")
		}
	}
	return limit, after, nil
}

func queueShowCommand(s *session) *cli.Command {
	return chosenCommand(s, "show", "print all that is known of jobs, with their command lines", queueShow)
}

func queueShow(ctx context.Context, s *session, c *cli.Context, q farm.Queue) error {
	first := true
	return eachChosen(ctx, c, q, func(st farm.Status) error {
		if s.json {
			return writeJSON(s.stdout, batch.ViewOf(st))
		}
		if !first {
			fmt.Fprintln(s.stdout)
		}
		first = false
		batch.WriteFacts(s.stdout, st)
		return nil
	})
}
