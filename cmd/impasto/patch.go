package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

func patchCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "patch",
		Category:  categoryPaint,
		Usage:     "rebuild a photograph from the most similar patches of paintings",
		ArgsUsage: "CONTENT STYLE...",
		Description: "Each patch of the picture's features is pulled towards the most similar one in the paintings,\n" +
			"by normalised cross-correlation; what lies beside what is kept, unlike in art.\n" +
			"--patch-weight asks for more of the painting; --style-weight adds the Gram loss of art.",
		Flags:  renderFlags(style.ModePatch),
		Action: func(c *cli.Context) error { return patch(s, c) },
	})
}

func patch(s *session, c *cli.Context) error {
	set, bad := resolve(c, style.ModePatch)
	content, styles := splitInputs(c.Args().Slice(), flagText(c, "content"), set.styles)
	if content == "" || len(styles) == 0 {
		got := len(styles)
		if content != "" {
			got++
		}
		bad.Add(ui.UsageFault(fmt.Sprintf("patch needs a content and at least one style image, got %d", got),
			"impasto patch "+either(content, "PHOTO.jpg")+" STYLE.jpg"))
		return bad
	}
	return s.renderPicture(style.ModePatch, set, bad, sources{content: content, styles: styles, protect: flagText(c, "protect")})
}
