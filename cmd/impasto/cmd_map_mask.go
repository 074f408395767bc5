package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func mapMaskCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "mask",
		Usage:     "a picture that is white in some regions, for --protect",
		ArgsUsage: "MAP REGION...",
		Flags: append([]cli.Flag{
			textFlag("soft", "", "", "N", "pixels to each side of a border over which it fades (default: 0)"),
		}, outputFlags("where to write (mask.png)")...),
		Action: func(c *cli.Context) error { return mapMask(s, c) },
	}
}

// mostSoft bounds --soft: borders wider than any region are no borders.
const mostSoft = 4096

func mapMask(s *session, c *cli.Context) error {
	const usage = "impasto map mask photo_sem.png face --soft 8 -o mask.png"
	var bad ui.Faults
	path, m, _, err := s.oneMap(c, usage)
	bad.Add(err)
	if path == "" {
		return bad
	}
	radius := 0
	if text := flagText(c, "soft"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > mostSoft {
			bad.Add(settings.BadValue("soft", text, fmt.Sprintf("a whole number of pixels from 0 to %d", mostSoft)))
		}
		radius = n
	}
	out, skip, err := mapTarget(c, "mask.png")
	bad.Add(err)
	bad.Add(apart(out, path))
	if c.NArg() < 2 {
		bad.Add(ui.UsageFault("map mask needs at least one region", usage))
	}
	chosen := map[int]bool{}
	if m != nil {
		for _, text := range c.Args().Tail() {
			i, err := m.Find(text)
			bad.Add(err)
			chosen[i] = true
		}
	}
	if len(bad) > 0 {
		return bad
	}
	if skip {
		return nil
	}
	p := picture.New(m.W, m.H)
	share, names := 0.0, []string{}
	for i, r := range m.Regions {
		if !chosen[i] {
			continue
		}
		for j, v := range m.Soft(i, radius) {
			for k := range 3 {
				p.Pix[3*j+k] = min(1, p.Pix[3*j+k]+v)
			}
		}
		share += m.Share(i)
		names = append(names, r.String())
	}
	if err := picture.Save(out, p, picture.WriteOptions{Software: software()}); err != nil {
		return err
	}
	if s.json {
		return writeJSON(s.stdout, map[string]any{"type": "result", "output": out, "width": m.W, "height": m.H, "share": share})
	}
	if !s.quiet {
		fmt.Fprintf(s.stderr, "%s: %.0f %% of the map\n", ui.Printable(strings.Join(names, ", ")), 100*share)
	}
	return ui.PrintResult(s.stdout, out)
}
