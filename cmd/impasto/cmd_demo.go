package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/sample"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// The scene and painting of each mode unless others are named.
var demoPairs = map[style.Mode][2]string{
	style.ModeArt:    {"lighthouse", "woodblock"},
	style.ModeDoodle: {"valley", "strokes"},
}

func demoCommand(s *session) *cli.Command {
	flags := []cli.Flag{
		textFlag("content", "", settings.GroupInputs, "NAME", "scene to paint: "+sampleNames(sample.Content)),
		textFlag("style", "", settings.GroupInputs, "NAME", "painting to follow: "+sampleNames(sample.Painting)),
		&cli.BoolFlag{Name: "doodle", Usage: "paint the map of the scene, without the scene", Category: settings.GroupInputs},
	}
	for _, setting := range settings.For(style.ModeArt) {
		if setting.Demo {
			flags = append(flags, settingFlag(setting, style.ModeArt))
		}
	}
	flags = append(flags, commonFlags()...)
	return command(&cli.Command{
		Name:     "demo",
		Category: categoryPaint,
		Usage:    "paint a picture from samples the program draws, with no file and no download",
		Flags:    flags,
		Action:   func(c *cli.Context) error { return demo(s, c) },
	})
}

func demo(s *session, c *cli.Context) error {
	if c.NArg() > 0 {
		return ui.UsageFault(fmt.Sprintf("demo paints its own pictures and takes none, got %q", c.Args().First()),
			"impasto art "+ui.ShellQuote(c.Args().First())+" sample:"+demoPairs[style.ModeArt][1])
	}
	mode := style.ModeArt
	if c.Bool("doodle") {
		mode = style.ModeDoodle
	}
	flags := given(c)
	delete(flags, "content")
	delete(flags, "style")
	v, bad := settings.Resolve(mode, flags, settings.Demo)
	pair := demoPairs[mode]
	content := either(flagText(c, "content"), pair[0])
	painting := either(flagText(c, "style"), pair[1])
	bad.Add(checkSample(content, sample.Content))
	bad.Add(checkSample(painting, sample.Painting))
	if len(bad) > 0 {
		return bad
	}
	if !s.quiet && !s.json {
		fmt.Fprintf(s.stderr, "%s, after %s\n", quoted(content), quoted(painting))
	}
	photo, by := render.SamplePrefix+content, render.SamplePrefix+painting
	if mode == style.ModeDoodle {
		v.SetText("map", photo+maps.Suffix, "demo")
		// Each sample was drawn apart: what only one of two has is no fault here.
		v.SetText("map-check", "off", "demo")
	} else {
		v.SetText("content", photo, "demo")
	}
	if err := s.paint(render.NewRequest(v, nil, by)); err != nil {
		return err
	}
	if !s.quiet && !s.json && !v.On("dry-run") {
		fmt.Fprintln(s.stderr, "next: impasto art YOUR-PHOTO.jpg A-PAINTING.jpg      all samples as files: impasto samples")
	}
	return nil
}

func quoted(name string) string {
	for _, i := range sample.Names() {
		if i.Name == name {
			return fmt.Sprintf("%s (%q)", name, i.Title)
		}
	}
	return name
}

func namesOf(kind sample.Kind) []string {
	var names []string
	for _, i := range sample.Names() {
		if i.Kind == kind {
			names = append(names, i.Name)
		}
	}
	return names
}

func sampleNames(kind sample.Kind) string { return strings.Join(namesOf(kind), ", ") }

// checkSample refuses a name that is no sample, or one of the other kind.
func checkSample(name string, kind sample.Kind) error {
	known := namesOf(kind)
	for _, k := range known {
		if k == name {
			return nil
		}
	}
	f := ui.UsageFault(fmt.Sprintf("%q is no %s sample; there are %s", name, kind, strings.Join(known, ", ")))
	if near := ui.Nearest(name, known); near != "" {
		f.Try = []string{meant + strconv.Quote(near) + "?"}
	}
	return f
}
