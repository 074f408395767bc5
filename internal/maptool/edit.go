package maptool

import (
	"fmt"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

const overItself = "file to write (default: MAP itself, with -y)"

var recolor = Tool{
	Name: "recolor", Args: "MAP REGION=COLOUR...",
	Help:   "give regions other colours",
	Flags:  outputFlags(overItself),
	Writes: true, files: 1,
	run: runRecolor,
}

func runRecolor(c *call) error {
	const usage = "impasto map recolor --help"
	return c.edit(usage, func(m *maps.Map) (*maps.Map, string, error) {
		if len(c.Args) < 2 {
			return m, "", ui.UsageFault("map recolor needs at least one REGION=COLOUR", usage)
		}
		what, err := recolored(m, c.Args[1:], usage)
		return m, what, err
	})
}

// recolored applies changes, each of them REGION=COLOUR.
func recolored(m *maps.Map, changes []string, usage string) (what string, err error) {
	// All regions are found before any changes, so that two can exchange their
	// colours.
	type change struct {
		region int
		text   string
	}
	var bad ui.Faults
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
		m.Regions[ch.region].Colour.A = 0 // so that the old colour is free for other regions
	}
	for _, ch := range list {
		colour, err := maps.ParseColour(ch.text)
		if err == nil {
			err = m.Recolor(ch.region, colour)
		}
		bad.Add(err)
	}
	var done []string
	for _, ch := range list {
		done = append(done, fmt.Sprintf("%s is %s", before.Regions[ch.region], maps.Hex(m.Regions[ch.region].Colour)))
	}
	return words(done), bad.Err()
}

var merge = Tool{
	Name: "merge", Args: "MAP REGION REGION...",
	Help:   "join regions into one, which keeps the colour of the first",
	Flags:  outputFlags(overItself),
	Writes: true, files: 1,
	run: runMerge,
}

func runMerge(c *call) error {
	const usage = "impasto map merge --help"
	return c.edit(usage, func(m *maps.Map) (*maps.Map, string, error) {
		var bad ui.Faults
		var list []int
		for _, text := range c.Args[1:] {
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

var fit = Tool{
	Name: "fit", Args: "MAP",
	Help: "resize a map to the size of a picture, without mixing colours",
	Flags: slices.Concat([]Flag{
		{Name: "to", Value: "PICTURE", Kind: settings.FileOrWord, Help: "picture to fit, or a size such as 512x384"},
		{Name: "crop", Kind: settings.Switch, Help: "crop the map where its proportions differ"},
		{Name: "stretch", Kind: settings.Switch, Help: "stretch the map where its proportions differ"},
	}, outputFlags(overItself)),
	Writes: true, files: 1,
	run: runFit,
}

// mostStretch is the largest difference in proportions that rounding of sizes
// causes.
const mostStretch = 0.01

func runFit(c *call) error {
	const usage = "impasto map fit --help"
	return c.edit(usage, func(m *maps.Map) (*maps.Map, string, error) {
		to := c.text("to")
		if to == "" {
			return nil, "", ui.UsageFault("map fit needs --to, a picture or a size", usage)
		}
		w, h, err := c.sizeOf(to, m)
		if err != nil {
			return nil, "", err
		}
		from := fmt.Sprintf("%dx%d", m.W, m.H)
		before := len(m.Regions)
		if by := m.Stretch(w, h); by > mostStretch {
			switch {
			case c.on("crop"):
				m = m.CropTo(w, h)
			case !c.on("stretch"):
				return nil, "", ui.NewFault(ui.ExitInput, "map_proportions",
					fmt.Sprintf("the map is %s and %q is %dx%d; the proportions differ by %.0f %%", from, to, w, h, 100*by),
					"--crop   (cuts what sticks out)", "--stretch   (stretches it)")
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

// sizeOf returns the size that the text to names: that of a picture, or a size in
// pixels.
func (c *call) sizeOf(to string, m *maps.Map) (w, h int, err error) {
	if size, err := picture.ParseSize(to); err == nil {
		return size.Resolve(m.W, m.H)
	}
	p, _, err := c.readPicture(to, "picture")
	if err != nil {
		return 0, 0, err
	}
	return p.W, p.H, nil
}
