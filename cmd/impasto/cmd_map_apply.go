package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/explain"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func mapApplyCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "apply",
		Usage:     "lay saved matches again, with another scan or colouring of the painting",
		ArgsUsage: "MATCHES.json PAINTING...",
		Flags: append([]cli.Flag{
			textFlag("size", "s", settings.GroupScale, "SIZE", "of the result: 2x, 1024, 640x480 (default: the canvas's)"),
			textFlag("layer", "", "", "NAME", "whose matches (default: the finest)"),
		}, outputFlags("where to write (out.png)")...),
		Action: func(c *cli.Context) error { return mapApply(s, c) },
	}
}

func mapApply(s *session, c *cli.Context) error {
	const usage = "impasto map apply why/matches.json painting.jpg -s 2x -o large.png"
	if c.NArg() < 2 {
		return ui.UsageFault(fmt.Sprintf("map apply needs matches and the paintings to take them from, got %s", ui.Count(c.NArg(), "file")), usage)
	}
	var bad ui.Faults
	m, err := readMatches(ui.Home(c.Args().First()))
	bad.Add(err)
	var paintings []*picture.Picture
	for _, path := range c.Args().Tail() {
		p, _, err := render.ReadPicture(path, picture.ReadOptions{Role: "painting", Stdin: s.stdin})
		bad.Add(err)
		paintings = append(paintings, p)
	}
	out := ui.Home(either(flagText(c, "output"), "out.png"))
	_, err = picture.FormatOf(out)
	bad.Add(err)
	if err == nil {
		var skip bool
		bad.Add(apart(out, c.Args().Slice()...))
		out, skip, err = destination(c, out)
		bad.Add(err)
		if skip {
			return bad.Err()
		}
	}
	if m == nil {
		return bad
	}
	if n := len(m.Paintings); n != len(paintings) {
		var names []string
		for _, p := range m.Paintings {
			names = append(names, p.Name)
		}
		bad.Add(ui.NewFault(ui.ExitInput, "matches", fmt.Sprintf("the matches are of %s (%s), got %d", ui.Count(n, "painting"), strings.Join(names, ", "), len(paintings))))
	}
	layer, err := chooseLayer(m, flagText(c, "layer"))
	bad.Add(err)
	w, h := 0, 0
	if layer != nil {
		w, h = layer.CanvasW, layer.CanvasH
		if text := flagText(c, "size"); text != "" {
			size, err := picture.ParseSize(text)
			if err == nil {
				w, h, err = size.Resolve(w, h)
			}
			if err != nil {
				bad.Add(ui.UsageFault(err.Error(), "-s 2x"))
			}
		}
		if w*h > picture.DefaultMaxPixels {
			bad.Add(ui.UsageFault(fmt.Sprintf("%dx%d is too large", w, h), "-s 2x"))
		}
	}
	if len(bad) > 0 {
		return bad
	}
	for i, p := range paintings {
		if was := m.Paintings[i]; !s.quiet && p.W*was.H*50 > 51*p.H*was.W || p.W*was.H*51 < 50*p.H*was.W {
			fmt.Fprintf(s.stderr, "impasto: note: %q has other proportions than %q had, %dx%d; places are taken by their share\n",
				c.Args().Get(i+1), was.Name, was.W, was.H)
		}
	}
	p := explain.Replay(layer.Correspondence(), paintings, w, h)
	if err := picture.Save(out, p, picture.WriteOptions{Software: software()}); err != nil {
		return err
	}
	if s.json {
		return writeJSON(s.stdout, map[string]any{"type": "result", "output": out, "width": w, "height": h, "layer": layer.Layer})
	}
	return ui.PrintResult(s.stdout, out)
}

func readMatches(path string) (*explain.Matches, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ui.NewFault(ui.ExitInput, "not_found", fmt.Sprintf("matches %q do not exist", path),
			"impasto doodle PAINTING -o out.png --explain why/   (writes why/matches.json)")
	case err != nil:
		return nil, ui.NewFault(ui.ExitInput, "unreadable", fmt.Sprintf("matches %q cannot be read: %s", path, ui.Reason(err)))
	}
	defer f.Close()
	return explain.ReadMatches(f, path)
}

// chooseLayer is the layer of a name, or the one with the smallest cells.
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
		return nil, ui.UsageFault(fmt.Sprintf("the matches have no layer %q; they have %s", name, strings.Join(names, ", ")), "--layer "+names[0])
	}
	return best, nil
}
