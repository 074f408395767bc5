package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func queueFetchCommand(s *session) *cli.Command {
	return chosenCommand(s, "fetch", "write the results of jobs that are done", queueFetch,
		textFlag("into", "", settings.GroupQueue, "FOLDER", "folder to write results to, by their own names"),
		&cli.BoolFlag{Name: "y", Usage: "replace other files, and write results of other users' jobs where they say", Category: settings.GroupQueue})
}

func queueFetch(ctx context.Context, s *session, c *cli.Context, q farm.Queue) error {
	into := ui.Home(flagText(c, "into"))
	if into != "" {
		if err := render.MakeDirectory(into); err != nil {
			return err
		}
		var err error
		if into, err = filepath.Abs(into); err != nil {
			return err
		}
	}
	own, err := batch.OwnJobs()
	if err != nil {
		return err
	}
	var bad ui.Faults
	err = eachChosen(ctx, c, q, func(st farm.Status) error {
		if st.State != farm.Done {
			if c.NArg() > 0 {
				bad.Add(ui.NewFault(ui.ExitUsage, "job_state", fmt.Sprintf("job %s (%s) is %s and has no results", st.Job.ID, st.Job.Name, st.State)))
			}
			return nil
		}
		if err := batch.Fetch(ctx, q, own, &st, into, c.Bool("y")); err != nil {
			bad.Add(err)
			return nil
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
		return nil
	})
	if err != nil {
		return err
	}
	return bad.Err()
}
