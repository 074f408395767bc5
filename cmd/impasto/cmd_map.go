package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/overwrite"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func mapCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "map",
		Category: categoryPicture,
		Usage:    "make, check, repair and show maps of a picture's regions",
		Subcommands: []*cli.Command{
			mapDeriveCommand(s),
			mapLintCommand(s),
			mapRecolorCommand(s),
			mapMergeCommand(s),
			mapFitCommand(s),
			mapMaskCommand(s),
			mapViewCommand(s),
			mapApplyCommand(s),
		},
	})
}

// outputFlags are those of the commands that write one map.
func outputFlags(where string) []cli.Flag {
	return append([]cli.Flag{
		textFlag("output", "o", settings.GroupOutput, "FILE", where),
		textFlag("overwrite", "", settings.GroupOutput, "HOW", "if it exists: fail (-n), replace (-y), number, skip"),
		&cli.BoolFlag{Name: "y", Usage: "replace the output if it exists", Hidden: true},
	}, commonFlags()...)
}

// mapTarget decides on the file a map is written to: -o, or fallback.
func mapTarget(c *cli.Context, fallback string) (path string, skip bool, err error) {
	return mapDestination(c, ui.Home(either(flagText(c, "output"), fallback)))
}

// mapDestination finds out that a map can be written to path.
func mapDestination(c *cli.Context, path string) (string, bool, error) {
	if err := maps.CheckOutput(path); err != nil {
		return "", false, err
	}
	return destination(c, path)
}

// destination is the file to write for path, by the rule for existing ones.
func destination(c *cli.Context, path string) (string, bool, error) {
	how := either(flagText(c, "overwrite"), "fail")
	if c.Bool("y") {
		how = "replace"
	}
	rule, err := picture.ParseOverwrite(how)
	if err != nil {
		return "", false, ui.UsageFault(err.Error(), ui.FaultsOf(err)[0].Try...)
	}
	return picture.Destination(path, rule)
}

// readMap reads a map; "sample:NAME" is that of a sample.
func (s *session) readMap(path, role string) (*maps.Map, *maps.Source, error) {
	return render.Env{Stdin: s.stdin}.ReadMap(path, role)
}

// apart refuses an output that is an input of the same command.
func apart(output string, inputs ...string) error {
	set := overwrite.New(picture.Replace, false)
	for _, path := range inputs {
		if path != "" && path != ui.Stdout {
			set.Reads("an input", ui.Home(path))
		}
	}
	return set.Writes("output", "-o", output)
}

// oneMap reads the first argument of a command, which needs more after it.
func (s *session) oneMap(c *cli.Context, usage string) (string, *maps.Map, *maps.Source, error) {
	if c.NArg() == 0 {
		return "", nil, nil, ui.UsageFault(fmt.Sprintf("map %s needs a map", c.Command.Name), usage)
	}
	path := ui.Home(c.Args().First())
	m, src, err := s.readMap(path, "map")
	return path, m, src, err
}

// editMap is what recolor, merge and fit have in common: the map is read,
// changed and written. what is told on standard error.
func (s *session) editMap(c *cli.Context, usage string, edit func(*maps.Map) (*maps.Map, string, error)) error {
	var bad ui.Faults
	path, m, _, err := s.oneMap(c, usage)
	bad.Add(err)
	if path == "" {
		return bad
	}
	out, skip, err := mapTarget(c, path)
	bad.Add(err)
	var what string
	if m != nil {
		m, what, err = edit(m)
		bad.Add(err)
	}
	if len(bad) > 0 {
		return bad
	}
	if skip {
		return nil
	}
	return s.writeMap(m, out, what)
}

// writeMap saves a map and tells of it.
func (s *session) writeMap(m *maps.Map, path, what string) error {
	if err := m.Save(path); err != nil {
		return err
	}
	if s.json {
		return writeJSON(s.stdout, map[string]any{"type": "result", "output": path, "done": what,
			"width": m.W, "height": m.H, "regions": m.Rows()})
	}
	if !s.quiet {
		fmt.Fprintf(s.stderr, "%s\n", ui.Printable(what))
	}
	return ui.PrintResult(s.stdout, path)
}
