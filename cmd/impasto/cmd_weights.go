package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/internal/weights"
)

func weightsCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "weights",
		Category: categorySetup,
		Usage:    "list, download, import and check weights of the network",
		Subcommands: []*cli.Command{
			{
				Name:   "ls",
				Usage:  "list the weights that are installed",
				Action: func(c *cli.Context) error { return weightsList(s) },
			},
			{
				Name:      "get",
				Usage:     "download published weights, check and install them",
				ArgsUsage: strings.Join(weights.Installable(), "|"),
				Flags: []cli.Flag{
					textFlag("from", "", "", "FILE", "copy of the published file, for a machine without network"),
					&cli.BoolFlag{Name: "force", Usage: "download and install weights that are installed already"},
					&cli.BoolFlag{Name: "half", Usage: "store the weights as 16-bit numbers, at half the size"},
				},
				Action: func(c *cli.Context) error { return weightsInstall(s, c, "one name", "vgg19") },
			},
			{
				Name:      "import",
				Usage:     "install weights from a .safetensors, .pth, .caffemodel, .onnx or .mat file",
				ArgsUsage: "FILE",
				Flags: []cli.Flag{
					textFlag("name", "", "", "NAME", "name of the installed weights (default: the name in the file)"),
					textFlag("layout", "", "", "caffe|torchvision", "channel order and scale of a file that does not say: caffe or torchvision"),
					&cli.BoolFlag{Name: "force", Usage: "replace installed weights of the same name"},
					&cli.BoolFlag{Name: "half", Usage: "store the weights as 16-bit numbers, at half the size"},
				},
				Action: func(c *cli.Context) error { return weightsInstall(s, c, "one file", "vgg19-d01eb7cb.pth") },
			},
			{
				Name:      "verify",
				Usage:     "compare installed weights with their checksums",
				ArgsUsage: "[NAME...]",
				Action:    func(c *cli.Context) error { return weightsVerify(s, c) },
			},
			{
				Name:      "path",
				Usage:     "print the folder of installed weights, or the file of one",
				ArgsUsage: "[NAME]",
				Action:    func(c *cli.Context) error { return weightsPath(s, c) },
			},
		},
	})
}

func weightsList(s *session) error {
	list, err := weights.List()
	if err != nil {
		return err
	}
	if s.json {
		return writeJSON(s.stdout, list)
	}
	if _, err := fmt.Fprint(s.stdout, list); err != nil {
		return err
	}
	if len(list.Installed) == 0 {
		s.note("impasto: nothing is installed in %s\n  try: impasto weights get vgg19", list.Directory)
	}
	return nil
}

// weightsInstall implements get and import.
func weightsInstall(s *session, c *cli.Context, takes, example string) error {
	if c.NArg() != 1 {
		return ui.UsageFault(fmt.Sprintf("weights %s needs %s, got %d", c.Command.Name, takes, c.NArg()), "impasto weights "+c.Command.Name+" "+example)
	}
	ctx, signals := ui.WatchSignals()
	defer signals.Stop()
	o := weights.Options{
		From: ui.Home(flagText(c, "from")), Name: flagText(c, "name"), Layout: flagText(c, "layout"),
		Force: c.Bool("force"), Half: c.Bool("half"), Terminal: ui.IsTerminal(s.stderr),
	}
	if !s.quiet && !s.json {
		o.Progress = s.stderr
	}
	install, name := weights.Get, c.Args().First()
	if c.Command.Name == "import" {
		install, name = weights.Import, ui.Home(name)
	}
	w, err := install(ctx, name, o)
	if err != nil {
		return err
	}
	if w.Licence != "" {
		s.note("impasto: licence of the weights: %s", w.Licence)
	}
	return s.show(w, weights.Line(w))
}

func weightsVerify(s *session, c *cli.Context) error {
	ctx, signals := ui.WatchSignals()
	defer signals.Stop()
	return weights.Verify(ctx, c.Args().Slice(), func(name string) {
		_ = s.show(map[string]any{"type": "result", "name": name, "ok": true}, name+": ok")
	})
}

func weightsPath(s *session, c *cli.Context) error {
	path := weights.Folder()
	if c.NArg() > 0 {
		var err error
		if path, err = weights.Path(c.Args().First()); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(s.stdout, path)
	return err
}
