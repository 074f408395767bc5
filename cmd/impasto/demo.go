package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/sample"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// demoSettings make a picture worth showing in well under a minute on two
// cores, whatever is configured: demo reads no configuration.
var demoSettings = map[string]string{
	"weights": "mini", "size": "384", "iterations": "120,100,80", "optimizer": "adam", "lr": "4",
	"output": "impasto-demo.png", "overwrite": "replace",
}

// The scene and painting of each mode unless others are named.
var demoPairs = map[string][2]string{
	style.ModeArt:    {"lighthouse", "woodblock"},
	style.ModeDoodle: {"valley", "strokes"},
}

// demoFlags are those of art that demo has too.
var demoFlags = map[string]bool{
	"output": true, "overwrite": true, "report": true, "style-weight": true, "iterations": true,
	"seed": true, "size": true, "weights": true, "threads": true, "dry-run": true, "progress": true,
	"preview": true, "y": true, "json": true, "quiet": true, "verbose": true,
}

func demoCommand(s *session) *cli.Command {
	flags := []cli.Flag{
		textFlag("content", "", groupInputs, "NAME", "the scene: "+sampleNames(sample.Content)),
		textFlag("style", "", groupInputs, "NAME", "the painting: "+sampleNames(sample.Painting)),
		&cli.BoolFlag{Name: "doodle", Usage: "paint the map of the scene, without the scene", Category: groupInputs},
	}
	for _, f := range renderFlags(style.ModeArt) {
		if demoFlags[f.Names()[0]] {
			flags = append(flags, f)
		}
	}
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
			"impasto art "+c.Args().First()+" PAINTING.jpg", "impasto demo --content NAME --style NAME")
	}
	fixed := layer{
		get:    func(name string) (string, bool) { v, ok := demoSettings[name]; return v, ok },
		origin: func(string) string { return "demo" },
	}
	mode := style.ModeArt
	if c.Bool("doodle") {
		mode = style.ModeDoodle
	}
	set, bad := merge(mode, []layer{flagLayer(c), fixed})
	if c.Bool("y") {
		set.texts["overwrite"] = "replace"
	}
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
	in := sources{content: samplePrefix + content, styles: []string{samplePrefix + painting}}
	if mode == style.ModeDoodle {
		in = sources{styles: in.styles, maps: []string{in.content + maps.Suffix}}
		// Each sample was drawn apart: what only one of two has is no fault here.
		set.texts["map-check"] = "off"
		if err := s.doodlePicture(set, nil, in); err != nil {
			return err
		}
	} else if err := s.renderPicture(style.ModeArt, set, nil, in); err != nil {
		return err
	}
	if !s.quiet && !s.json && !set.on("dry-run") {
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
	f := ui.UsageFault(fmt.Sprintf("unknown %s sample %q; there are %s", kind, name, strings.Join(known, ", ")))
	if near := ui.Nearest(name, known); near != "" {
		f.Try = []string{near}
	}
	return f
}
