package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func mapDeriveCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "derive",
		Usage:     "draw a first map of a picture: colour, features and place",
		ArgsUsage: "PICTURE",
		Flags: append([]cli.Flag{
			textFlag("regions", "k", "", "N", "how many regions, 3 to 16 (default: 6)"),
			textFlag("weights", "", settings.GroupDevice, "NAME", "vgg19, mini (no download) or a FILE (default: vgg19 if installed)"),
			textFlag("threads", "", settings.GroupDevice, "N", "processor threads (default: all); the picture is the same"),
		}, outputFlags("where to write (PICTURE_sem.png)")...),
		Action: func(c *cli.Context) error { return mapDerive(s, c) },
	}
}

func mapDerive(s *session, c *cli.Context) error {
	var bad ui.Faults
	if c.NArg() != 1 {
		return ui.UsageFault(fmt.Sprintf("map derive needs one picture, got %d", c.NArg()), "impasto map derive painting.jpg")
	}
	number := func(name string, fallback, least, most int) int {
		text := flagText(c, name)
		if text == "" {
			return fallback
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			bad.Add(settings.BadValue(name, text, fmt.Sprintf("a whole number from %d to %d", least, most)))
		}
		return n
	}
	regions := number("regions", 6, maps.MinRegions, maps.MostRegions)
	threads := number("threads", 0, 1, 4096)
	path := c.Args().First()
	p, info, err := render.ReadPicture(path, picture.ReadOptions{Role: "picture", Stdin: s.stdin})
	bad.Add(err)
	fallback := maps.MapPath(ui.Home(path))
	if name, ok := render.CutSample(path); ok {
		fallback = maps.MapPath(name + ".png")
	} else if path == ui.Stdout {
		fallback = "stdin" + maps.Suffix + ".png"
	}
	out, skip, err := mapTarget(c, fallback)
	bad.Add(err)
	bad.Add(apart(out, path))
	maker, err := render.NewMapMaker(context.Background(), flagText(c, "weights"), threads)
	bad.Add(err)
	if len(bad) > 0 {
		return bad
	}
	if !s.quiet && !s.json {
		for _, w := range info.Warnings {
			fmt.Fprintf(s.stderr, "impasto: note: %s\n", ui.Printable(w))
		}
	}
	if skip {
		return nil
	}
	m, err := maker.Derive(p, regions)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s at %dx%d, features of %s; next: impasto map view %s", ui.Count(len(m.Regions), "region"), m.W, m.H, maker.Network(), out)
	return s.writeMap(m, out, what)
}
