package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
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

// replayFlags are --set, --verify and those of art that do not decide the
// picture: what does is in the recipe, or in --set.
func replayFlags() []cli.Flag {
	flags := []cli.Flag{
		textFlag("set", "", groupInputs, "NAME=VALUE", "change one setting of the recipe; may be given several times"),
		&cli.BoolFlag{Name: "verify", Usage: "prove that the same picture comes out; writes nothing", Category: groupOutput},
	}
	for _, f := range renderFlags(style.ModeArt) {
		p, isParam := findParam(f.Names()[0])
		if isParam && (p.option || p.name == "content" || p.name == "style" || p.name == "draft") {
			continue
		}
		flags = append(flags, f)
	}
	return flags
}

func replay(s *session, c *cli.Context) error {
	if c.NArg() == 0 {
		return ui.UsageFault("replay needs a picture with a recipe", "impasto replay out.png")
	}
	original := ui.Home(c.Args().First())
	rec, err := readRecipe(original)
	if err != nil {
		return err
	}
	set, bad := resolve(c, rec.Mode)
	set.options = rec.Options
	for _, p := range params {
		if p.option {
			set.origins[p.name] = "recipe"
		}
	}
	bad = append(bad, applySet(c, set)...)
	if set.origins["size"] == "--set" && set.origins["scales"] != "--set" {
		// The recipe holds the number of scales that its size had.
		if p, err := style.Preset(rec.Options.Preset, rec.Mode); err == nil {
			set.options.Scales = p.Scales
		}
	}
	verify := c.Bool("verify")
	if verify && c.IsSet("set") {
		bad.Add(ui.UsageFault("--verify repeats a recipe as it is; it does not go with --set", "impasto replay "+original+" --verify"))
	}
	if set.text("weights") == "" {
		name, err := findWeights(rec.Weights)
		bad.Add(err)
		set.texts["weights"] = name
	}
	in, missing := findInputs(rec, append([]string{filepath.Dir(original), "."}, c.Args().Tail()...))
	bad = append(bad, missing...)
	if len(missing) > 0 {
		return bad
	}
	if verify {
		set.texts["output"], set.texts["overwrite"], set.texts["checkpoint"] = original, "replace", "off"
	} else if set.text("output") == "" {
		set.texts["output"] = original
	}
	if set.text("depth") == "" && rec.Output.Depth == 16 {
		set.texts["depth"] = "16"
	}
	r := &render{session: s, set: set, mode: rec.Mode}
	bad.Add(r.prepare(in))
	if len(bad) > 0 {
		return bad
	}
	if r.network.Meta.SHA256 != rec.Weights.SHA256 {
		r.notes = append(r.notes, fmt.Sprintf("weights %q are not those of the recipe (%s); the picture will differ",
			r.network.Name, either(rec.Weights.Name, "unknown")))
	}
	if verify {
		return r.verify(original, rec)
	}
	return r.run()
}

// applySet applies "--set name=value".
func applySet(c *cli.Context, set *settings) ui.Faults {
	var bad ui.Faults
	w, _ := c.Generic("set").(*words)
	if w == nil {
		return nil
	}
	for _, pair := range w.said {
		name, value, ok := strings.Cut(pair, "=")
		name = strings.ReplaceAll(strings.TrimLeft(strings.TrimSpace(name), "-"), "_", "-")
		p, known := findParam(name)
		switch {
		case !ok:
			bad.Add(ui.UsageFault(fmt.Sprintf("--set takes NAME=VALUE, got %q", pair), "--set size=1024"))
		case !known || !p.option || name == "preset":
			f := ui.UsageFault(fmt.Sprintf("--set: unknown setting %q", name))
			var names []string
			for _, p := range params {
				if p.option {
					names = append(names, p.name)
				}
			}
			if near := ui.Nearest(name, names); near != "" {
				f.Try = []string{"--set " + near + "=" + value}
			}
			bad.Add(f)
		default:
			bad.Add(setOption(&set.options, name, value))
			set.origins[name] = "--set"
		}
	}
	return bad
}

// findInputs finds the recipe's pictures.
func findInputs(rec recipe.Recipe, dirs []string) (found sources, bad ui.Faults) {
	for _, in := range rec.Inputs {
		path := recipe.Find(in, dirs)
		if path == "" {
			path = findSample(in.Name, in.SHA256)
		}
		if path == "" {
			bad.Add(ui.NewFault(ui.ExitInput, "not_found", fmt.Sprintf("%s image %q was not found (sha256 %s..., %d bytes; looked in %s)",
				in.Role, in.Name, in.SHA256[:12], in.Bytes, strings.Join(dirs, ", ")),
				"impasto replay IMAGE DIRECTORY   (where the inputs are)"))
			continue
		}
		found.add(in.Role, path)
	}
	return found, bad
}

// verify paints again and compares with the file.
func (r *render) verify(original string, rec recipe.Recipe) error {
	onDisk, err := os.ReadFile(original)
	if err != nil {
		return ui.NewFault(ui.ExitInput, "unreadable", fmt.Sprintf("%q cannot be read: %s", original, ui.Reason(err)))
	}
	show, err := r.newShow()
	if err != nil {
		return err
	}
	defer show.reporter.Close()
	for _, n := range r.notes {
		show.reporter.Event("warning", n, nil)
	}
	show.reporter.Start(r.header(), r.describe())
	ctx, signals := r.watchSignals()
	defer signals.Stop()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if rec.Result.Stopped == "interrupted" {
		r.env.Every = 1 // so that it can be stopped where the original was
	}
	res, err := r.paint(ctx, func(e style.Event) {
		r.watch(show, signals, e)
		if rec.Result.Stopped == "interrupted" && e.Done >= rec.Result.Iterations {
			stop()
		}
	})
	show.reporter.Close()
	if signals.Caught() != 0 {
		return signals.Fault("interrupted; nothing was verified")
	}
	if res == nil || res.Picture == nil {
		return err
	}
	pixels := pixelHash(res.Picture, max(rec.Output.Depth, 8)) == rec.Result.PixelSHA256
	text, err := rec.Canonical()
	if err != nil {
		return err
	}
	var again bytes.Buffer
	err = picture.Encode(&again, res.Picture, r.out.format, picture.WriteOptions{
		Depth: rec.Output.Depth, Recipe: text, Software: "Impasto " + rec.Program})
	if err != nil {
		return err
	}
	file := bytes.Equal(again.Bytes(), onDisk)
	if r.json {
		err = writeJSON(r.stdout, map[string]any{"type": "verify", "output": original, "pixels": pixels, "file": file})
	} else if pixels && file {
		_, err = fmt.Fprintf(r.stdout, "%s: pixels and file are the same, byte for byte\n", original)
	}
	switch {
	case err != nil:
		return err
	case !pixels:
		return ui.NewFault(ui.ExitMismatch, "mismatch", fmt.Sprintf("%q: other pixels came out than the recipe says", original),
			"impasto recipe show "+original+"   (program version, weights, device)")
	case !file:
		return ui.NewFault(ui.ExitMismatch, "mismatch", fmt.Sprintf("%q: the pixels painted again are the recipe's, but the file holds other bytes; it was changed or written by another version", original))
	}
	return nil
}
