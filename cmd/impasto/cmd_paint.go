package main

import (
	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/style"
)

// paintCommands returns the commands that paint one picture, one for each mode.
func paintCommands(s *session) []*cli.Command {
	return []*cli.Command{
		s.paintCommand(style.ModeArt, &cli.Command{
			Aliases:   []string{"transfer"},
			Usage:     "paint a photograph in the manner of one or more paintings",
			ArgsUsage: "CONTENT STYLE...",
			Description: "Minimises content-weight * content + style-weight * style + tv-weight * tv over the pixels of the picture;\n" +
				"tv is the total variation, a measure of noise. content-weight is also called alpha, style-weight beta.\n" +
				"--style-weight 2 can also stand in .impasto.yaml as style-weight: 2, or in the environment as\n" +
				"IMPASTO_STYLE_WEIGHT=2; so can the other flags. --no-NAME turns a switch off: --no-box.\n" +
				"-n alone, without a number, never replaces a file. -n 200,100 gives the smallest size 200 iterations and each\n" +
				"larger one 100.\n" +
				"The preset best paints 1.5 times as large and reduces the picture, which takes about twice the time. The\n" +
				"others follow Gatys et al. (gatys), neural-style (jj), neural-style-pt (pt), style-transfer-pytorch (cp) and\n" +
				"Galerne et al. (spst, spst-fast).\n" +
				"The default style loss is moments. With any other the defaults of content-weight, tv-weight and tv-spare\n" +
				"are 1.2, 50 (70 with mini) and 0.95.\n" +
				"--method nnst has defaults of its own, marked nnst below. Its --content-weight is the share of the photograph\n" +
				"in what is matched, 0 to 1.\n" +
				"Fields of output names: {content} {style} {mode} {w} {h} {size} {seed} {date}, {n} (the first free number\n" +
				"from 0001) and {recipe} (8 characters of the checksum of the recipe).",
		}),
		s.paintCommand(style.ModePatch, &cli.Command{
			Usage:     "rebuild a photograph from the most similar patches of paintings",
			ArgsUsage: "CONTENT STYLE...",
			Description: "Each patch of the picture's features is pulled towards the most similar one in the paintings,\n" +
				"by normalised cross-correlation. Neighbouring features stay neighbours, unlike in art.\n" +
				"--patch-weight asks for more of the painting; --style-weight adds a style loss, by default gram.\n" +
				"Presets follow CNNMRF: cnnmrf its cnnmrf.lua, cnnmrf-trans its run_trans.lua.",
		}),
		s.paintCommand(style.ModeDoodle, &cli.Command{
			Usage:     "paint a map of regions in the manner of a painting",
			ArgsUsage: "STYLE...",
			Description: "A map is a picture in flat colours; regions of the same colour in two maps show the same thing.\n" +
				"The map of painting.jpg is painting_sem.png beside it. The map to paint is --map; else photo_sem.png beside\n" +
				"the photograph (--content photo.jpg), else out_sem.png beside the output (-o out.png).\n" +
				"With --content the photograph is painted region by region, and --content-weight is 0.5 by default;\n" +
				"--content-weight, --color, --protect and --init content need it. Without maps, patches alone decide.\n" +
				"The preset nd follows neural-doodle.",
		}),
		s.paintCommand(style.ModeAnalogy, &cli.Command{
			Usage:     "paint B as A became A': A is to A' as B is to the result",
			ArgsUsage: "A A' B, or --edit MAP A'",
			Description: "A and A' show the same things at the same places: a map and its painting, or a photograph and\n" +
				"what was made of it. With --edit the painting's own map is A: take painting_sem.png (made by\n" +
				"impasto map derive painting.jpg, or by --edit if there is none), change a copy, and paint the copy.\n" +
				"The preset ia follows image-analogies.",
		}),
		s.paintCommand(style.ModeTexture, &cli.Command{
			Usage:     "make a texture of any size from one or more paintings",
			ArgsUsage: "STYLE...",
			Description: "Minimises style-weight * style + tv-weight * tv (total variation, a measure of noise) from noise:\n" +
				"the look of the painting, without its objects.\n" +
				"A size with one number takes the proportions of the first painting.",
		}),
	}
}

// paintCommand completes a command that paints one picture.
func (s *session) paintCommand(mode style.Mode, c *cli.Command) *cli.Command {
	c.Name, c.Category, c.Flags = string(mode), categoryPaint, renderFlags(mode)
	c.Action = func(c *cli.Context) error {
		v, bad := resolve(c, mode)
		return s.paint(render.NewRequest(v, bad, c.Args().Slice()...))
	}
	return command(c)
}
