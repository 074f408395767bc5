// Command impasto turns pictures into paintings.
//
// This file is the only one that ends the process. A command line is read by
// the front end (argv.go) and run by urfave/cli (app.go). Every error comes back
// here with an exit code (internal/ui).
package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/job"
	"github.com/impasto/impasto/internal/render"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func main() {
	os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// session is the environment of a command: its streams, and the flags that every
// command has.
type session struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	json, quiet    bool
	verbose        int
	args           []string   // the command line as given
	jobs           render.Env // the environment of a queue's jobs in this process
}

// note prints a line for a person on standard error, unless --quiet or --json is
// set.
func (s *session) note(format string, a ...any) {
	if !s.quiet && !s.json {
		fmt.Fprintf(s.stderr, format+"\n", a...)
	}
}

// run runs one command line and returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	out := ui.NewOutput(stdout)
	code := (&session{stdin: stdin, stdout: out, stderr: stderr, args: args, jobs: job.NewEnv(shortVersion())}).run()
	if f := out.Fault(); f != nil && code != ui.ExitOutput {
		return ui.Report(stdout, stderr, false, f)
	}
	return code
}

func (s *session) run() int {
	args, stdout, stderr := s.args, s.stdout, s.stderr
	app := newApp(s)
	if n := len(args); n > 1 && args[n-1] == completionFlag {
		complete(stdout, app, args[1:n-1])
		return ui.ExitOK
	}
	l, bad := readLine(app, args[1:])
	s.json, s.quiet = l.has("json"), l.has("quiet")
	for _, f := range l.flags {
		if f == "--verbose" {
			s.verbose++
		}
	}
	for _, n := range l.notes {
		s.note("impasto: note: %s", ui.Printable(n))
	}
	isFlag := func(name string) bool { return len(flagOwners(app, name)) > 0 }
	for _, w := range settings.Unread(os.Environ(), isFlag) {
		s.note("impasto: warning: %s", ui.Printable(w))
	}
	if l.help {
		printHelp(stdout, app, l)
		return ui.ExitOK
	}
	if len(bad) > 0 {
		return ui.Report(stdout, stderr, s.json, s.completed(bad))
	}
	switch {
	case l.version:
		l.path = []string{"version"}
	case l.cmd == nil:
		printFirstScreen(s)
		return ui.ExitOK
	case len(l.cmd.Subcommands) > 0:
		printHelp(stdout, app, l)
		return ui.ExitOK
	}
	// urfave/cli sets up all commands of an app before it runs one, so the others
	// are removed.
	app.Commands = slices.DeleteFunc(app.Commands, func(c *cli.Command) bool { return c.Name != l.path[0] })
	err := app.Run(l.argv(args[0]))
	if err != nil && s.verbose > 1 && !s.json {
		fmt.Fprintf(stderr, "impasto: reason: %s\n", ui.Printable(strings.Join(ui.Reasons(err), " < ")))
	}
	return ui.Report(stdout, stderr, s.json, s.completed(err))
}
