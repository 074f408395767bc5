package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/ui"
)

func mapLintCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "lint",
		Usage:     "check maps, alone and together, and say how to mend them",
		ArgsUsage: "STYLE_MAP [CANVAS_MAP...]",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "fix", Usage: "write repaired maps to -o, a file or for several a directory"},
			&cli.BoolFlag{Name: "strict", Usage: "warnings count as errors for the exit code"},
			textFlag("picture", "", "", "PICTURE", "the first map's picture (default: the one beside it)"),
		}, outputFlags("where --fix writes")...),
		Action: func(c *cli.Context) error { return mapLint(s, c) },
	}
}

func mapLint(s *session, c *cli.Context) error {
	if c.NArg() == 0 {
		return ui.UsageFault("map lint needs a map", "impasto map lint painting_sem.png photo_sem.png")
	}
	paths := c.Args().Slice()
	found, sides := s.lintMaps(paths, flagText(c, "picture"))
	if c.Bool("fix") {
		return s.lintFix(c, paths, sides, found)
	}
	if flagText(c, "output") != "" {
		return ui.UsageFault("-o of map lint is where --fix writes", "impasto map lint --fix "+strings.Join(paths, " ")+" -o "+flagText(c, "output"))
	}
	var areas []maps.AreaRow
	if len(sides) == 2 && sides[0].Map != nil && sides[1].Map != nil {
		areas = maps.Areas(sides[0].Map, sides[1].Map)
	}
	if err := s.tellFindings(paths, found, areas); err != nil {
		return err
	}
	return verdict(s, found, c.Bool("strict"))
}

// lintMaps reads the maps and lists all that is wrong with them. A side whose
// map cannot be read has none.
func (s *session) lintMaps(paths []string, beside string) ([]maps.Finding, []maps.Side) {
	var found []maps.Finding
	var sides []maps.Side
	for i, path := range paths {
		role := "canvas map"
		if i == 0 {
			role = "style map"
		}
		side := maps.Side{Path: path, Picture: maps.PicturePath(ui.Home(path))}
		if i == 0 && beside != "" {
			side.Picture = beside
		}
		var err error
		if side.Map, side.Source, err = s.readMap(path, role); err != nil {
			found = append(found, unread(path, err)...)
		}
		if side.Picture != "" {
			if p, _, err := render.ReadPicture(side.Picture, picture.ReadOptions{Role: "picture"}); err != nil {
				found = append(found, unread(side.Picture, err)...)
			} else {
				side.W, side.H = p.W, p.H
			}
		}
		sides = append(sides, side)
	}
	for i, side := range sides {
		switch {
		case side.Map == nil:
		case i == 0 || sides[0].Map == nil:
			found = append(found, maps.Check(side)...)
		default:
			found = append(found, maps.Check(side)...)
			found = append(found, maps.CheckPair(sides[0], side)...)
		}
	}
	return found, sides
}

// unread turns the errors of a file into findings.
func unread(path string, err error) []maps.Finding {
	var found []maps.Finding
	for _, f := range ui.FaultsOf(err) {
		found = append(found, maps.Finding{Severity: maps.Fault, Code: f.Code, File: path, Message: f.Message, Try: f.Try})
	}
	return found
}

func (s *session) tellFindings(paths []string, found []maps.Finding, areas []maps.AreaRow) error {
	if s.json {
		if found == nil {
			found = []maps.Finding{}
		}
		return writeJSON(s.stdout, map[string]any{"type": "lint", "maps": paths, "findings": found, "areas": areas})
	}
	for _, f := range found {
		fmt.Fprintf(s.stdout, "%-8s %s\n", f.Severity, f.Message)
		for _, t := range f.Try {
			fmt.Fprintf(s.stdout, "%8s try: %s\n", "", t)
		}
	}
	if len(areas) > 0 && !s.quiet {
		fmt.Fprintf(s.stdout, "%-8s %-24s %8s %8s\n", "area", "region", "painting", "canvas")
		for _, a := range areas {
			fmt.Fprintf(s.stdout, "%8s %-24s %7.1f%% %7.1f%%\n", "", a.Label+" "+a.Colour, 100*a.Style, 100*a.Canvas)
		}
	}
	return nil
}

// verdict ends the command with 4 where maps cannot be painted with.
func verdict(s *session, found []maps.Finding, strict bool) error {
	errors, warnings := 0, 0
	for _, f := range found {
		switch f.Severity {
		case maps.Fault:
			errors++
		case maps.Warning:
			warnings++
		}
	}
	text := ui.Count(errors, "error") + ", " + ui.Count(warnings, "warning")
	if errors > 0 || strict && warnings > 0 {
		return &ui.Fault{Code: "map_lint", Exit: ui.ExitInput, Message: text, Silent: s.json}
	}
	if !s.quiet && !s.json {
		fmt.Fprintf(s.stderr, "impasto: %s\n", text)
	}
	return nil
}

// lintFix writes repaired maps and says what remains.
func (s *session) lintFix(c *cli.Context, paths []string, sides []maps.Side, found []maps.Finding) error {
	var bad ui.Faults
	for _, side := range sides {
		if side.Map == nil {
			for _, f := range found {
				if f.File == side.Path {
					bad.Add(ui.NewFault(ui.ExitInput, f.Code, f.Message, f.Try...))
				}
			}
		}
	}
	to := ui.Home(flagText(c, "output"))
	if to == "" {
		bad.Add(ui.UsageFault("map lint --fix needs -o, where to write", "impasto map lint --fix "+strings.Join(paths, " ")+" -o fixed.png"))
	}
	if len(paths) > 1 && to != "" && !ui.IsFolder(to) {
		bad.Add(ui.UsageFault(fmt.Sprintf("map lint --fix of %d maps needs a directory, got %q", len(paths), to), "-o "+strings.TrimSuffix(to, filepath.Ext(to))+"/"))
	}
	if len(bad) > 0 {
		return bad
	}
	if ui.IsFolder(to) {
		if err := render.MakeDirectory(to); err != nil {
			return err
		}
	}
	var written []string
	for i, side := range sides {
		done := maps.Repair(side.Map, side.Source)
		if i > 0 {
			if n := side.Map.Snap(sides[0].Map); n > 0 {
				done = append(done, ui.Count(n, "colour")+" made those of the style map")
			}
		}
		path := to
		if ui.IsFolder(to) {
			path = filepath.Join(to, ui.Stem(side.Path)+".png")
		}
		path, skip, err := mapDestination(c, path)
		if err != nil {
			return err
		}
		if skip {
			continue
		}
		if err := side.Map.Save(path); err != nil {
			return err
		}
		written = append(written, path)
		if !s.quiet && !s.json {
			fmt.Fprintf(s.stderr, "%s: %s\n", ui.Printable(side.Path), either(strings.Join(done, "; "), "nothing to repair"))
		}
	}
	left, _ := s.lintMaps(written, flagText(c, "picture"))
	if s.json {
		if err := s.tellFindings(written, left, nil); err != nil {
			return err
		}
	} else {
		for _, path := range written {
			if err := ui.PrintResult(s.stdout, path); err != nil {
				return err
			}
		}
		if err := s.tellFindings(written, left, nil); err != nil {
			return err
		}
	}
	return verdict(s, left, c.Bool("strict"))
}
