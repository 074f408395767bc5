package maptool

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/overwrite"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

var lint = Tool{
	Name: "lint", Args: "STYLE_MAP [CANVAS_MAP...]",
	Help: "check maps alone and together, and say how to repair them",
	Flags: slices.Concat([]Flag{
		{Name: "fix", Kind: settings.Switch, Help: "write repaired maps to -o: a file, or a folder for several maps"},
		{Name: "strict", Kind: settings.Switch, Help: "exit with an error where there are warnings"},
		{Name: "picture", Value: "PICTURE", Kind: settings.File, Help: "picture of the first map (default: the one beside it)"},
	}, outputFlags("file or folder for the maps that --fix repairs")),
	files: allArgs,
	run:   runLint,
}

var repair = Tool{
	Name: "repair", Args: "STYLE_MAP [CANVAS_MAP...]",
	Help: "write maps anew without soft edges, transparency, specks and leftovers of JPEG",
	Flags: slices.Concat([]Flag{
		{Name: "strict", Kind: settings.Switch, Help: "exit with an error where there are warnings"},
		{Name: "picture", Value: "PICTURE", Kind: settings.File, Help: "picture of the first map (default: the one beside it)"},
	}, outputFlags("file, or folder for several maps")),
	files: allArgs,
	run: func(c *call) error {
		if len(c.Args) == 0 {
			return ui.UsageFault("map repair needs a map", "impasto map repair --help")
		}
		found, sides := c.check(c.Args)
		return c.repair(sides, found)
	},
}

func runLint(c *call) error {
	if len(c.Args) == 0 {
		return ui.UsageFault("map lint needs a map", "impasto map lint --help")
	}
	found, sides := c.check(c.Args)
	if c.on("fix") {
		return c.repair(sides, found)
	}
	if o := c.text("output"); o != "" {
		return ui.UsageFault("-o of map lint is where --fix writes", ui.ImpastoCommand(append([]string{"map", "repair", "-o", o}, c.Args...)))
	}
	var areas []maps.AreaRow
	if len(sides) == 2 && sides[0].Map != nil && sides[1].Map != nil {
		areas = maps.Areas(sides[0].Map, sides[1].Map)
	}
	c.list(c.Args, found, areas)
	return c.judge(found)
}

// check reads maps and lists all that is wrong with them. The first map belongs to
// the painting. If a map cannot be read, the Map of its side is nil.
func (c *call) check(paths []string) ([]maps.Finding, []maps.Side) {
	var found []maps.Finding
	var sides []maps.Side
	for i, path := range paths {
		side := maps.Side{Path: path, Picture: c.pictureBeside(path)}
		role := "canvas map"
		if i == 0 {
			role = "style map"
			side.Picture = cmp.Or(c.text("picture"), side.Picture)
		}
		var err error
		if side.Map, side.Source, err = c.Env.ReadMap(path, role); err != nil {
			found = append(found, unread(path, err)...)
		}
		if side.Picture != "" {
			if p, _, err := c.Env.Library.Read(side.Picture, picture.ReadOptions{Role: "picture"}); err != nil {
				found = append(found, unread(side.Picture, err)...)
			} else {
				side.W, side.H = p.W, p.H
			}
		}
		sides = append(sides, side)
	}
	for i, side := range sides {
		if side.Map == nil {
			continue
		}
		found = append(found, maps.Check(side)...)
		if i > 0 && sides[0].Map != nil {
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

// list adds findings, and the areas of regions on both sides, to the result.
func (c *call) list(paths []string, found []maps.Finding, areas []maps.AreaRow) {
	if found == nil {
		found = []maps.Finding{}
	}
	c.out.Facts = map[string]any{"type": "lint", "maps": paths, "findings": found, "areas": areas}
	for _, f := range found {
		c.out.Lines = append(c.out.Lines, fmt.Sprintf("%-8s %s", f.Severity, f.Message))
		for _, t := range f.Try {
			c.out.Lines = append(c.out.Lines, fmt.Sprintf("%8s try: %s", "", t))
		}
	}
	if len(areas) == 0 {
		return
	}
	c.out.Table = append(c.out.Table, fmt.Sprintf("%-8s %-24s %8s %8s", "area", "region", "painting", "canvas"))
	for _, a := range areas {
		c.out.Table = append(c.out.Table, fmt.Sprintf("%8s %-24s %7.1f%% %7.1f%%", "", a.Label+" "+a.Colour, 100*a.Style, 100*a.Canvas))
	}
}

// judge returns an error if the maps cannot be painted with.
func (c *call) judge(found []maps.Finding) error {
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
	if errors > 0 || c.on("strict") && warnings > 0 {
		return ui.NewFault(ui.ExitInput, "map_lint", text)
	}
	c.note("impasto: %s", text)
	return nil
}

// repair writes repaired maps and lists what is still wrong with them.
func (c *call) repair(sides []maps.Side, found []maps.Finding) error {
	to, err := c.repairTarget(sides, found)
	if err != nil {
		return err
	}
	var written []string
	for i, side := range sides {
		done := maps.Repair(side.Map, side.Source)
		if i > 0 {
			if n := side.Map.Snap(sides[0].Map); n > 0 {
				done = append(done, ui.Count(n, "colour")+" made those of the style map")
			}
			if n := side.Map.JoinLeftovers(sides[0].Map); n > 0 {
				done = append(done, ui.Count(n, "region")+" that the style map lacks merged into what is beside them")
			}
		}
		path := to
		if ui.IsFolder(to) {
			path = filepath.Join(to, ui.Stem(side.Path)+".png")
		}
		if err := maps.CheckOutput(path); err != nil {
			return err
		}
		path, skip, err := c.destination(path)
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
		c.note("%s: %s", side.Path, cmp.Or(strings.Join(done, "; "), "nothing to repair"))
	}
	left, _ := c.check(written)
	c.list(written, left, nil)
	c.out.Outputs = written
	return c.judge(left)
}

// repairedName returns an unused name for repaired maps.
func (c *call) repairedName() string {
	free := overwrite.New(picture.Fail, false)
	if len(c.Args) > 1 {
		return free.Free("repaired") + "/"
	}
	return free.Free(ui.Stem(c.Args[0]) + ".png")
}

// repairTarget returns the file or folder that repaired maps go to.
func (c *call) repairTarget(sides []maps.Side, found []maps.Finding) (string, error) {
	var bad ui.Faults
	for _, side := range sides {
		if side.Map != nil {
			continue
		}
		for _, f := range found {
			if f.File == side.Path {
				bad.Add(ui.NewFault(ui.ExitInput, f.Code, f.Message, f.Try...))
			}
		}
	}
	to := ui.Home(c.text("output"))
	if to == "" {
		bad.Add(ui.UsageFault("map repair needs -o, where to write", "-o "+ui.ShellQuote(c.repairedName())))
	}
	if len(c.Args) > 1 && to != "" && !ui.IsFolder(to) {
		bad.Add(ui.UsageFault(fmt.Sprintf("map repair of %d maps needs a directory, got %q", len(c.Args), to), "-o "+ui.ShellQuote(overwrite.New(picture.Fail, false).Free(strings.TrimSuffix(to, filepath.Ext(to))))+"/"))
	}
	if len(bad) == 0 && ui.IsFolder(to) {
		bad.Add(render.MakeDirectory(to))
	}
	return to, bad.Err()
}
