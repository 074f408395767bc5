package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/config"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

func configCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "config",
		Category: categorySetup,
		Usage:    "show the configuration, or write a new one",
		Subcommands: []*cli.Command{
			{
				Name:      "show",
				Usage:     "print the effective value of every setting",
				ArgsUsage: "[art|texture]",
				Flags: []cli.Flag{
					&cli.BoolFlag{Name: "origin", Usage: "also print where each value comes from"},
				},
				Action: func(c *cli.Context) error { return configShow(s, c) },
			},
			{
				Name:  "path",
				Usage: "print the configuration files, nearest first",
				Action: func(c *cli.Context) error {
					user, err := config.UserFile()
					if err != nil {
						return ui.NewFault(ui.ExitUsage, "config", err.Error())
					}
					_, err = fmt.Fprintf(s.stdout, "%s\n%s\n", "./"+config.ProjectFile, user)
					return err
				},
			},
			{
				Name:  "init",
				Usage: "write a configuration with every setting commented out",
				Flags: []cli.Flag{
					&cli.BoolFlag{Name: "project", Usage: "write it into this directory, not into the user's"},
					&cli.BoolFlag{Name: "y", Usage: "replace the configuration file if it exists"},
				},
				Action: func(c *cli.Context) error { return configInit(s, c) },
			},
		},
	})
}

func configShow(s *session, c *cli.Context) error {
	mode := style.ModeArt
	if c.NArg() > 0 {
		mode = style.Mode(c.Args().First())
	}
	if c.NArg() > 1 || mode != style.ModeArt && mode != style.ModeTexture {
		return ui.UsageFault(fmt.Sprintf("config show takes art or texture, got %q", strings.Join(c.Args().Slice(), " ")), "impasto config show art")
	}
	layers, bad := settings.UserLayers("")
	v, more := settings.Resolve(mode, nil, layers...)
	if bad = append(bad, more...); len(bad) > 0 {
		return bad
	}
	type row struct {
		Value  string `json:"value"`
		Origin string `json:"origin"`
	}
	all := map[string]row{}
	for _, p := range settings.For(mode) {
		if !p.InConfig() {
			continue
		}
		text := v.Show(p)
		all[p.Name] = row{text, v.Origin(p.Name)}
		if s.json {
			continue
		}
		if text == "" {
			text = "-"
		}
		if c.Bool("origin") {
			fmt.Fprintf(s.stdout, "%-20s %-40s %s\n", p.Name, text, v.Origin(p.Name))
		} else {
			fmt.Fprintf(s.stdout, "%-20s %s\n", p.Name, text)
		}
	}
	if s.json {
		return json.NewEncoder(s.stdout).Encode(all)
	}
	return nil
}

func configInit(s *session, c *cli.Context) error {
	path := config.ProjectFile
	if !c.Bool("project") {
		user, err := config.UserFile()
		if err != nil {
			return ui.NewFault(ui.ExitUsage, "config", err.Error())
		}
		path = user
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return ui.NewFault(ui.ExitOutput, "unwritable", fmt.Sprintf("directory %q cannot be made: %v", filepath.Dir(path), err))
		}
	}
	rule := picture.Fail
	if c.Bool("y") {
		rule = picture.Replace
	}
	path, _, err := picture.Destination(path, rule)
	if err != nil {
		return err
	}
	if err := picture.WriteFile(path, func(w io.Writer) error { return writeTemplate(w) }); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.stdout, path)
	return err
}

// writeTemplate writes every setting with its default, commented out.
func writeTemplate(w io.Writer) error {
	v, _ := settings.Resolve(style.ModeArt, nil)
	fmt.Fprint(w, "# Impasto: any long flag and its value. Flags and IMPASTO_... variables come first.\n")
	for _, group := range settings.Groups {
		fmt.Fprintf(w, "\n# %s\n", group)
		for _, s := range settings.All() {
			if s.Group != group || !s.InConfig() {
				continue
			}
			text := v.Show(s)
			if strings.ContainsAny(text, ":{}%") || text == "" {
				text = fmt.Sprintf("%q", text)
			}
			fmt.Fprintf(w, "# %s: %-24s # %s\n", s.Name, text, s.HelpFor(""))
		}
	}
	return nil
}
