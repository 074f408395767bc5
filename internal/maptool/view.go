package maptool

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/impasto/impasto/internal/overwrite"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

var view = Tool{
	Name: "view", Args: "MAP",
	Help: "list the regions of a map and show it over its picture",
	Flags: slices.Concat([]Flag{
		{Name: "over", Value: "PICTURE", Kind: settings.File, Help: "picture under the map (default: the one beside the map)"},
		{Name: "opacity", Value: "X", Help: "opacity of the map over the picture, 0 to 1 (default: 0.5)"},
		{Name: "preview", Group: settings.GroupCommon, Value: "HOW", Help: "drawing in the terminal: auto, kitty, iterm, sixel, blocks or none"},
	}, outputFlags("file for the picture that is shown")),
	Shows: true,
	files: 1,
	run:   runView,
}

func runView(c *call) error {
	var bad ui.Faults
	path, m, src, err := c.firstMap("impasto map view photo_sem.png")
	bad.Add(err)
	if path == "" {
		return bad
	}
	opacity := 0.5
	if text := c.text("opacity"); text != "" {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || !(v >= 0 && v <= 1) {
			bad.Add(settings.BadValue("opacity", text, "a number from 0 to 1"))
		}
		opacity = v
	}
	var under *picture.Picture
	over := cmp.Or(c.text("over"), c.pictureBeside(path))
	if over != "" {
		under, _, err = c.readPicture(over, "picture")
		bad.Add(err)
	}
	out, skip := "", true
	if to := ui.Home(c.text("output")); to != "" {
		_, err := picture.FormatOf(to)
		bad.Add(err)
		out, skip, err = c.destination(to)
		bad.Add(err)
		bad.Add(overwrite.Apart(to, path, over))
	}
	if len(bad) > 0 {
		return bad
	}
	shown := m.Picture()
	if under != nil {
		if under.W != m.W || under.H != m.H {
			c.note("impasto: the map is %dx%d and %q is %dx%d\n  try: impasto map lint %s", m.W, m.H, over, under.W, under.H, ui.ShellQuote(path))
		}
		shown = m.Overlay(under, opacity)
	}
	if c.Show != nil {
		if err := c.Show(shown); err != nil {
			return err
		}
	}
	if !skip {
		if err := c.savePicture(out, shown); err != nil {
			return err
		}
		c.out.Outputs = []string{out}
	}
	c.out.Facts = map[string]any{"type": "result", "output": out, "width": m.W, "height": m.H, "colours": src.Colours, "regions": m.Rows()}
	for _, r := range m.Rows() {
		c.out.Lines = append(c.out.Lines, fmt.Sprintf("%-12s %-9s %6.2f %%  %8s  up to %s wide",
			r.Label, r.Colour, 100*r.Share, ui.Count(r.Pieces, "piece"), ui.Count(r.Width, "pixel")))
	}
	return nil
}
