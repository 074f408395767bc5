package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/foreign"
	"github.com/impasto/impasto/internal/ui"
)

// mostOwners is the most commands that a message names.
const mostOwners = 3

// unknownFlag returns the fault of a flag that the command does not have. owners
// are the commands that have it.
func unknownFlag(name, word string, set flagSet, owners []string) *ui.Fault {
	shown, _, _ := strings.Cut(word, "=")
	f := ui.NewFault(ui.ExitUsage, "unknown_flag", "unknown flag "+shown)
	if len(owners) > 0 {
		who := strings.Join(owners, " and ")
		if len(owners) == mostOwners {
			who = fmt.Sprintf("%s, %s and %s", owners[0], owners[1], owners[2])
		}
		if more := len(owners) - mostOwners; more > 0 {
			who = strings.Join(owners[:mostOwners], ", ") + " and " + ui.Count(more, "other command")
		}
		f.Message += "; it is a flag of " + who
		f.Try = append(f.Try, "impasto "+owners[0]+" --help")
	} else if near := ui.Nearest(name, set.names()); near != "" {
		f.Try = append(f.Try, "--"+near)
	}
	if len(word) > 1 && (word[1] >= '0' && word[1] <= '9' || strings.ContainsAny(word, "./")) {
		f.Try = append(f.Try, fmt.Sprintf("./%s or -- %s if it is a file", word, word))
	}
	return f
}

// flagOwners lists the commands that have a flag with this long name, in the order
// of help.
func flagOwners(app *cli.App, name string) (owners []string) {
	if len(name) < 2 {
		return nil
	}
	var walk func(group string, commands []*cli.Command)
	walk = func(group string, commands []*cli.Command) {
		for _, c := range commands {
			if c.Hidden {
				continue
			}
			if len(c.Subcommands) == 0 && slices.Contains(flagSet(c.Flags).names(), name) {
				owners = append(owners, group+c.Name)
			}
			walk(c.Name+" ", c.Subcommands)
		}
	}
	walk("", app.Commands)
	return owners
}

// typesetDash returns the fault of a flag whose hyphens a word processor or a web
// page has replaced by a dash. It returns nil for any other word, and for the name
// of an existing file.
func typesetDash(w string) *ui.Fault {
	dashes := []struct{ sign, name string }{{"\u2013", "an en dash"}, {"\u2014", "an em dash"}, {"\u2212", "a minus sign"}}
	for _, d := range dashes {
		rest, ok := strings.CutPrefix(w, d.sign)
		if !ok {
			continue
		}
		rest = strings.TrimLeft(rest, "-\u2013\u2014\u2212")
		if name, _, _ := strings.Cut(rest, "="); len(name) > 0 && !foreign.IsNumberList(name) {
			if _, err := os.Lstat(w); err == nil {
				return nil
			}
			hyphens := "--"
			if len(name) == 1 {
				hyphens = "-"
			}
			return ui.UsageFault(fmt.Sprintf("%q begins with %s in place of %q", w, d.name, hyphens), fmt.Sprintf(meant+"%q?", hyphens+rest))
		}
	}
	return nil
}
