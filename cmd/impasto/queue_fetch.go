package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/ui"
)

func queueFetchCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "fetch",
		Usage:     "write the results of jobs that are done to their places",
		ArgsUsage: "JOB...",
		Flags: queueFlags(append(chooseFlags(), allFlag(),
			textFlag("into", "", groupQueue, "FOLDER", "write them there, by their own names"),
			&cli.BoolFlag{Name: "y", Usage: "replace files that are something else", Category: groupQueue})...),
		Action: func(c *cli.Context) error {
			return s.withQueue(c, func(ctx context.Context, q farm.Queue) error { return queueFetch(ctx, s, c, q) })
		},
	}
}

func queueFetch(ctx context.Context, s *session, c *cli.Context, q farm.Queue) error {
	list, err := chosen(ctx, c, q)
	if err != nil {
		return err
	}
	into := ui.Home(flagText(c, "into"))
	if into != "" {
		if err := makeDirectory(into); err != nil {
			return err
		}
		into, err = filepath.Abs(into)
		if err != nil {
			return err
		}
	}
	var bad ui.Faults
	for _, st := range list {
		if st.State != farm.Done {
			if c.NArg() > 0 {
				bad.Add(ui.NewFault(ui.ExitUsage, "job_state", fmt.Sprintf("job %s (%s) is %s and has no results", st.Job.ID, st.Job.Name, st.State)))
			}
			continue
		}
		if into != "" {
			st, err = moved(st, into)
			if err != nil {
				bad.Add(err)
				continue
			}
		}
		if _, err := collect(ctx, q, st, c.Bool("y")); err != nil {
			bad.Add(err)
			continue
		}
		for _, path := range st.Job.Outputs {
			if s.json {
				if err := writeJSON(s.stdout, map[string]any{"type": "result", "job": st.Job.ID, "output": path, "sha256": st.Results[path]}); err != nil {
					return err
				}
			} else if err := ui.PrintResult(s.stdout, path); err != nil {
				return err
			}
		}
	}
	return bad.Err()
}

// moved is a job whose results belong into a folder.
func moved(st farm.Status, folder string) (farm.Status, error) {
	results, outputs := map[string]string{}, []string{}
	for _, path := range st.Job.Outputs {
		to := filepath.Join(folder, baseName(path))
		if _, twice := results[to]; twice {
			return st, ui.NewFault(ui.ExitOutput, "same_name", fmt.Sprintf("job %s has two results called %q", st.Job.ID, baseName(path)), "without --into")
		}
		results[to] = st.Results[path]
		outputs = append(outputs, to)
	}
	st.Results, st.Job.Outputs = results, outputs
	return st, nil
}

// collect writes the results of a job that is done, and returns how many of
// them were not there yet.
func collect(ctx context.Context, q farm.Queue, st farm.Status, replace bool) (int, error) {
	n, err := farm.Collect(ctx, q, st, replace)
	return n, collectFault(err, st)
}

// collectFault gives an error of farm.Collect the form that is told.
func collectFault(err error, st farm.Status) error {
	if err == nil {
		return nil
	}
	var bad ui.Faults
	for _, f := range ui.FaultsOf(err) {
		f.Exit, f.Code = ui.ExitOutput, "output"
		bad.Add(f)
	}
	var exists *farm.ExistsError
	switch {
	case errors.As(err, &exists):
		bad[0].Code, bad[0].Try = "exists", []string{"-y   (replaces it)"}
	case errors.Is(err, fs.ErrNotExist):
		return ui.NewFault(ui.ExitInput, "no_result", fmt.Sprintf("the results of job %s (%s) are not in the queue any more", st.Job.ID, st.Job.Name),
			"impasto queue retry "+st.Job.ID)
	}
	return bad
}
