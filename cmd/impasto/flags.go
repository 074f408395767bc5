package main

import (
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// commonFlags are the flags that every command has.
func commonFlags() []cli.Flag {
	var flags []cli.Flag
	for _, s := range settings.All() {
		if s.Common {
			flags = append(flags, settingFlag(s, ""))
		}
	}
	return flags
}

// words is the value of a flag that is first read as text and parsed later, so that
// all faults of a command line are found together.
type words struct {
	given   []string
	repeats bool // may be given several times; otherwise the last one counts
}

// Set is called once for each time the flag is given, and once more for each of its
// other names.
func (w *words) Set(s string) error {
	if !w.repeats {
		w.given = w.given[:0]
	}
	w.given = append(w.given, s)
	return nil
}

func (w *words) String() string { return strings.Join(w.given, ",") }

// valueFlag is a flag with a value. urfave/cli compares the names of all flags with
// each other, and computes them anew each time. For the thousands of jobs of a
// manifest, that takes longer than everything else.
type valueFlag struct{ *cli.GenericFlag }

func (f valueFlag) Names() []string { return append([]string{f.Name}, f.Aliases...) }

// textFlag makes a flag with a value.
func textFlag(name, short, group, value, usage string) valueFlag {
	f := valueFlag{&cli.GenericFlag{Name: name, Usage: usage, Category: group, Value: &words{repeats: name == "set"}}}
	if value != "" {
		f.Usage = "`" + value + "` " + usage
	}
	if short != "" {
		f.Aliases = []string{short}
	}
	return f
}

// placeholder splits "`FILE` the rest" into its parts.
func placeholder(usage string) (value, rest string) {
	if !strings.HasPrefix(usage, "`") {
		return "", usage
	}
	value, rest, _ = strings.Cut(usage[1:], "`")
	return value, strings.TrimSpace(rest)
}

// settingFlag makes the flag of a setting.
func settingFlag(s settings.Setting, mode style.Mode) cli.Flag {
	if !s.TakesValue() {
		b := &cli.BoolFlag{Name: s.Name, Usage: s.HelpFor(mode), Category: s.Group, Hidden: s.Advanced}
		if s.Short != "" {
			b.Aliases = []string{s.Short}
		}
		return b
	}
	f := textFlag(s.Name, s.Short, s.Group, s.Value, s.HelpFor(mode))
	f.Hidden = s.Advanced
	f.Value.(*words).repeats = s.Repeats
	if s.Alias != "" {
		f.Aliases = append(f.Aliases, s.Alias)
	}
	return f
}

// renderFlags are the flags of a command that paints.
func renderFlags(mode style.Mode) []cli.Flag {
	var flags []cli.Flag
	for _, s := range settings.For(mode) {
		flags = append(flags, settingFlag(s, mode))
	}
	return flags
}

// given returns the flags of a command line.
func given(c *cli.Context) settings.Given {
	g := settings.Given{}
	for _, name := range c.LocalFlagNames() {
		if w, ok := c.Generic(name).(*words); ok {
			g[name] = w.given
		} else {
			g[name] = []string{strconv.FormatBool(c.Bool(name))}
		}
	}
	return g
}

// resolve takes each setting from the first of these that has it: flag,
// environment, project file, user file, preset, default.
func resolve(c *cli.Context, mode style.Mode) (*settings.Values, ui.Faults) {
	g := given(c)
	layers, bad := settings.UserLayers(g.Last("config"))
	v, more := settings.Resolve(mode, g, layers...)
	return v, append(bad, more...)
}

// flagTexts returns all values of a flag that may be given several times.
func flagTexts(c *cli.Context, name string) []string {
	if w, ok := c.Generic(name).(*words); ok {
		return w.given
	}
	return nil
}

// flagText returns the value of a flag, or "" if it was not given.
func flagText(c *cli.Context, name string) string {
	if list := flagTexts(c, name); len(list) > 0 {
		return list[len(list)-1]
	}
	return ""
}
