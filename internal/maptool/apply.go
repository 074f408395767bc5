package maptool

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/impasto/impasto/internal/explain"
	"github.com/impasto/impasto/internal/overwrite"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

var apply = Tool{
	Name: "apply", Args: "MATCHES.json PAINTING...",
	Help: "lay the matches of --explain again, from another scan of the painting",
	Flags: slices.Concat([]Flag{
		{Name: "size", Short: "s", Group: settings.GroupScale, Value: "SIZE", Help: "size of the result: 2x, 1024 or 640x480 (default: that of the canvas)"},
		{Name: "layer", Value: "NAME", Help: "layer whose matches are used (default: the finest)"},
	}, outputFlags("file to write (default: out.png)")),
	Writes: true, files: allArgs,
	run: runApply,
}

func runApply(c *call) error {
	const usage = "impasto map apply --help"
	if len(c.Args) < 2 {
		return ui.UsageFault(fmt.Sprintf("map apply needs matches and the paintings to take them from, got %s", ui.Count(len(c.Args), "file")), usage)
	}
	var bad ui.Faults
	m, err := readMatches(ui.Home(c.Args[0]))
	bad.Add(err)
	var paintings []*picture.Picture
	for _, path := range c.Args[1:] {
		p, _, err := c.readPicture(path, "painting")
		bad.Add(err)
		paintings = append(paintings, p)
	}
	out, skip, err := c.applyTarget()
	bad.Add(err)
	if skip || m == nil {
		return bad.Err()
	}
	if n := len(m.Paintings); n != len(paintings) {
		var names []string
		for _, p := range m.Paintings {
			names = append(names, p.Name)
		}
		bad.Add(ui.NewFault(ui.ExitInput, "matches", fmt.Sprintf("the matches are of %s (%s), got %d", ui.Count(n, "painting"), words(names), len(paintings))))
	}
	layer, err := chooseLayer(m, c.text("layer"))
	bad.Add(err)
	w, h := 0, 0
	if layer != nil {
		w, h, err = c.applySize(layer)
		bad.Add(err)
	}
	if len(bad) > 0 {
		return bad
	}
	for i, p := range paintings {
		if was := m.Paintings[i]; p.W*was.H*50 > 51*p.H*was.W || p.W*was.H*51 < 50*p.H*was.W {
			c.note("impasto: note: %q has other proportions than %q had, %dx%d; places are taken by their share",
				c.Args[i+1], was.Name, was.W, was.H)
		}
	}
	if err := c.savePicture(out, explain.Replay(layer.Correspondence(), paintings, w, h)); err != nil {
		return err
	}
	c.wrote(out, "", map[string]any{"width": w, "height": h, "layer": layer.Layer})
	return nil
}

func (c *call) applyTarget() (out string, skip bool, err error) {
	out = ui.Home(cmp.Or(c.text("output"), "out.png"))
	if _, err := picture.FormatOf(out); err != nil {
		return out, false, err
	}
	if err := overwrite.Apart(out, c.Args...); err != nil {
		return out, false, err
	}
	return c.destination(out)
}

// applySize returns the size of the result.
func (c *call) applySize(layer *explain.Matched) (w, h int, err error) {
	w, h = layer.CanvasW, layer.CanvasH
	if text := c.text("size"); text != "" {
		size, err := picture.ParseSize(text)
		if err == nil {
			w, h, err = size.Resolve(w, h)
		}
		if err != nil {
			return 0, 0, ui.UsageFault(err.Error(), "-s 2x")
		}
	}
	if w*h > picture.DefaultMaxPixels {
		return 0, 0, ui.UsageFault(fmt.Sprintf("%dx%d is too large", w, h), "-s 2x")
	}
	return w, h, nil
}

func readMatches(path string) (*explain.Matches, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ui.NewFault(ui.ExitInput, "not_found", fmt.Sprintf("matches %q do not exist", path),
			"impasto patch sample:lighthouse sample:woodblock -o "+ui.ShellQuote(overwrite.New(picture.Fail, false).Free("explained.png"))+" --explain "+ui.ShellQuote(overwrite.New(picture.Fail, false).Free("why"))+"   (writes matches.json there)")
	case err != nil:
		return nil, ui.NewFault(ui.ExitInput, "unreadable", fmt.Sprintf("matches %q cannot be read: %s", path, ui.Reason(err)))
	}
	defer f.Close()
	return explain.ReadMatches(f, path)
}

// chooseLayer returns the layer with this name. Without a name it returns the layer
// with the smallest cells.
func chooseLayer(m *explain.Matches, name string) (*explain.Matched, error) {
	best := &m.Layers[0]
	var names []string
	for i := range m.Layers {
		l := &m.Layers[i]
		names = append(names, l.Layer)
		if l.Layer == name {
			return l, nil
		}
		if l.Cell < best.Cell {
			best = l
		}
	}
	if name != "" {
		return nil, ui.UsageFault(fmt.Sprintf("the matches have no layer %q; they have %s", name, words(names)), "--layer "+names[0])
	}
	return best, nil
}
