package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

func artCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "art",
		Aliases:   []string{"transfer"},
		Category:  categoryPaint,
		Usage:     "paint a photograph in the manner of one or more paintings",
		ArgsUsage: "CONTENT STYLE...",
		Description: "Minimises alpha * content + beta * style + tv over the pixels of the picture.\n" +
			"Every flag can also stand in .impasto.yaml, or in the environment as IMPASTO_NAME.\n" +
			"Fields of output names: {content} {style} {mode} {w} {h} {size} {seed} {n} {date} {recipe}.",
		Flags:  renderFlags(style.ModeArt),
		Action: func(c *cli.Context) error { return art(s, c) },
	})
}

func art(s *session, c *cli.Context) error {
	set, bad := resolve(c, style.ModeArt)
	content, styles := splitInputs(c.Args().Slice(), flagText(c, "content"), set.styles)
	in := sources{content: content, styles: styles, protect: flagText(c, "protect")}
	if content == "" || len(styles) == 0 && set.options.StyleWeight > 0 {
		got := len(styles)
		if content != "" {
			got++
		}
		hint := "impasto art " + either(content, "PHOTO.jpg") + " STYLE.jpg"
		bad.Add(ui.UsageFault(fmt.Sprintf("art needs a content and at least one style image, got %d", got), hint))
		return bad
	}
	return s.renderPicture(style.ModeArt, set, bad, in)
}

// splitInputs sorts arguments and flags into the photograph and the paintings:
// the first argument is the photograph unless --content names it.
func splitInputs(args []string, content string, styles []string) (string, []string) {
	styles = slices.Clone(styles)
	if content == "" && len(args) > 0 {
		content, args = args[0], args[1:]
	}
	return content, append(styles, args...)
}

// renderPicture prepares, paints and saves. bad is what is already known to be
// wrong, so that it is told with the rest.
func (s *session) renderPicture(mode string, set *settings, bad ui.Faults, in sources) error {
	r := &render{session: s, set: set, mode: mode}
	init, err := initFile(set)
	bad.Add(err)
	if set.options.Seed == 0 {
		set.options.Seed = rand.Uint64N(1<<32-1) + 1
		r.notes = append(r.notes, fmt.Sprintf("seed %d was drawn; --seed %d repeats it", set.options.Seed, set.options.Seed))
	}
	in.init = init
	bad.Add(r.prepare(in))
	if len(bad) > 0 {
		return bad
	}
	return r.run()
}

// initFile takes the file out of "--init FILE".
func initFile(set *settings) (string, error) {
	known := []string{style.InitContent, style.InitNoise, style.InitStyle, style.InitGray}
	name := set.options.Init
	if slices.Contains(known, name) {
		return "", nil
	}
	if near := ui.Nearest(name, known); near != "" && filepath.Ext(name) == "" {
		return "", ui.UsageFault(fmt.Sprintf("--init %q is not content, noise, style, gray or a picture", name), "--init "+near)
	}
	set.options.Init = style.InitFile
	return name, nil
}

// flagTexts are all values of a flag that may be given several times.
func flagTexts(c *cli.Context, name string) []string {
	if w, ok := c.Generic(name).(*words); ok {
		return w.said
	}
	return nil
}

// flagText is the value of a flag, "" when it was not given.
func flagText(c *cli.Context, name string) string {
	if said := flagTexts(c, name); len(said) > 0 {
		return said[len(said)-1]
	}
	return ""
}

func either(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
