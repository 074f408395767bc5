package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func replayCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "replay",
		Category:  categoryPaint,
		Usage:     "paint a picture again from the recipe inside it",
		ArgsUsage: "IMAGE [DIRECTORY...]",
		Description: "Inputs are found by their checksums: beside the picture, in this directory, and in the\n" +
			"directories given. --verify paints again and compares pixels and file byte for byte.",
		Flags:  replayFlags(),
		Action: func(c *cli.Context) error { return replay(s, c) },
	})
}

// replayFlags are --set, --verify and the settings that do not determine the
// picture. Those that do are in the recipe, or in --set.
func replayFlags() []cli.Flag {
	flags := []cli.Flag{
		textFlag("set", "", settings.GroupInputs, "NAME=VALUE", "setting of the recipe to change; may be given several times"),
		&cli.BoolFlag{Name: "verify", Usage: "prove that the same picture comes out; write nothing", Category: settings.GroupOutput},
	}
	for _, s := range settings.All() {
		if s.InReplay() {
			flags = append(flags, settingFlag(s, ""))
		}
	}
	return flags
}

func replay(s *session, c *cli.Context) error {
	if c.NArg() == 0 {
		return ui.UsageFault("replay needs a picture with a recipe", "impasto replay out.png")
	}
	original := ui.Home(c.Args().First())
	rec, err := render.ReadRecipe(original)
	if err != nil {
		return err
	}
	v, bad := resolve(c, rec.Mode)
	env, err := s.surroundings(v)
	bad.Add(err)
	again := render.Replay{Original: original, Directories: c.Args().Tail(), Changes: flagTexts(c, "set"),
		Verify: c.Bool("verify"), Values: v, Recipe: rec, Again: s.again}
	p, err := again.Prepare(context.Background(), env)
	bad.Add(err)
	if len(bad) > 0 {
		return bad
	}
	if !again.Verify {
		return s.paintPrepared(p, env)
	}
	ctx, signals := ui.WatchSignals()
	defer signals.Stop()
	w := s.watch(v, p.PreviewFile(), env.Streams, signals)
	defer w.Close()
	found, err := p.Verify(ctx, rec, w.Observe)
	w.Close()
	if err != nil {
		return bySignal(signals, err)
	}
	switch {
	case s.json:
		err = writeTyped(s.stdout, "verify", found)
	case found.Err() == nil:
		_, err = fmt.Fprintln(s.stdout, ui.Printable(found.Text()))
	}
	if err != nil {
		return err
	}
	return found.Err()
}
