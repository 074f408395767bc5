// Package maptool holds the sub-commands of `impasto map` as functions. A tool says
// which flags it takes, and what it reads, does and writes. The command line and
// the jobs of a queue run the same tools. Their callers print the results.
package maptool

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// A Tool is one sub-command of `impasto map`.
type Tool struct {
	Name  string
	Args  string // in the usage line: "MAP REGION..."
	Help  string
	Flags []Flag
	run   func(*call) error

	Shows  bool // shows a picture, through Input.Show
	Writes bool // writes a file, even if no flag names one
	files  int  // number of arguments that are files to read; allArgs for all
}

// allArgs means that every argument of a tool is a file.
const allArgs = -1

// A Flag is a flag of a tool.
type Flag struct {
	Name, Short string
	Group       string
	Value       string // the placeholder of the value in help; "" for a switch
	Help        string
	Kind        settings.Kind // Text, Switch, File, FileOrWord or Output
	Hidden      bool
}

// Tools lists the tools in the order of help.
var Tools = []Tool{derive, lint, repair, recolor, merge, fit, mask, view, apply}

// Find returns a tool by its name.
func Find(name string) (Tool, bool) {
	i := slices.IndexFunc(Tools, func(t Tool) bool { return t.Name == name })
	if i < 0 {
		return Tool{}, false
	}
	return Tools[i], true
}

// Parse reads the words after the name of a tool, in the form in which a job holds
// them.
func (t Tool) Parse(words []string) (given settings.Given, args []string, err error) {
	return settings.ReadWords(words, func(name string) (settings.Flag, bool) {
		at := slices.IndexFunc(t.Flags, func(f Flag) bool { return slices.Contains(f.Names(), name) })
		if at < 0 {
			return settings.Flag{}, false
		}
		return settings.Flag{Name: t.Flags[at].Name, Switch: t.Flags[at].Kind == settings.Switch, On: true}, true
	})
}

// ReadsArg reports whether the nth argument, from 0, is a file to read.
func (t Tool) ReadsArg(nth int) bool { return t.files == allArgs || nth < t.files }

// Names lists the names of the flag.
func (f Flag) Names() []string {
	if f.Short == "" {
		return []string{f.Name}
	}
	return []string{f.Name, f.Short}
}

// Input is what a tool works on.
type Input struct {
	Given settings.Given // values of flags
	Args  []string
	Env   render.Env
	// Show draws a picture for the user. It is nil if there is no user.
	Show func(*picture.Picture) error
	// OnlyNamed keeps the tool from reading a picture that lies beside a map.
	OnlyNamed bool
}

// Result is what a tool reports. The caller prints all of it.
type Result struct {
	Facts   map[string]any // for programs, one JSON object; nil for none
	Notes   []string       // for standard error: what was done
	Lines   []string       // for standard output
	Table   []string       // for standard output, omitted with --quiet
	Outputs []string       // files that were written, for standard output
}

// Run runs a tool. A result may have lines to print even if there is an error: a
// check of maps lists what it found and returns an error.
func (t Tool) Run(ctx context.Context, in Input) (*Result, error) {
	c := &call{Input: in, ctx: ctx, tool: t, out: &Result{}}
	err := t.run(c)
	return c.out, err
}

// call is one run of a tool.
type call struct {
	Input
	ctx  context.Context
	tool Tool
	out  *Result
}

func (c *call) text(name string) string { return c.Given.Last(name) }

func (c *call) on(name string) bool { on, _ := settings.ParseSwitch(c.text(name)); return on }

// number reads the whole number of a flag, or returns fallback if the flag is not
// given. of describes the number in messages, as in " of pixels".
func (c *call) number(name, of string, fallback, least, most int, bad *ui.Faults) int {
	text := c.text(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		bad.Add(settings.BadValue(name, text, fmt.Sprintf("a whole number%s from %d to %d", of, least, most)))
	}
	return n
}

func (c *call) note(format string, a ...any) {
	c.out.Notes = append(c.out.Notes, fmt.Sprintf(format, a...))
}

// outputFlags are the flags of the tools that write one file.
func outputFlags(help string) []Flag {
	return []Flag{
		{Name: "output", Short: "o", Group: settings.GroupOutput, Value: "FILE", Kind: settings.Output, Help: help},
		{Name: "overwrite", Group: settings.GroupOutput, Value: "HOW", Help: "if the output exists: fail (-n), replace (-y), number or skip"},
		{Name: "y", Kind: settings.Switch, Hidden: true, Help: "replace the output if it exists, as --overwrite replace does"},
	}
}

// mapTarget returns the file to write a map to: the value of -o, or fallback.
func (c *call) mapTarget(fallback string) (path string, skip bool, err error) {
	path = ui.Home(cmp.Or(c.text("output"), fallback))
	if err := maps.CheckOutput(path); err != nil {
		return "", false, err
	}
	return c.destination(path)
}

// destination returns the file to write for path, following the rule for existing
// files.
func (c *call) destination(path string) (string, bool, error) {
	how := cmp.Or(c.text("overwrite"), "fail")
	if c.on("y") {
		how = "replace"
	}
	rule, err := picture.ParseOverwrite(how)
	if err != nil {
		return "", false, ui.UsageFault(err.Error(), ui.FaultsOf(err)[0].Try...)
	}
	return picture.Destination(path, rule)
}

// readPicture reads a picture that a tool needs.
func (c *call) readPicture(path, role string) (*picture.Picture, *picture.Info, error) {
	return c.Env.Library.Read(path, picture.ReadOptions{Role: role, Stdin: c.Env.Stdin})
}

// firstMap reads the first argument. path is "" where there is none.
func (c *call) firstMap(usage string) (path string, m *maps.Map, src *maps.Source, err error) {
	if len(c.Args) == 0 {
		return "", nil, nil, ui.UsageFault(fmt.Sprintf("map %s needs a map", c.tool.Name), usage)
	}
	path = ui.Home(c.Args[0])
	m, src, err = c.Env.ReadMap(path, "map")
	return path, m, src, err
}

// edit reads a map, changes it and writes it. The text that change returns says
// what it did.
func (c *call) edit(usage string, change func(*maps.Map) (*maps.Map, string, error)) error {
	var bad ui.Faults
	path, m, _, err := c.firstMap(usage)
	bad.Add(err)
	if path == "" {
		return bad
	}
	out, skip, err := c.mapTarget(path)
	bad.Add(err)
	var what string
	if m != nil {
		m, what, err = change(m)
		bad.Add(err)
	}
	if len(bad) > 0 || skip {
		return bad.Err()
	}
	return c.writeMap(m, out, what)
}

// writeMap saves a map. what describes what was done.
func (c *call) writeMap(m *maps.Map, path, what string) error {
	if err := m.Save(path); err != nil {
		return err
	}
	c.wrote(path, what, map[string]any{"done": what, "width": m.W, "height": m.H, "regions": m.Rows()})
	return nil
}

// wrote records a file that the tool has written. what is a note, "" for none.
func (c *call) wrote(path, what string, facts map[string]any) {
	facts["type"], facts["output"] = "result", path
	c.out.Facts, c.out.Outputs = facts, []string{path}
	if what != "" {
		c.out.Notes = append(c.out.Notes, what)
	}
}

// savePicture writes a picture that is not a map.
func (c *call) savePicture(path string, p *picture.Picture) error {
	return picture.Save(path, p, picture.WriteOptions{Software: "Impasto " + c.Env.Program})
}

// words joins a list for a message.
func words(list []string) string { return strings.Join(list, ", ") }

// pictureBeside returns the picture that lies beside a map, "" if there is none.
func (c *call) pictureBeside(path string) string {
	if c.OnlyNamed {
		return ""
	}
	return maps.PicturePath(ui.Home(path))
}
