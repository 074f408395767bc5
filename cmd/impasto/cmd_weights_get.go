package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/vgg"
)

func weightsGetCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "get",
		Usage:     "download published weights, check and install them",
		ArgsUsage: strings.Join(vgg.Available(), "|"),
		Flags: append([]cli.Flag{
			textFlag("from", "", "", "FILE", "copy of the published file, for a machine without network"),
			&cli.BoolFlag{Name: "force", Usage: "download and install weights that are installed already"},
			&cli.BoolFlag{Name: "half", Usage: "store the weights as 16-bit numbers, at half the size"},
		}, commonFlags()...),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return ui.UsageFault(fmt.Sprintf("weights get needs one name, got %d", c.NArg()), "impasto weights get vgg19")
			}
			ctx, signals := ui.WatchSignals()
			defer signals.Stop()
			w, err := vgg.DefaultStore().Get(ctx, c.Args().First(), vgg.GetOptions{
				From: ui.Home(flagText(c, "from")), Force: c.Bool("force"), Half: c.Bool("half"), Progress: s.downloadLine(),
			})
			return s.printInstalled(w, err)
		},
	}
}

func weightsImportCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "install weights from a .safetensors, .pth, .caffemodel, .onnx or .mat file",
		ArgsUsage: "FILE",
		Flags: append([]cli.Flag{
			textFlag("name", "", "", "NAME", "name of the installed weights (default: the name in the file)"),
			textFlag("layout", "", "", "caffe|torchvision", "channel order and scale of a file that does not say: caffe or torchvision"),
			&cli.BoolFlag{Name: "force", Usage: "replace installed weights of the same name"},
			&cli.BoolFlag{Name: "half", Usage: "store the weights as 16-bit numbers, at half the size"},
		}, commonFlags()...),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return ui.UsageFault(fmt.Sprintf("weights import needs one file, got %d", c.NArg()), "impasto weights import vgg19-d01eb7cb.pth")
			}
			ctx, signals := ui.WatchSignals()
			defer signals.Stop()
			w, err := vgg.DefaultStore().Import(ctx, ui.Home(c.Args().First()), vgg.ImportOptions{
				Name: flagText(c, "name"), Layout: vgg.Layout(flagText(c, "layout")), Force: c.Bool("force"), Half: c.Bool("half"),
			})
			return s.printInstalled(w, err)
		},
	}
}

func weightsVerifyCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "compare installed weights with their checksums",
		ArgsUsage: "[NAME...]",
		Flags:     commonFlags(),
		Action: func(c *cli.Context) error {
			store := vgg.DefaultStore()
			names := c.Args().Slice()
			if len(names) == 0 {
				list, err := store.List()
				if err != nil {
					return err
				}
				for _, w := range list {
					names = append(names, w.Name)
				}
			}
			ctx, signals := ui.WatchSignals()
			defer signals.Stop()
			var bad ui.Faults
			for _, name := range names {
				if err := store.Verify(ctx, name); err != nil {
					bad.Add(err)
					continue
				}
				if s.json {
					writeJSON(s.stdout, map[string]any{"type": "result", "name": name, "ok": true})
				} else {
					fmt.Fprintf(s.stdout, "%s: ok\n", name)
				}
			}
			return bad.Err()
		},
	}
}

func (s *session) printInstalled(w vgg.Installed, err error) error {
	if err != nil {
		return err
	}
	if s.json {
		return writeJSON(s.stdout, w)
	}
	if w.Licence != "" && !s.quiet {
		fmt.Fprintf(s.stderr, "impasto: licence of the weights: %s\n", w.Licence)
	}
	_, err = fmt.Fprintf(s.stdout, "%s: installed, %s, to %s, sha256 %s\n", w.Name, progress.Bytes(w.Bytes), w.Last, w.SHA256)
	return err
}

// downloadLine tells how far a download is: one line that is redrawn on a
// terminal, a line every tenth elsewhere.
func (s *session) downloadLine() func(vgg.Progress) {
	if s.quiet || s.json {
		return nil
	}
	isTerm := ui.IsTerminal(s.stderr)
	var last time.Time
	tenth := int64(-1)
	return func(p vgg.Progress) {
		text := fmt.Sprintf("%s  %s", p.File, progress.Bytes(p.Done))
		if p.Total > 0 {
			text += fmt.Sprintf(" of %s  %d %%", progress.Bytes(p.Total), p.Done*100/p.Total)
		}
		finished := p.Total > 0 && p.Done >= p.Total
		switch {
		case isTerm && (finished || time.Since(last) > 200*time.Millisecond):
			last = time.Now()
			end := ""
			if finished {
				end = "\n"
			}
			fmt.Fprintf(s.stderr, "\r\x1b[K%s%s", text, end)
		case !isTerm && p.Total > 0 && p.Done*10/p.Total > tenth:
			tenth = p.Done * 10 / p.Total
			fmt.Fprintln(s.stderr, text)
		}
	}
}
