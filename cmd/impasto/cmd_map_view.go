package main

import (
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/preview"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func mapViewCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "view",
		Usage:     "list a map's regions and show it over its picture",
		ArgsUsage: "MAP",
		Flags: append([]cli.Flag{
			textFlag("over", "", "", "PICTURE", "the picture (default: the one beside the map)"),
			textFlag("opacity", "", "", "X", "of the map, 0 to 1 (default: 0.5)"),
			textFlag("preview", "", settings.GroupCommon, "HOW", "auto, kitty, iterm, sixel, blocks or none"),
		}, outputFlags("also write what is shown to this file")...),
		Action: func(c *cli.Context) error { return mapView(s, c) },
	}
}

func mapView(s *session, c *cli.Context) error {
	var bad ui.Faults
	path, m, src, err := s.oneMap(c, "impasto map view photo_sem.png")
	bad.Add(err)
	if path == "" {
		return bad
	}
	opacity := 0.5
	if text := flagText(c, "opacity"); text != "" {
		v, ok := settings.ParseNumber(text)
		if !ok || !(v >= 0 && v <= 1) {
			bad.Add(settings.BadValue("opacity", text, "a number from 0 to 1"))
		}
		opacity = v
	}
	protocol, err := viewProtocol(s, flagText(c, "preview"))
	bad.Add(err)
	var under *picture.Picture
	over := either(flagText(c, "over"), maps.PicturePath(path))
	if over != "" {
		under, _, err = render.ReadPicture(over, picture.ReadOptions{Role: "picture", Stdin: s.stdin})
		bad.Add(err)
	}
	out, skip := "", true
	if to := ui.Home(flagText(c, "output")); to != "" {
		_, err := picture.FormatOf(to)
		bad.Add(err)
		out, skip, err = destination(c, to)
		bad.Add(err)
		bad.Add(apart(to, path, over))
	}
	if len(bad) > 0 {
		return bad
	}
	if under != nil && !s.quiet && (under.W != m.W || under.H != m.H) {
		fmt.Fprintf(s.stderr, "impasto: the map is %dx%d and %q is %dx%d\n  try: impasto map lint %s\n", m.W, m.H, over, under.W, under.H, ui.ShellQuote(path))
	}
	shown := m.Picture()
	if under != nil {
		shown = m.Overlay(under, opacity)
	}
	if protocol != preview.None {
		cols, rows := ui.TerminalSize(s.stderr)
		screen := preview.NewScreen(s.stderr, protocol, cols, rows)
		screen.Reserve(shown.W, shown.H)
		if err := screen.Show(shown.Image(8)); err != nil {
			return err
		}
	}
	if !skip {
		if err := picture.Save(out, shown, picture.WriteOptions{Software: software()}); err != nil {
			return err
		}
	}
	if s.json {
		return writeJSON(s.stdout, map[string]any{"type": "result", "output": out, "width": m.W, "height": m.H,
			"colours": src.Colours, "regions": m.Rows()})
	}
	for _, r := range m.Rows() {
		fmt.Fprintf(s.stdout, "%-12s %-9s %6.2f %%  %8s  up to %s wide\n", ui.Printable(r.Label), r.Colour, 100*r.Share, ui.Count(r.Pieces, "piece"), ui.Count(r.Width, "pixel"))
	}
	if out != "" && !skip {
		return ui.PrintResult(s.stdout, out)
	}
	return nil
}

// viewProtocol is how the map is drawn in the terminal, if there is one.
func viewProtocol(s *session, how string) (preview.Protocol, error) {
	if how == "" || how == "auto" {
		if !ui.IsTerminal(s.stderr) || s.quiet || s.json {
			return preview.None, nil
		}
		return preview.Detect(os.Getenv, preview.AsksSixel), nil
	}
	var known []string
	for _, p := range preview.Protocols {
		if how == string(p) {
			return p, nil
		}
		known = append(known, string(p))
	}
	f := ui.UsageFault(fmt.Sprintf("--preview %q is not one of auto and %v", how, known))
	if near := ui.Nearest(how, known); near != "" {
		f.Try = []string{"--preview " + near}
	}
	return preview.None, f
}
