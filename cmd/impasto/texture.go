package main

import (
	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

func textureCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "texture",
		Category:  categoryPaint,
		Usage:     "make a texture of any size from one or more paintings",
		ArgsUsage: "STYLE...",
		Description: "Minimises beta * style + tv from noise: the look of the painting, without its things.\n" +
			"Sizes without both sides take the proportions of the first painting.",
		Flags:  renderFlags(style.ModeTexture),
		Action: func(c *cli.Context) error { return texture(s, c) },
	})
}

func texture(s *session, c *cli.Context) error {
	set, bad := resolve(c, style.ModeTexture)
	styles := append(set.styles, c.Args().Slice()...)
	if len(styles) == 0 {
		bad.Add(ui.UsageFault("texture needs at least one style image, got 0", "impasto texture STYLE.jpg --size 512x512"))
		return bad
	}
	return s.renderPicture(style.ModeTexture, set, bad, sources{styles: styles})
}
