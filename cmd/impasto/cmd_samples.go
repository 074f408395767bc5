package main

import (
	"cmp"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func samplesCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "samples",
		Category:  categorySetup,
		Usage:     "write the sample pictures and the maps of their regions",
		ArgsUsage: "[DIRECTORY]",
		Flags: []cli.Flag{
			textFlag("size", "s", settings.GroupScale, "SIZE", "size of the pictures, or their long side (default: 576x384)"),
			textFlag("overwrite", "", settings.GroupOutput, "HOW", "if a file exists: fail (-n), replace (-y), number or skip"),
			&cli.BoolFlag{Name: "y", Usage: "replace files that exist", Hidden: true},
		},
		Action: func(c *cli.Context) error { return samples(s, c) },
	})
}

func samples(s *session, c *cli.Context) error {
	files := render.Samples{Folder: "impasto-samples", Size: flagText(c, "size"), Rule: cmp.Or(flagText(c, "overwrite"), "fail")}
	if c.NArg() > 0 {
		files.Folder = ui.Home(c.Args().First())
	}
	if c.NArg() > 1 {
		return ui.UsageFault(fmt.Sprintf("samples takes one directory, got %d", c.NArg()), "impasto samples "+files.Folder)
	}
	if c.Bool("y") {
		files.Rule = "replace"
	}
	var paths []string
	err := files.Write(func(path string) error {
		paths = append(paths, path)
		if s.json {
			return nil
		}
		return ui.PrintResult(s.stdout, path)
	})
	if err != nil {
		return err
	}
	return s.facts(map[string]any{"type": "result", "outputs": paths})
}
