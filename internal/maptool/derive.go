package maptool

import (
	"fmt"
	"slices"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/overwrite"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// usualRegions is how many regions derive draws unless asked otherwise.
const usualRegions = 6

// mostThreads bounds --threads.
const mostThreads = 4096

var derive = Tool{
	Name: "derive", Args: "PICTURE",
	Help: "draw a first map of a picture from its colours, features and places",
	Flags: slices.Concat([]Flag{
		{Name: "regions", Short: "k", Value: "N", Help: "number of regions, 3 to 16 (default: 6)"},
		{Name: "weights", Group: settings.GroupDevice, Value: "NAME", Kind: settings.FileOrWord, Help: "network for the features: vgg19, mini or a FILE (default: vgg19 if installed)"},
		{Name: "threads", Group: settings.GroupDevice, Value: "N", Help: "CPU threads; the map does not depend on them (default: all)"},
	}, outputFlags("file to write (default: PICTURE_sem.png)")),
	Writes: true, files: allArgs,
	run: runDerive,
}

func runDerive(c *call) error {
	var bad ui.Faults
	if len(c.Args) != 1 {
		return ui.UsageFault(fmt.Sprintf("map derive needs one picture, got %d", len(c.Args)), "impasto map derive painting.jpg")
	}
	regions := c.number("regions", "", usualRegions, maps.MinRegions, maps.MostRegions, &bad)
	threads := c.number("threads", "", 0, 1, mostThreads, &bad)
	path := c.Args[0]
	p, info, err := c.readPicture(path, "picture")
	bad.Add(err)
	fallback := maps.MapPath(ui.Home(path))
	if name, ok := render.CutSample(path); ok {
		fallback = maps.MapPath(name + ".png")
	} else if path == ui.Stdout {
		fallback = "stdin" + maps.Suffix + ".png"
	}
	out, skip, err := c.mapTarget(fallback)
	bad.Add(err)
	bad.Add(overwrite.Apart(out, path))
	maker, err := render.NewMapMaker(c.ctx, nil, c.text("weights"), threads)
	bad.Add(err)
	if len(bad) > 0 {
		return bad
	}
	for _, w := range info.Warnings {
		c.note("impasto: note: %s", w)
	}
	if skip {
		return nil
	}
	m, err := maker.Derive(p, regions)
	if err != nil {
		return err
	}
	return c.writeMap(m, out, fmt.Sprintf("%s at %dx%d, features of %s; next: impasto map view %s",
		ui.Count(len(m.Regions), "region"), m.W, m.H, maker.Network(), out))
}
