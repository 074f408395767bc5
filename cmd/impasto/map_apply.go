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
)

func mapApplyCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "apply",
		Usage:     "lay saved matches again, with another scan or colouring of the painting",
		ArgsUsage: "MATCHES.json PAINTING...",
		Flags: append([]cli.Flag{
			textFlag("size", "s", groupScale, "SIZE", "of the result: 2x, 1024, 640x480 (default: the canvas's)"),
			textFlag("layer", "", "", "NAME", "whose matches (default: the finest)"),
		}, outputFlags("where to write (out.png)")...),
		Action: func(c *cli.Context) error { return mapApply(s, c) },
	}
}

func mapApply(s *session, c *cli.Context) error {
	const usage = "impasto map apply why/matches.json painting.jpg -s 2x -o large.png"
	if c.NArg() < 2 {
		return usageFault(fmt.Sprintf("map apply needs matches and the paintings to take them from, got %s", count(c.NArg(), "file")), usage)
	}
	var bad faults
	m, err := readMatches(home(c.Args().First()))
	bad.add(err)
	var paintings []*picture.Picture
	for _, path := range c.Args().Tail() {
		p, _, err := s.readInput(path, picture.ReadOptions{Role: "painting", Stdin: s.stdin})
		bad.add(err)
		paintings = append(paintings, p)
	}
	out := home(either(flagText(c, "output"), "out.png"))
	_, err = picture.FormatOf(out)
	bad.add(err)
	if err == nil {
		var skip bool
		bad.add(apart(out, c.Args().Slice()...))
		out, skip, err = destination(c, out)
		bad.add(err)
		if skip {
			return bad.err()
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
		bad.add(newFault(exitInput, "matches", fmt.Sprintf("the matches are of %s (%s), got %d", count(n, "painting"), strings.Join(names, ", "), len(paintings))))
	}
	layer, err := chooseLayer(m, flagText(c, "layer"))
	bad.add(err)
	w, h := 0, 0
	if layer != nil {
		w, h = layer.CanvasW, layer.CanvasH
		if text := flagText(c, "size"); text != "" {
			size, err := picture.ParseSize(text)
			if err == nil {
				w, h, err = size.Resolve(w, h)
			}
			if err != nil {
				bad.add(usageFault(err.Error(), "-s 2x"))
			}
		}
		if w*h > picture.DefaultMaxPixels {
			bad.add(usageFault(fmt.Sprintf("%dx%d is too large", w, h), "-s 2x"))
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
	return printResult(s.stdout, out)
}

func readMatches(path string) (*explain.Matches, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, newFault(exitInput, "not_found", fmt.Sprintf("matches %q do not exist", path),
			"impasto doodle PAINTING -o out.png --explain why/   (writes why/matches.json)")
	case err != nil:
		return nil, newFault(exitInput, "unreadable", fmt.Sprintf("matches %q cannot be read: %s", path, osReason(err)))
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
		return nil, usageFault(fmt.Sprintf("the matches have no layer %q; they have %s", name, strings.Join(names, ", ")), "--layer "+names[0])
	}
	return best, nil
}
