package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/sample"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

func demoCommand(s *session) *cli.Command {
	names := func(kind sample.Kind) string { return strings.Join(render.SampleNames(kind), ", ") }
	flags := []cli.Flag{
		textFlag("content", "", settings.GroupInputs, "NAME", "scene to paint: "+names(sample.Content)),
		textFlag("style", "", settings.GroupInputs, "NAME", "painting to follow: "+names(sample.Painting)),
		&cli.BoolFlag{Name: "doodle", Usage: "paint the map of the scene, without the scene", Category: settings.GroupInputs},
	}
	for _, setting := range settings.For(style.ModeArt) {
		if setting.Demo {
			flags = append(flags, settingFlag(setting, style.ModeArt))
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
			"impasto art "+ui.ShellQuote(c.Args().First())+" "+render.SamplePrefix+render.DemoPainting)
	}
	flags := given(c)
	delete(flags, "content")
	delete(flags, "style")
	what := render.Demo{Content: flagText(c, "content"), Style: flagText(c, "style"), Doodle: c.Bool("doodle")}
	request, title, err := what.Request(flags)
	if err != nil {
		return err
	}
	s.note("%s", title)
	if err := s.paint(request); err != nil {
		return err
	}
	if !request.Values.On("dry-run") {
		s.note("next: impasto art YOUR-PHOTO.jpg A-PAINTING.jpg      all samples as files: impasto samples")
	}
	return nil
}
