package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/ui"
)

func manCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "man",
		Hidden:    true, // for those who build packages
		Category:  categorySetup,
		Usage:     "write the manual pages of all commands into a directory",
		ArgsUsage: "DIRECTORY",
		Action: func(c *cli.Context) error {
			if c.Args().Len() != 1 {
				return ui.UsageFault(fmt.Sprintf("man needs one directory, got %d", c.Args().Len()), "impasto man man1/")
			}
			return writeManPages(c.Args().First(), newApp(s))
		},
	})
}

// writeManPages writes impasto.1 and a page for each command and sub-command that
// help shows, such as impasto-map-derive.1.
func writeManPages(dir string, app *cli.App) error {
	cannot := func(err error) error {
		if err == nil {
			return nil
		}
		return ui.NewFault(ui.ExitOutput, "unwritable", fmt.Sprintf("manual pages cannot be written into %q: %s", dir, ui.Reason(err)))
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return cannot(err)
	}
	page := func(name, markdown string) error {
		return cannot(os.WriteFile(filepath.Join(dir, name+".1"), md2man.Render([]byte(markdown)), 0o666))
	}
	var list, seeAlso strings.Builder
	var walk func(path []string, commands []*cli.Command) error
	walk = func(path []string, commands []*cli.Command) error {
		for _, c := range commands {
			if c.Hidden {
				continue
			}
			words := append(path[:len(path):len(path)], c.Name)
			name := "impasto-" + strings.Join(words, "-")
			fmt.Fprintf(&list, "**%s**(1)\n: %s\n\n", name, manText(c.Usage))
			if err := page(name, manPage(name, words, c)); err != nil {
				return err
			}
			if err := walk(words, c.Subcommands); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(nil, app.Commands); err != nil {
		return err
	}
	fmt.Fprintf(&seeAlso, "# EXIT STATUS\n\n")
	for _, e := range ui.ExitCodes {
		fmt.Fprintf(&seeAlso, "**%d**\n: %s\n\n", e.Code, manText(e.Meaning))
	}
	return page("impasto", fmt.Sprintf("%% IMPASTO 1 \"\" \"Impasto %s\"\n\n# NAME\n\nimpasto - %s\n\n# SYNOPSIS\n\n**impasto** *COMMAND* [*FLAGS*] [*FILES*]\n\n# COMMANDS\n\n%s%s",
		shortVersion(), app.Usage, list.String(), seeAlso.String()))
}

// manPage returns the page of one command as Markdown.
func manPage(name string, words []string, c *cli.Command) string {
	var b strings.Builder
	spoken := strings.Join(words, " ")
	fmt.Fprintf(&b, "%% %s 1 \"\" \"Impasto %s\"\n\n# NAME\n\n%s - %s\n\n", strings.ToUpper(name), shortVersion(), name, manText(c.Usage))
	fmt.Fprintf(&b, "# SYNOPSIS\n\n**impasto %s** [*FLAGS*] %s\n\n", spoken, manText(c.ArgsUsage))
	if c.Description != "" {
		fmt.Fprintf(&b, "# DESCRIPTION\n\n%s\n\n", manText(c.Description))
	}
	if e, ok := examples[spoken]; ok {
		fmt.Fprintf(&b, "# EXAMPLES\n\n    %s\n    %s\n\n", e[0], e[1])
	}
	if len(c.Flags) > 0 {
		b.WriteString("# FLAGS\n\n")
	}
	for _, f := range c.Flags {
		var names []string
		for _, n := range f.Names() {
			dashes := "--"
			if len(n) == 1 {
				dashes = "-"
			}
			names = append(names, "**"+dashes+manText(n)+"**")
		}
		value, rest := placeholder(f.(cli.DocGenerationFlag).GetUsage())
		if value != "" {
			value = " *" + manText(value) + "*"
		}
		fmt.Fprintf(&b, "%s%s\n: %s\n\n", strings.Join(names, ", "), value, manText(rest))
	}
	fmt.Fprint(&b, "# SEE ALSO\n\n**impasto**(1)\n")
	return b.String()
}

// manText escapes plain text for Markdown.
func manText(text string) string {
	return strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "<", `\<`, ">", `\>`, "[", `\[`, "]", `\]`, "#", `\#`).Replace(text)
}
