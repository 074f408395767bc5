package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/ui"
)

func batchCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "batch",
		Category: categoryFarm,
		Usage:    "paint many pictures from one file",
		Subcommands: []*cli.Command{
			batchCheckCommand(s),
			batchRunCommand(s),
			batchSubmitCommand(s),
		},
	})
}

// readBatch reads the manifest that a command line names. It finds everything that
// can be wrong with its jobs before the first one starts.
func (s *session) readBatch(c *cli.Context) (*batch.Builder, error) {
	name := "batch " + c.Command.Name
	if c.NArg() != 1 {
		return nil, ui.UsageFault(fmt.Sprintf("%s needs one manifest, got %d", name, c.NArg()), "impasto "+name+" jobs.yaml")
	}
	path := ui.Home(c.Args().First())
	data, err := s.readManifest(path)
	if err != nil {
		return nil, err
	}
	terms, err := moneyTerms(c)
	if err != nil {
		return nil, err
	}
	built, err := batch.Read(context.Background(), path, data, flagText(c, "class"), terms, s.jobs, func(b *batch.Batch) error {
		if err := b.CheckBudget(c.Args().First(), name != "batch submit" || c.Bool("wait")); err != nil {
			return err
		}
		if flagText(c, "report") == "" && name != "batch run" {
			return nil
		}
		report, err := b.ReportPath(ui.Home(flagText(c, "report")))
		if err != nil {
			return err
		}
		return b.CheckReport(report, path, c.Bool("y"))
	})
	if err == nil {
		s.printNotes(built.Batch.Notes())
	}
	return built, err
}

func (s *session) readManifest(path string) (data []byte, err error) {
	if path == ui.Stdout {
		data, err = io.ReadAll(s.stdin)
	} else {
		data, err = os.ReadFile(path)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, ui.NewFault(ui.ExitInput, "not_found", fmt.Sprintf("manifest %q does not exist", path))
	}
	if err != nil {
		return nil, ui.NewFault(ui.ExitInput, "unreadable", fmt.Sprintf("manifest %q cannot be read: %s", path, ui.Reason(err)))
	}
	return data, nil
}
