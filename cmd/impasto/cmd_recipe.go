package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/ui"
)

func recipeCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "recipe",
		Category: categoryPicture,
		Usage:    "show, compare and remove the recipe inside pictures",
		Subcommands: []*cli.Command{
			{
				Name:      "show",
				Usage:     "print the recipe of a picture",
				ArgsUsage: "IMAGE...",
				Action:    eachPicture("show", func(path string) error { return recipeShow(s, path) }),
			},
			{
				Name:      "diff",
				Usage:     "print what differs between the recipes of two pictures",
				ArgsUsage: "A B",
				Action:    func(c *cli.Context) error { return recipeDiff(s, c) },
			},
			{
				Name:      "strip",
				Usage:     "remove the recipe from pictures, leaving their pixels",
				ArgsUsage: "IMAGE...",
				Action: eachPicture("strip", func(path string) error {
					if err := picture.StripRecipe(path); err != nil {
						return err
					}
					return ui.PrintResult(s.stdout, path)
				}),
			},
		},
	})
}

// eachPicture calls do for every named picture and reports all that failed.
func eachPicture(verb string, do func(path string) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		if c.NArg() == 0 {
			return ui.UsageFault("recipe "+verb+" needs a picture", "impasto recipe "+verb+" out.png")
		}
		var bad ui.Faults
		for _, path := range c.Args().Slice() {
			bad.Add(do(ui.Home(path)))
		}
		return bad.Err()
	}
}

func recipeShow(s *session, path string) error {
	r, err := render.ReadRecipe(path)
	if err != nil {
		return err
	}
	write := r.Indented
	if s.json {
		write = r.Canonical
	}
	text, err := write()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.stdout, text)
	return err
}

func recipeDiff(s *session, c *cli.Context) error {
	if c.NArg() != 2 {
		return ui.UsageFault(fmt.Sprintf("recipe diff needs two pictures, got %d", c.NArg()), "impasto recipe diff a.png b.png")
	}
	var bad ui.Faults
	var both [2]recipe.Recipe
	for i := range both {
		r, err := render.ReadRecipe(ui.Home(c.Args().Get(i)))
		bad.Add(err)
		both[i] = r
	}
	if len(bad) > 0 {
		return bad
	}
	changes, err := recipe.Diff(both[0], both[1])
	if err != nil {
		return err
	}
	if s.json {
		return writeJSON(s.stdout, changes)
	}
	for _, ch := range changes {
		fmt.Fprintln(s.stdout, ch)
	}
	if len(changes) == 0 {
		s.note("impasto: the recipes are the same")
	}
	return nil
}
