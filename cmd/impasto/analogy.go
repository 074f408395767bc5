package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

func analogyCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "analogy",
		Category:  categoryPaint,
		Usage:     "paint B as A became A': A is to A' as B is to the result",
		ArgsUsage: "A A' B, or --edit MAP A'",
		Description: "A and A' show the same things at the same places: a map and its painting, or a photograph and\n" +
			"what was made of it. With --edit the painting's own map is A: take PAINTING_sem.png (made by\n" +
			"impasto map derive PAINTING, or now), change a copy, and paint the copy.",
		Flags:  renderFlags(style.ModeAnalogy),
		Action: func(c *cli.Context) error { return analogy(s, c) },
	})
}

func analogy(s *session, c *cli.Context) error {
	set, bad := resolve(c, style.ModeAnalogy)
	args := append(c.Args().Slice(), set.styles...)
	edited := flagText(c, "edit")
	switch {
	case edited != "" && len(args) == 1:
		own, err := s.ownMap(args[0], set)
		bad.Add(err)
		return s.renderPicture(style.ModeAnalogy, set, bad, sources{a: own, styles: args, b: edited})
	case edited != "":
		bad.Add(ui.UsageFault(fmt.Sprintf("analogy --edit needs the map and its painting, got %d pictures", len(args)), "impasto analogy --edit EDITED.png PAINTING.jpg"))
		return bad
	case len(args) != 3:
		bad.Add(ui.UsageFault(fmt.Sprintf("analogy needs A, A' and B, got %d pictures", len(args)), "impasto analogy A.png PAINTING.png B.png",
			"impasto analogy --edit EDITED.png PAINTING.jpg"))
		return bad
	}
	return s.renderPicture(style.ModeAnalogy, set, bad, sources{a: args[0], styles: args[1:2], b: args[2]})
}

// ownMap is the map of a painting: the one beside it, else one derived now and
// kept there.
func (s *session) ownMap(painting string, set *settings) (string, error) {
	if found := mapBeside(painting, maps.Suffix); found != "" {
		return found, nil
	}
	p, _, err := s.readInput(painting, picture.ReadOptions{Role: "style image", Stdin: s.stdin})
	if err != nil {
		return "", err
	}
	network, err := loadTo(set.text("weights"), deriveTaps[len(deriveTaps)-1])
	if err != nil {
		return "", err
	}
	m, err := maps.Derive(p, maps.DeriveOptions{Regions: 6, Features: featuresWith(network, set.number("threads", 0))})
	if err != nil {
		return "", err
	}
	path := maps.MapPath(ui.Home(painting))
	return path, m.Save(path)
}
