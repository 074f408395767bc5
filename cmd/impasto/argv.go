package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/foreign"
	"github.com/impasto/impasto/internal/ui"
)

// The front end: what stands between the words a user types and urfave/cli.
// The library stops reading flags at the first argument, so
// "art a.png b.jpg --size 512" would run with the default size and no message.
// Here every command line is read once, for all commands alike, and handed on
// in one canonical form: command, --flag=value ..., --, arguments.
//
//   - Flags stand in any position, before or after the command.
//   - "-size", "--size", "--style_weight" and "--style-weight" are one thing.
//   - "--" ends the flags. "-" alone is an argument (standard input or output).
//   - A flag takes the next word unless that word is a flag; negative numbers
//     are values. "--flag=VALUE" takes anything.
//   - Names of other programs' flags are translated (internal/foreign), with a note.
//   - A word that begins with "-" and is no flag is an error, never a file.

// line is a command line that has been read.
type line struct {
	cmd     *cli.Command // nil when no command was named
	path    []string     // its name, after that of its group: ["weights", "get"]
	flags   []string     // "--name" or "--name=value"
	args    []string
	notes   []string // for standard error
	help    bool
	helpAll bool
	version bool
}

// argv returns the canonical form for urfave/cli.
func (l line) argv(program string) []string {
	out := append([]string{program}, l.path...)
	out = append(out, l.flags...)
	out = append(out, "--")
	return append(out, l.args...)
}

// commands returns the commands that the next word may name.
func (l line) commands(app *cli.App) []*cli.Command {
	if l.cmd == nil {
		return app.Commands
	}
	return l.cmd.Subcommands
}

// has reports whether a boolean flag was given.
func (l line) has(name string) bool { return slices.Contains(l.flags, "--"+name) }

// readLine reads the words after the program's name. It returns all faults
// together. The line then holds what could be understood.
func readLine(app *cli.App, words []string) (line, ui.Faults) {
	var l line
	words = l.takeCommand(app, slices.Clone(words))
	var bad ui.Faults
	if l.cmd == nil || len(l.cmd.Subcommands) > 0 {
		// Only help and version may be used without a command.
		for _, w := range words {
			name, _, _ := flagWord(w)
			switch {
			case w == "-h" || name == "help":
				l.help = true
			case name == "help-all":
				l.help, l.helpAll = true, true
			case name == "version" && l.cmd == nil:
				l.version = true
			case name == "json":
				l.flags = append(l.flags, "--json")
			case len(bad) == 0:
				bad.Add(l.unknown(app, w, words))
			}
			if len(bad) == 1 && name == "" {
				break // the rest are arguments of an unknown command
			}
		}
		return l, bad
	}
	bad = l.readFlags(app, words)
	return l, bad
}

// takeCommand finds the command, or the command inside a group. It returns the
// words without their names.
func (l *line) takeCommand(app *cli.App, words []string) []string {
	for known := l.commands(app); known != nil; known = l.commands(app) {
		at := firstArgument(app, words)
		if at < 0 {
			return words
		}
		if words[at] == "help" && l.cmd == nil && !l.help {
			l.help = true
			words = slices.Delete(words, at, at+1)
			continue
		}
		i := slices.IndexFunc(known, func(c *cli.Command) bool { return c.HasName(words[at]) })
		if i < 0 {
			return words
		}
		l.cmd = known[i]
		l.path = append(l.path, l.cmd.Name)
		words = slices.Delete(words, at, at+1)
	}
	return words
}

// firstArgument returns the index of the first word that is neither a flag nor the
// value of one, or -1. The command is not known yet, so a flag takes a value if it
// does in any command. app_test.go checks that commands agree.
func firstArgument(app *cli.App, words []string) int {
	var all flagSet
	var walk func(cmds []*cli.Command)
	walk = func(cmds []*cli.Command) {
		for _, c := range cmds {
			all = append(all, c.Flags...)
			walk(c.Subcommands)
		}
	}
	walk(app.Commands)
	for i := 0; i < len(words); i++ {
		if words[i] == "--" {
			return -1
		}
		name, _, hasValue := flagWord(words[i])
		if name == "" {
			return i
		}
		f := foreign.Find(name)
		takes := all.takesValue(name) || f != nil && f.Takes != foreign.NoValue
		if name == "n" {
			takes = i+1 < len(words) && foreign.IsNumberList(words[i+1])
		}
		if takes && !hasValue && i+1 < len(words) && all.canBeValue(words[i+1]) {
			_, rest := foreign.TakeList(name, words[i+1], words[i+2:])
			i = len(words) - len(rest) - 1
		}
	}
	return -1
}

// readFlags sorts the words into flags and arguments of l.cmd.
func (l *line) readFlags(app *cli.App, words []string) ui.Faults {
	var bad ui.Faults
	r := flagReader{line: l, app: app, set: l.cmd.Flags, bad: &bad}
	for len(words) > 0 && words[0] != "--" {
		words = r.read(words[0], words[1:])
	}
	if len(words) > 0 {
		l.args = append(l.args, words[1:]...)
	}
	l.args, l.flags = r.old.Finish(l.cmd.Name, l.args, l.flags)
	l.notes = append(l.notes, r.old.Notes(l.flags)...)
	return bad
}

// flagReader reads the words after a command, one after the other.
type flagReader struct {
	*line
	app *cli.App
	set flagSet
	old foreign.Reader
	bad *ui.Faults
}

// read reads a word. If it is a flag whose value is the next word, read reads that
// too. It returns the remaining words.
func (r *flagReader) read(w string, rest []string) []string {
	name, value, hasValue := flagWord(w)
	if name == "" {
		if f := typesetDash(w); f != nil {
			r.bad.Add(f)
		} else {
			r.args = append(r.args, w)
		}
		return rest
	}
	if name == "n" && !hasValue && len(rest) > 0 && r.set.has("overwrite") && !foreign.IsNumberList(rest[0]) && looksLikeNumber(rest[0]) {
		r.bad.Add(notIterations(rest[0]))
		return rest[1:]
	}
	if !hasValue && r.special(name, rest) {
		return rest
	}
	theirs := foreign.Match(foreign.Command{Has: r.set.has, CanBeValue: r.set.canBeValue}, name, w, hasValue, rest)
	full, isOurs := r.set.find(name)
	if theirs == nil && !isOurs {
		if short, number := name[:1], name[1:]; !strings.HasPrefix(w, "--") && foreign.IsNumberList(number) {
			if f, ok := r.set.find(short); ok && r.set.takesValue(short) { // "-n500"
				full, isOurs, value, hasValue = f, true, number, true
			}
		}
	}
	switch {
	case theirs != nil && theirs.Takes == foreign.NoValue:
		hasValue = true // or the flag needs no value
	case theirs == nil && !isOurs:
		r.readUnknown(name, w, hasValue)
		return rest
	case theirs == nil && !r.set.takesValue(full):
		r.readSwitch(full, value, hasValue)
		return rest
	}
	if !hasValue {
		if len(rest) == 0 || !r.set.canBeValue(rest[0]) {
			r.bad.Add(ui.UsageFault(fmt.Sprintf("%s needs a value", w), valueHint(r.set, full)...))
			return rest
		}
		value, rest = foreign.TakeList(name, rest[0], rest[1:])
	}
	var flags []string
	var err error
	if theirs != nil {
		flags, err = r.old.Translate(theirs, w, value)
	} else {
		flags, err = r.old.Ours(w, full, value)
	}
	r.bad.Add(err)
	r.flags = append(r.flags, flags...)
	return rest
}

// special reads words that are not ordinary flags of the command: help, -vv, and -n
// without a number, which refuses to overwrite.
func (r *flagReader) special(name string, rest []string) bool {
	switch {
	case name == "h" || name == "help":
		r.help = true
	case name == "help-all":
		r.help, r.helpAll = true, true
	case name == "vv" && r.set.has("verbose"):
		r.flags = append(r.flags, "--verbose", "--verbose")
	case name == "n" && r.set.has("overwrite") && (len(rest) == 0 || !foreign.IsNumberList(rest[0])):
		r.flags = append(r.flags, "--overwrite=fail")
	default:
		return false
	}
	return true
}

// readSwitch reads a flag without a value.
func (r *flagReader) readSwitch(name, value string, hasValue bool) {
	switch {
	case !hasValue:
		r.flags = append(r.flags, "--"+name)
	case value == "true" || value == "false":
		r.flags = append(r.flags, "--"+name+"="+value)
	default:
		r.bad.Add(ui.UsageFault(fmt.Sprintf("--%s is a switch and takes no value, got %q", name, value)))
	}
}

// readUnknown reads "--no-NAME" of a switch. Any other name is a fault.
func (r *flagReader) readUnknown(name, w string, hasValue bool) {
	if b, ok := strings.CutPrefix(name, "no-"); ok && r.set.has(b) && !r.set.takesValue(b) && !hasValue {
		r.flags = append(r.flags, "--"+b+"=false")
		return
	}
	r.bad.Add(unknownFlag(name, w, r.set, flagOwners(r.app, name)))
}

// unknown returns the fault of a word where a command was expected.
func (l *line) unknown(app *cli.App, w string, words []string) *ui.Fault {
	group := "impasto"
	if l.cmd != nil {
		group += " " + l.cmd.Name
	}
	if name, _, _ := flagWord(w); name != "" {
		f := ui.UsageFault(fmt.Sprintf("unknown flag %s before a command", w))
		if l.cmd == nil && slices.ContainsFunc(words, looksLikeFile) {
			f.Try = append(f.Try, artOf(words))
		}
		f.Try = append(f.Try, group+" --help")
		return f
	}
	var names []string
	for _, c := range l.commands(app) {
		if !c.Hidden {
			names = append(names, c.Names()...)
		}
	}
	f := ui.UsageFault(fmt.Sprintf("unknown command %q", w))
	if near := ui.Nearest(w, names); near != "" {
		f.Try = append(f.Try, group+" "+near)
	} else if l.cmd == nil && looksLikeFile(w) {
		f.Try = append(f.Try, artOf(words))
	}
	f.Try = append(f.Try, group+" --help")
	return f
}

// looksLikeFile reports whether a word is the name of a file with an extension.
func looksLikeFile(w string) bool { return !strings.HasPrefix(w, "-") && filepath.Ext(w) != "" }

// artOf returns the art command for pictures that were given without a command.
func artOf(words []string) string {
	if len(words) == 1 {
		words = append(words[:1:1], "sample:woodblock") // or a painting of the user's own
	}
	return ui.ImpastoCommand(append([]string{"art"}, words...))
}

// valueHint shows the form of a flag's value.
func valueHint(set flagSet, name string) []string {
	if d, ok := set.get(name).(cli.DocGenerationFlag); ok {
		if p, _ := placeholder(d.GetUsage()); p != "" {
			return []string{"--" + d.Names()[0] + " " + p}
		}
	}
	return nil
}

// flagWord splits a flag into its name (kebab case, no dashes) and its value. For
// any other word, name is "".
func flagWord(w string) (name, value string, hasValue bool) {
	if len(w) < 2 || w[0] != '-' || w == "--" {
		return "", "", false
	}
	name = strings.TrimPrefix(w[1:], "-")
	name, value, hasValue = strings.Cut(name, "=")
	name = strings.ReplaceAll(name, "_", "-")
	if name == "" {
		name = w // "-=x" or "---": no flag of any command
	}
	return name, value, hasValue
}

// isNumber reports whether w reads as a negative number or a list of numbers
// that starts with one.
func isNumber(w string) bool {
	return len(w) > 1 && w[0] == '-' && (w[1] >= '0' && w[1] <= '9' || w[1] == '.' && len(w) > 2 && w[2] >= '0' && w[2] <= '9')
}

// flagSet holds the flags of a command.
type flagSet []cli.Flag

// get returns the flag with this spelling, or nil if there is none.
func (s flagSet) get(name string) cli.Flag {
	for _, f := range s {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

// find returns the full name of the flag with this spelling.
func (s flagSet) find(name string) (string, bool) {
	if f := s.get(name); f != nil {
		return f.Names()[0], true
	}
	return "", false
}

func (s flagSet) has(name string) bool { return s.get(name) != nil }

func (s flagSet) takesValue(name string) bool {
	d, ok := s.get(name).(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}

// canBeValue reports whether a word after a flag is its value.
func (s flagSet) canBeValue(w string) bool {
	if w == "-" || !strings.HasPrefix(w, "-") || isNumber(w) {
		return true
	}
	if strings.HasPrefix(w, "--") {
		return false
	}
	name, _, _ := flagWord(w)
	f := foreign.Find(name)
	return !s.has(name) && !(f != nil && f.Fits(s.has)) && name != "h" && name != "help" && name != "vv"
}

// names lists the long names of the flags that help shows.
func (s flagSet) names() []string {
	var out []string
	for _, f := range s {
		if v, ok := f.(cli.VisibleFlag); ok && !v.IsVisible() {
			continue
		}
		for _, n := range f.Names() {
			if len(n) > 1 {
				out = append(out, n)
			}
		}
	}
	return out
}
