package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/overwrite"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// diffGain makes a difference of one code in 8 bits visible.
const diffGain = 8

func compareCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "compare",
		Category:  categoryPicture,
		Usage:     "measure how alike two pictures are, by PSNR and SSIM",
		ArgsUsage: "A B",
		Flags: append([]cli.Flag{
			textFlag("diff", "", "", "FILE", "file for a picture of the differences, multiplied by 8"),
			textFlag("min-psnr", "", "", "DB", "least PSNR; below it the exit code is 15"),
			textFlag("min-ssim", "", "", "X", "least SSIM; below it the exit code is 15"),
			&cli.BoolFlag{Name: "y", Usage: "replace the difference picture if it exists"},
		}, commonFlags()...),
		Action: func(c *cli.Context) error { return compare(s, c) },
	})
}

func compare(s *session, c *cli.Context) error {
	var bad ui.Faults
	if c.NArg() != 2 {
		bad.Add(ui.UsageFault(fmt.Sprintf("compare needs two pictures, got %d", c.NArg()), "impasto compare a.png b.png"))
		return bad
	}
	least := map[string]float64{}
	for _, name := range []string{"min-psnr", "min-ssim"} {
		if !c.IsSet(name) {
			continue
		}
		text := c.Generic(name).(*words).given[0]
		v, ok := settings.ParseNumber(text)
		if !ok || math.IsNaN(v) {
			bad.Add(settings.BadValue(name, text, "a number"))
		}
		least[name] = v
	}
	var both [2]*picture.Picture
	for i := range both {
		p, _, err := picture.Read(c.Args().Get(i), picture.ReadOptions{Role: "picture", Stdin: s.stdin})
		bad.Add(err)
		both[i] = p
	}
	diff := ""
	if c.IsSet("diff") {
		rule := picture.Fail
		if c.Bool("y") {
			rule = picture.Replace
		}
		path, _, err := picture.Destination(c.Generic("diff").(*words).given[0], rule)
		bad.Add(err)
		bad.Add(overwrite.Apart(path, c.Args().Slice()...))
		if _, err := picture.FormatOf(path); path != "" {
			bad.Add(render.WithFlag("--diff", err))
		}
		diff = path
	}
	if len(bad) > 0 {
		return bad
	}
	psnr, err := picture.PSNR(both[0], both[1])
	if err != nil {
		return err
	}
	ssim, err := picture.SSIM(both[0], both[1])
	if err != nil {
		return err
	}
	if diff != "" {
		d, err := picture.Difference(both[0], both[1], diffGain)
		if err != nil {
			return err
		}
		if err := picture.Save(diff, d, picture.WriteOptions{Software: software()}); err != nil {
			return err
		}
	}
	if s.json {
		err = json.NewEncoder(s.stdout).Encode(map[string]any{
			"type": "result", "psnr_db": recipe.Finite(psnr), "ssim": ssim, "equal": math.IsInf(psnr, 1),
			"width": both[0].W, "height": both[0].H, "diff": diff,
		})
	} else {
		_, err = fmt.Fprintf(s.stdout, "PSNR %s  SSIM %.4f  %dx%d\n", decibels(psnr), ssim, both[0].W, both[0].H)
	}
	if err != nil {
		return err
	}
	for _, m := range []struct {
		name string
		got  float64
	}{{"min-psnr", psnr}, {"min-ssim", ssim}} {
		if want, asked := least[m.name]; asked && m.got < want {
			bad.Add(ui.NewFault(ui.ExitMismatch, "mismatch", fmt.Sprintf("%q and %q differ: %s is %s, at least %s was asked for",
				c.Args().Get(0), c.Args().Get(1), m.name[4:], short(m.got), short(want))))
		}
	}
	return bad.Err()
}

// decibels writes a PSNR; equal pictures have no finite one.
func decibels(v float64) string {
	if math.IsInf(v, 1) {
		return "equal"
	}
	return fmt.Sprintf("%.2f dB", v)
}

func short(v float64) string { return strconv.FormatFloat(v, 'g', 5, 64) }
