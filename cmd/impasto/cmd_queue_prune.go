package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func queuePruneCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:  "prune",
		Usage: "delete jobs that ended before a given time, and their files in the queue",
		Flags: queueFlags(
			textFlag("older", "", settings.GroupQueue, "TIME", "delete jobs that ended longer ago than this: 30d, 12h or 45m; required"),
			&cli.BoolFlag{Name: "keep-failed", Usage: "keep jobs that failed", Category: settings.GroupQueue}),
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return ui.UsageFault(fmt.Sprintf("queue prune takes no argument, got %q", c.Args().First()), "impasto queue rm "+ui.ShellQuote(c.Args().First()))
			}
			if flagText(c, "older") == "" {
				return ui.UsageFault("queue prune needs --older", "impasto queue prune --older 30d --keep-failed")
			}
			older, ok := parseAge(flagText(c, "older"))
			if !ok {
				return settings.BadValue("older", flagText(c, "older"), "a time such as 30d, 12h or 45m")
			}
			return s.withQueue(c, func(ctx context.Context, q farm.Queue) error {
				n, err := farm.Prune(ctx, q, time.Now().Add(-older), c.Bool("keep-failed"))
				if err != nil {
					return err
				}
				return s.changed("deleted", n, n)
			})
		},
	}
}

var days = regexp.MustCompile(`^([0-9]{1,5})d$`)

// parseAge reads a time in days, or in Go's form.
func parseAge(text string) (time.Duration, bool) {
	if m := days.FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		return time.Duration(n) * 24 * time.Hour, err == nil
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d >= 0
}
