package maptool

import (
	"slices"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/overwrite"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
)

var mask = Tool{
	Name: "mask", Args: "MAP REGION...",
	Help: "make a picture that is white in some regions, for --protect",
	Flags: slices.Concat([]Flag{
		{Name: "soft", Value: "N", Help: "width of the fade to each side of a border, in pixels (default: 0)"},
	}, outputFlags("file to write (default: mask.png)")),
	Writes: true, files: 1,
	run: runMask,
}

// mostSoft is the largest value of --soft. No region is wider.
const mostSoft = 4096

func runMask(c *call) error {
	const usage = "impasto map mask --help"
	var bad ui.Faults
	path, m, _, err := c.firstMap(usage)
	bad.Add(err)
	if path == "" {
		return bad
	}
	radius := c.number("soft", " of pixels", 0, 0, mostSoft, &bad)
	out, skip, err := c.mapTarget("mask.png")
	bad.Add(err)
	bad.Add(overwrite.Apart(out, path))
	if len(c.Args) < 2 {
		bad.Add(ui.UsageFault("map mask needs at least one region", usage))
	}
	chosen := map[int]bool{}
	if m != nil {
		for _, text := range c.Args[1:] {
			i, err := m.Find(text)
			bad.Add(err)
			chosen[i] = true
		}
	}
	if len(bad) > 0 || skip {
		return bad.Err()
	}
	p, share, names := paintMask(m, chosen, radius)
	if err := c.savePicture(out, p); err != nil {
		return err
	}
	c.wrote(out, "", map[string]any{"width": m.W, "height": m.H, "share": share})
	c.note("%s: %.0f %% of the map", words(names), 100*share)
	return nil
}

// paintMask paints the chosen regions white. share is the share of the map that
// they cover.
func paintMask(m *maps.Map, chosen map[int]bool, radius int) (p *picture.Picture, share float64, names []string) {
	p = picture.New(m.W, m.H)
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
	return p, share, names
}
