package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/compare"
	"github.com/impasto/impasto/internal/ui"
)

func compareCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "compare",
		Category:  categoryPicture,
		Usage:     "measure how alike two pictures are, by PSNR and SSIM",
		ArgsUsage: "A B",
		Flags: []cli.Flag{
			textFlag("diff", "", "", "FILE", "file for a picture of the differences, multiplied by 8"),
			textFlag("min-psnr", "", "", "DB", "least PSNR; below it the exit code is 15"),
			textFlag("min-ssim", "", "", "X", "least SSIM; below it the exit code is 15"),
			&cli.BoolFlag{Name: "y", Usage: "replace the difference picture if it exists"},
		},
		Action: func(c *cli.Context) error { return comparePictures(s, c) },
	})
}

func comparePictures(s *session, c *cli.Context) error {
	if c.NArg() != 2 {
		return ui.UsageFault(fmt.Sprintf("compare needs two pictures, got %d", c.NArg()), "impasto compare a.png b.png")
	}
	result, err := compare.Run(compare.Request{
		A: c.Args().Get(0), B: c.Args().Get(1), Stdin: s.stdin, Software: software(),
		Diff: flagText(c, "diff"), Replace: c.Bool("y"), MinPSNR: flagText(c, "min-psnr"), MinSSIM: flagText(c, "min-ssim"),
	})
	if result.W == 0 {
		return err // nothing was compared
	}
	_ = s.show(result, result)
	return err
}
