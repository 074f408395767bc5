package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/vgg"
)

func weightsCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "weights",
		Category: categorySetup,
		Usage:    "list, download, import and check weights of the network",
		Subcommands: []*cli.Command{
			{
				Name:  "ls",
				Usage: "list the weights that are installed",
				Flags: commonFlags(),
				Action: func(c *cli.Context) error {
					return weightsList(s)
				},
			},
			weightsGetCommand(s),
			weightsImportCommand(s),
			weightsVerifyCommand(s),
			{
				Name:      "path",
				Usage:     "print the folder of installed weights, or the file of one",
				ArgsUsage: "[NAME]",
				Flags:     commonFlags(),
				Action:    func(c *cli.Context) error { return weightsPath(s, c) },
			},
		},
	})
}

func weightsList(s *session) error {
	store := vgg.DefaultStore()
	list, err := store.List()
	if err != nil {
		return err
	}
	chosen, err := store.Resolve("")
	if err != nil {
		return err
	}
	if s.json {
		if list == nil {
			list = []vgg.Installed{}
		}
		return writeJSON(s.stdout, map[string]any{"directory": store.Dir, "installed": list, "default": chosen.Name, "reason": chosen.Why})
	}
	mark := func(name string) string {
		if name == chosen.Name {
			return "*"
		}
		return " "
	}
	for _, w := range list {
		fmt.Fprintf(s.stdout, "%s %-20s %8s  to %s  %s  sha256 %s...\n", mark(w.Name), w.Name, progress.Bytes(w.Bytes), w.Last, ui.Printable(w.Source), w.SHA256[:12])
	}
	fmt.Fprintf(s.stdout, "%s %-20s part of the program, no download\n", mark("mini"), "mini")
	if len(list) == 0 && !s.quiet {
		fmt.Fprintf(s.stderr, "impasto: nothing is installed in %s\n  try: impasto weights get vgg19\n", store.Dir)
	}
	return nil
}

func weightsPath(s *session, c *cli.Context) error {
	store := vgg.DefaultStore()
	if c.NArg() == 0 {
		_, err := fmt.Fprintln(s.stdout, store.Dir)
		return err
	}
	src, err := store.Resolve(c.Args().First())
	if err != nil {
		return err
	}
	if src.Path == "" {
		return ui.NewFault(ui.ExitWeights, "weights_builtin", fmt.Sprintf("weights %q are part of the program and have no file", src.Name))
	}
	_, err = fmt.Fprintln(s.stdout, src.Path)
	return err
}
