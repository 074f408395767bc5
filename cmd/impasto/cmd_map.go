package main

import (
	"context"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/maptool"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/preview"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func mapCommand(s *session) *cli.Command {
	c := &cli.Command{
		Name:     "map",
		Category: categoryPicture,
		Usage:    "make, check, repair and show maps of a picture's regions",
	}
	for _, t := range maptool.Tools {
		c.Subcommands = append(c.Subcommands, &cli.Command{
			Name: t.Name, Usage: t.Help, ArgsUsage: t.Args, Flags: toolFlags(t),
			Action: func(c *cli.Context) error { return s.runTool(t, given(c), c.Args().Slice()) },
		})
	}
	return command(c)
}

// toolFlags makes the flags of a tool.
func toolFlags(t maptool.Tool) (flags []cli.Flag) {
	for _, f := range t.Flags {
		if f.Kind == settings.Switch {
			flags = append(flags, &cli.BoolFlag{Name: f.Name, Usage: f.Help, Category: f.Group, Hidden: f.Hidden})
			continue
		}
		flags = append(flags, textFlag(f.Name, f.Short, f.Group, f.Value, f.Help))
	}
	return flags
}

// runTool runs a tool and prints its result.
func (s *session) runTool(t maptool.Tool, g settings.Given, args []string) error {
	in := maptool.Input{Given: g, Args: args, Env: render.Env{Stdin: s.stdin, Program: shortVersion()}}
	if t.Shows {
		protocol, err := s.viewProtocol(g.Last("preview"))
		if err != nil {
			return err
		}
		if protocol != preview.None {
			in.Show = func(p *picture.Picture) error { return s.showPicture(protocol, p) }
		}
	}
	out, err := t.Run(context.Background(), in)
	for _, note := range out.Notes {
		s.note("%s", ui.Printable(note))
	}
	if printed := s.printToolResult(out); printed != nil {
		return printed
	}
	if s.json && out.Facts != nil && err != nil { // the facts say what is wrong
		all := ui.FaultsOf(err)
		for _, f := range all {
			f.Silent = true
		}
		return all
	}
	return err
}

// printToolResult writes a result on standard output: as JSON, or as the files
// that were written and the lines about them.
func (s *session) printToolResult(out *maptool.Result) error {
	if s.json {
		if out.Facts == nil {
			return nil
		}
		return writeJSON(s.stdout, out.Facts)
	}
	lines := out.Lines
	if !s.quiet {
		lines = append(lines, out.Table...)
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(s.stdout, ui.Printable(line)); err != nil {
			return err
		}
	}
	for _, path := range out.Outputs {
		if err := ui.PrintResult(s.stdout, path); err != nil {
			return err
		}
	}
	return nil
}

// showPicture draws a picture in the terminal.
func (s *session) showPicture(protocol preview.Protocol, p *picture.Picture) error {
	cols, rows := ui.TerminalSize(s.stderr)
	screen := preview.NewScreen(s.stderr, protocol, cols, rows)
	screen.Reserve(p.W, p.H)
	return screen.Show(p.Image(8))
}

// viewProtocol returns how pictures are drawn in the terminal, if there is one.
func (s *session) viewProtocol(how string) (preview.Protocol, error) {
	if how == "" || how == "auto" {
		if !ui.IsTerminal(s.stderr) || s.quiet || s.json {
			return preview.None, nil
		}
		return preview.Detect(os.Getenv, preview.AsksSixel), nil
	}
	var known []string
	for _, p := range preview.Protocols {
		if how == string(p) {
			return p, nil
		}
		known = append(known, string(p))
	}
	return preview.None, ui.UsageFault(fmt.Sprintf("--preview %q is not one of auto and %v", how, known), ui.Suggest("--preview ", how, known)...)
}
