package main

import (
	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/ui"
)

// newApp lists the commands: first those that paint one picture, then the others,
// with one line here and one file for each.
func newApp(s *session) *cli.App {
	return &cli.App{
		Name:  "impasto",
		Usage: "turns pictures into paintings",
		Commands: append(paintCommands(s),
			videoCommand(s),
			demoCommand(s),
			studioCommand(s),
			samplesCommand(s),
			mapCommand(s),
			replayCommand(s),
			recipeCommand(s),
			compareCommand(s),
			batchCommand(s),
			schemaCommand(s),
			queueCommand(s),
			workerCommand(s),
			weightsCommand(s),
			devicesCommand(s),
			doctorCommand(s),
			benchCommand(s),
			configCommand(s),
			completionCommand(s),
			manCommand(s),
			versionCommand(s),
		),
		Writer:    s.stdout,
		ErrWriter: s.stderr,
		Reader:    s.stdin,
		// The front end and internal/ui do these things instead.
		HideHelp:                  true,
		HideVersion:               true,
		DisableSliceFlagSeparator: true,
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              usageError,
	}
}

// These are the categories of commands, in the order of help.
const (
	categoryPaint   = "Paint"
	categoryPicture = "Look into pictures"
	categoryFarm    = "Many pictures"
	categorySetup   = "Set up"
)

// command sets the fields that all commands have in common.
func command(c *cli.Command) *cli.Command {
	c.HideHelp = true
	c.OnUsageError = usageError
	if len(c.Subcommands) == 0 && !flagSet(c.Flags).has("json") {
		c.Flags = append(c.Flags, commonFlags()...)
	}
	for _, sub := range c.Subcommands {
		command(sub)
	}
	return c
}

// usageError is called only if urfave/cli refuses what the front end passed.
func usageError(_ *cli.Context, err error, _ bool) error { return ui.UsageFault(err.Error()) }
