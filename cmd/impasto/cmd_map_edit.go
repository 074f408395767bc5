package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/ui"
)

func mapRecolorCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "recolor",
		Usage:     "give regions other colours",
		ArgsUsage: "MAP REGION=COLOUR...",
		Flags:     outputFlags("where to write (MAP itself, with -y)"),
		Action:    func(c *cli.Context) error { return mapRecolor(s, c) },
	}
}

func mapRecolor(s *session, c *cli.Context) error {
	const usage = "impasto map recolor photo_sem.png azure=red -o photo_sem.png -y"
	return s.editMap(c, usage, func(m *maps.Map) (*maps.Map, string, error) {
		var bad ui.Faults
		changes := c.Args().Tail()
		if len(changes) == 0 {
			bad.Add(ui.UsageFault("map recolor needs at least one REGION=COLOUR", usage))
		}
		// Regions are found first, so that two may exchange their colours.
		type change struct {
			region int
			text   string
		}
		var list []change
		for _, text := range changes {
			from, to, ok := strings.Cut(text, "=")
			if !ok {
				bad.Add(ui.UsageFault(fmt.Sprintf("%q is not of the form REGION=COLOUR", text), usage))
				continue
			}
			region, err := m.Find(from)
			bad.Add(err)
			if err == nil {
				list = append(list, change{region, to})
			}
		}
		before := m.Clone()
		for _, ch := range list {
			// What is about to change is out of the way of the others.
			m.Regions[ch.region].Colour.A = 0
		}
		for _, ch := range list {
			colour, err := maps.ParseColour(ch.text)
			if err == nil {
				err = m.Recolor(ch.region, colour)
			}
			bad.Add(err)
		}
		var told []string
		for _, ch := range list {
			told = append(told, fmt.Sprintf("%s is %s", before.Regions[ch.region], maps.Hex(m.Regions[ch.region].Colour)))
		}
		return m, strings.Join(told, ", "), bad.Err()
	})
}

func mapMergeCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "merge",
		Usage:     "make one region of several; the first gives the colour",
		ArgsUsage: "MAP REGION REGION...",
		Flags:     outputFlags("where to write (MAP itself, with -y)"),
		Action:    func(c *cli.Context) error { return mapMerge(s, c) },
	}
}

func mapMerge(s *session, c *cli.Context) error {
	const usage = "impasto map merge photo_sem.png azure cyan -o photo_sem.png -y"
	return s.editMap(c, usage, func(m *maps.Map) (*maps.Map, string, error) {
		var bad ui.Faults
		var list []int
		for _, text := range c.Args().Tail() {
			i, err := m.Find(text)
			bad.Add(err)
			if err == nil && !slices.Contains(list, i) {
				list = append(list, i)
			}
		}
		switch n := len(list); {
		case len(bad) > 0:
		case n < 2:
			bad.Add(ui.UsageFault(fmt.Sprintf("map merge needs at least two regions, got %d", n), usage))
		case n == len(m.Regions):
			bad.Add(ui.NewFault(ui.ExitInput, "map_merge", fmt.Sprintf("merging all %d regions would leave nothing to tell apart", n), usage))
		}
		if len(bad) > 0 {
			return nil, "", bad
		}
		into := m.Regions[list[0]]
		m.Merge(list)
		return m, fmt.Sprintf("%d regions are now %s; %s in all", len(list), into, ui.Count(len(m.Regions), "region")), nil
	})
}

func mapFitCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "fit",
		Usage:     "bring a map to the size of a picture, without blending colours",
		ArgsUsage: "MAP",
		Flags: append([]cli.Flag{
			textFlag("to", "", "", "PICTURE", "the picture, or a size such as 512x384"),
			&cli.BoolFlag{Name: "crop", Usage: "cut what sticks out when proportions differ"},
			&cli.BoolFlag{Name: "stretch", Usage: "stretch the map when proportions differ"},
		}, outputFlags("where to write (MAP itself, with -y)")...),
		Action: func(c *cli.Context) error { return mapFit(s, c) },
	}
}

// mostStretch is the difference in proportions that is a rounding of sizes.
const mostStretch = 0.01

func mapFit(s *session, c *cli.Context) error {
	const usage = "impasto map fit photo_sem.png --to photo.jpg"
	return s.editMap(c, usage, func(m *maps.Map) (*maps.Map, string, error) {
		to := flagText(c, "to")
		if to == "" {
			return nil, "", ui.UsageFault("map fit needs --to, a picture or a size", usage)
		}
		w, h, err := s.sizeOf(to, m)
		if err != nil {
			return nil, "", err
		}
		from := fmt.Sprintf("%dx%d", m.W, m.H)
		before := len(m.Regions)
		if by := m.Stretch(w, h); by > mostStretch {
			switch {
			case c.Bool("crop"):
				m = m.CropTo(w, h)
			case !c.Bool("stretch"):
				return nil, "", ui.NewFault(ui.ExitInput, "map_proportions",
					fmt.Sprintf("the map is %s and %q is %dx%d; the proportions differ by %.0f %%", from, to, w, h, 100*by),
					"--crop to cut what sticks out", "--stretch to stretch it")
			}
		}
		m = m.Resize(w, h)
		left := 0
		for _, r := range m.Regions {
			if r.Pixels > 0 {
				left++
			}
		}
		what := fmt.Sprintf("%s is now %dx%d, %s", from, w, h, ui.Count(left, "region"))
		if left < before {
			what += fmt.Sprintf("; %d were too small or outside", before-left)
		}
		return m, what, nil
	})
}

// sizeOf is that of a picture, or a size in words.
func (s *session) sizeOf(to string, m *maps.Map) (w, h int, err error) {
	if size, err := picture.ParseSize(to); err == nil {
		return size.Resolve(m.W, m.H)
	}
	p, _, err := render.ReadPicture(to, picture.ReadOptions{Role: "picture", Stdin: s.stdin})
	if err != nil {
		return 0, 0, err
	}
	return p.W, p.H, nil
}
