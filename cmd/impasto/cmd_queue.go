package main

import (
	"context"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// By default, commands use a queue in this user's state directory. The process that
// opened it first is its server. With --queue they use another queue. docs/farm.md
// describes the queue for its users.

func queueCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "queue",
		Category: categoryFarm,
		Usage:    "list and change the jobs in a queue, or serve it to other machines",
		Subcommands: []*cli.Command{
			queueListCommand(s),
			queueShowCommand(s),
			queueWatchCommand(s),
			queueRetryCommand(s),
			queueCancelCommand(s),
			queueRemoveCommand(s),
			queuePruneCommand(s),
			queueFetchCommand(s),
			queueServeCommand(s),
		},
	})
}

// queueFlags are the flags of every command that uses a queue.
func queueFlags(more ...cli.Flag) []cli.Flag {
	return append(more, placeFlags()...)
}

// placeFlags are the flags that choose the queue.
func placeFlags() []cli.Flag {
	lease := textFlag("lease", "", settings.GroupQueue, "TIME", "time after which the job of a silent worker goes to another; the same for all processes at one queue (default: 30s, or 5s in batch run and studio)")
	lease.Hidden = true
	return []cli.Flag{lease,
		textFlag("queue", "", settings.GroupQueue, "WHERE", "queue to use: nats://HOST:PORT[,...] or a folder (default: ~/.local/state/impasto/queue)"),
		textFlag("token-file", "", settings.GroupQueue, "FILE", "token that queue serve wrote on the server, or NATS credentials"),
		textFlag("tls", "", settings.GroupQueue, "FOLDER", "encrypt the connection, with ca.pem, cert.pem and key.pem of this folder"),
	}
}

// withOwn replaces flags by a command's own flags with the same names.
func withOwn(flags []cli.Flag, own ...valueFlag) []cli.Flag {
	for i, f := range flags {
		if at := slices.IndexFunc(own, func(o valueFlag) bool { return o.Name == f.Names()[0] }); at >= 0 {
			flags[i] = own[at]
		}
	}
	return flags
}

// queueChoice returns which queue a command line chooses.
func queueChoice(c *cli.Context) batch.QueueChoice {
	return batch.QueueChoice{Queue: flagText(c, "queue"), TokenFile: ui.Home(flagText(c, "token-file")), TLS: ui.Home(flagText(c, "tls")),
		Lease: flagText(c, "lease"), Who: c.Command.HelpName, Warnings: c.App.ErrWriter}
}

// queuePlace returns the options of the queue that a command line names.
func queuePlace(c *cli.Context) (farm.Options, error) { return queueChoice(c).Options() }

// withQueue opens the queue that a command line names, calls do and closes it. It
// does not create a queue, because commands that list and change jobs need an
// existing one.
func (s *session) withQueue(c *cli.Context, do func(context.Context, farm.Queue) error) error {
	choice := queueChoice(c)
	o, err := choice.Options()
	if err != nil {
		return err
	}
	if err := choice.CheckStore(o); err != nil {
		return err
	}
	return atQueue(o, do)
}

// atQueue opens a queue, calls do and closes it.
func atQueue(o farm.Options, do func(context.Context, farm.Queue) error) error {
	ctx, signals := ui.WatchSignals()
	defer signals.Stop()
	q, err := batch.Open(ctx, o)
	if err == nil {
		defer q.Close()
		bound, release := farm.Bind(ctx, q)
		defer release()
		err = do(bound, q)
		if q.Life().Err() != nil {
			return batch.QueueFault(context.Cause(q.Life()))
		}
		err = batch.QueueFault(err)
	}
	if err != nil && ctx.Err() != nil {
		return signals.Fault("interrupted")
	}
	return err
}
