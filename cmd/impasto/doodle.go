package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

func doodleCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "doodle",
		Category:  categoryPaint,
		Usage:     "paint a map of regions in the manner of a painting",
		ArgsUsage: "STYLE...",
		Description: "A map is a picture in flat colours; where two maps have the same colour, the same things are.\n" +
			"The painting's map is STYLE_sem.png beside it, the map to paint --map, CONTENT_sem.png or OUT_sem.png.\n" +
			"With --content the photograph is painted region by region; without maps, by patches alone.",
		Flags:  renderFlags(style.ModeDoodle),
		Action: func(c *cli.Context) error { return doodle(s, c) },
	})
}

func doodle(s *session, c *cli.Context) error {
	set, bad := resolve(c, style.ModeDoodle)
	in := sources{
		content: flagText(c, "content"), protect: flagText(c, "protect"),
		styles: append(set.styles, c.Args().Slice()...), maps: set.maps, styleMaps: set.styleMaps,
	}
	if len(in.styles) == 0 {
		bad.Add(ui.UsageFault("doodle needs at least one style image, got 0", "impasto doodle STYLE.jpg --map MAP.png"))
		return bad
	}
	return s.doodlePicture(set, bad, in)
}

// doodlePicture finds the maps that were not named and paints.
func (s *session) doodlePicture(set *settings, bad ui.Faults, in sources) error {
	if set.options.MapWeight > 0 {
		bad.Add(findMaps(set, &in))
	}
	if in.content == "" {
		set.options.ContentWeight, set.options.ContentLayers = 0, nil
		if set.origins["init"] == "default" && set.options.Init == style.InitContent {
			set.options.Init = style.InitNoise
		}
	} else if set.origins["content-weight"] == "default" {
		set.options.ContentWeight = 0.5
	}
	return s.renderPicture(style.ModeDoodle, set, bad, in)
}

// findMaps looks for maps beside pictures. Both sides have one, or neither.
func findMaps(set *settings, in *sources) error {
	suffix := either(set.text("map-suffix"), maps.Suffix)
	wanted := strings.TrimSuffix(filepath.Base(either(in.content, either(set.text("output"), "out.png"))), filepath.Ext(either(in.content, either(set.text("output"), "out.png")))) + suffix + ".png"
	if len(in.maps) == 0 {
		found := mapBeside(in.content, suffix)
		if found == "" {
			found = mapBeside(either(set.text("output"), "out.png"), suffix)
		}
		if found != "" {
			in.maps = []string{found}
		}
	}
	missing := ""
	if len(in.styleMaps) == 0 {
		for _, p := range in.styles {
			if found := mapBeside(p, suffix); found != "" {
				in.styleMaps = append(in.styleMaps, found)
			} else {
				missing = either(missing, p)
			}
		}
	}
	ignore := "--map-weight 0   (ignores maps)"
	switch {
	case len(in.maps) == 0 && len(in.styleMaps) == 0:
		return nil
	case len(in.maps) == 0 && len(set.styleMaps) == 0 && in.content == "" && !named(set, "output"):
		in.styleMaps = nil // a texture of a painting that happens to have a map
		return nil
	case len(in.maps) == 0:
		try := "--map FILE"
		if in.content != "" {
			return ui.NewFault(ui.ExitInput, "map_missing", fmt.Sprintf("%q was found but %q was not; a doodle needs both", in.styleMaps[0], wanted),
				"impasto map derive "+in.content, try, ignore)
		}
		return ui.NewFault(ui.ExitInput, "map_missing", fmt.Sprintf("%q was found but %q was not; a doodle needs both", in.styleMaps[0], wanted), try, ignore)
	case missing != "":
		return ui.NewFault(ui.ExitInput, "map_missing", fmt.Sprintf("the canvas has a map, %q, but the painting %q has none", in.maps[0], missing),
			"impasto map derive "+missing, "--style-map FILE", ignore)
	}
	return nil
}

func named(set *settings, name string) bool { return set.text(name) != "" }
