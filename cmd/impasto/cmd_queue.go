package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/ui"
)

// The queue that commands speak to: by default one in this user's state
// directory, whose server is whichever process opened it first; with --queue
// one elsewhere. docs/farm.md describes it for its users.

func queueCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "queue",
		Category: categoryFarm,
		Usage:    "look at the jobs of batches and change them; serve them to other machines",
		Subcommands: []*cli.Command{
			queueListCommand(s),
			queueShowCommand(s),
			queueWatchCommand(s),
			queueRetryCommand(s),
			queueCancelCommand(s),
			queueRemoveCommand(s),
			queueFetchCommand(s),
			queueServeCommand(s),
		},
	})
}

// queueFlags are those of every command that speaks to a queue.
func queueFlags(more ...cli.Flag) []cli.Flag {
	return slices.Concat(more, placeFlags(), commonFlags())
}

// placeFlags say which queue.
func placeFlags() []cli.Flag {
	lease := textFlag("lease", "", groupQueue, "TIME", "how long a worker may be silent before its job goes to another (default: 30s; batch run: 5s)")
	lease.Hidden = true
	return []cli.Flag{lease,
		textFlag("queue", "", groupQueue, "WHERE", "nats://HOST:PORT[,...] or a folder (default: the one of this user)"),
		textFlag("token-file", "", groupQueue, "FILE", "the secret of that server: its token or NATS credentials"),
	}
}

// stateDirectory is where Impasto keeps what outlives a process and is neither
// configuration nor a cache.
func stateDirectory() (string, error) {
	if dir := os.Getenv("IMPASTO_STATE"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "impasto"), nil
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		dir, err := os.UserConfigDir() // neither has a place for state alone
		return filepath.Join(dir, "impasto", "state"), err
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("there is no directory for state: neither $IMPASTO_STATE nor $HOME is set")
	}
	return filepath.Join(dir, ".local", "state", "impasto"), nil
}

// queueStore is the folder of a queue on this machine; "" is that of this user.
func queueStore(where string) (string, error) {
	if where != "" {
		return filepath.Abs(ui.Home(where))
	}
	dir, err := stateDirectory()
	return filepath.Join(dir, "queue"), err
}

// readLease reads --lease, which every process at one queue must agree about.
func readLease(c *cli.Context, o *farm.Options) (err error) {
	text := flagText(c, "lease")
	if text == "" {
		return nil
	}
	if o.Wait, err = time.ParseDuration(text); err != nil || o.Wait < leastLease {
		return badValue("lease", text, "a time from 2s")
	}
	return nil
}

// leastLease leaves a worker two beats.
const leastLease = 2 * time.Second

// queuePlace is what --queue, IMPASTO_QUEUE and --token-file name.
func queuePlace(c *cli.Context) (farm.Options, error) {
	where := either(flagText(c, "queue"), os.Getenv("IMPASTO_QUEUE"))
	o := farm.Options{Who: "impasto " + c.Command.FullName()}
	if err := readLease(c, &o); err != nil {
		return o, err
	}
	own, err := ownJobs()
	if err != nil {
		return o, err
	}
	o.Own = own
	file := ui.Home(flagText(c, "token-file"))
	if !strings.Contains(where, "://") {
		if file != "" {
			return o, ui.UsageFault("--token-file is of a server elsewhere; --queue does not name one", "--queue nats://HOST:4222 --token-file "+file)
		}
		o.Store, err = queueStore(where)
		return o, err
	}
	var servers []string
	for one := range strings.SplitSeq(where, ",") {
		u, err := url.Parse(one)
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
			return o, badValue("queue", where, "nats://HOST:PORT or a folder")
		}
		if u.Port() == "" {
			u.Host = net.JoinHostPort(u.Hostname(), "4222")
		}
		servers = append(servers, u.String())
	}
	o.URL = strings.Join(servers, ",")
	if file != "" {
		o.Secret, err = readToken(c, file)
	}
	return o, err
}

func openFarm(ctx context.Context, o farm.Options) (farm.Queue, error) {
	q, err := farm.Open(ctx, o)
	var file *fs.PathError
	var full *farm.FullError
	if errors.As(err, &full) {
		return nil, queueFault(err)
	}
	if o.Store != "" && errors.As(err, &file) {
		return nil, ui.NewFault(ui.ExitQueue, "queue_store", fmt.Sprintf("the queue %q cannot be opened: %s: %v", o.Store, file.Path, file.Err), "--queue FOLDER   (another queue)", "IMPASTO_STATE=FOLDER   (another place for it)")
	}
	return q, queueFault(err)
}

// queueFault gives an error of the queue its exit code and ways out; nil stays
// nil.
func queueFault(err error) error {
	var busy *farm.BusyError
	var away *farm.UnreachableError
	var ended *farm.EndedError
	var full *farm.FullError
	var taken *farm.TakenError
	switch {
	case errors.As(err, &full):
		return ui.NewFault(ui.ExitOutput, "disk_full", full.Error(), "make room there, then the same command again", "IMPASTO_STATE=FOLDER   (on another disk)")
	case errors.As(err, &taken):
		return ui.NewFault(ui.ExitQueue, "queue_taken", taken.Error(), "the same command again, once no other process uses the queue")
	case errors.As(err, &busy):
		return ui.NewFault(ui.ExitQueue, "queue_busy", busy.Error(), "wait until it has ended", "--queue nats://HOST:PORT", "--queue FOLDER   (another queue)")
	case errors.As(err, &away):
		return ui.NewFault(ui.ExitQueue, "queue_unreachable", away.Error(), "impasto queue serve   (on that machine)", "--token-file FILE, if the server wants its secret")
	case errors.As(err, &ended):
		return ui.NewFault(ui.ExitUsage, "job_state", ended.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return ui.NewFault(ui.ExitQueue, "queue_unreachable", "the queue does not answer", "impasto doctor")
	}
	return err
}

// withQueue opens the queue a command line names, calls do and closes it.
func (s *session) withQueue(c *cli.Context, do func(context.Context, farm.Queue) error) error {
	o, err := queuePlace(c)
	if err != nil {
		return err
	}
	return atQueue(o, do)
}

// atQueue opens a queue, calls do and closes it.
func atQueue(o farm.Options, do func(context.Context, farm.Queue) error) error {
	ctx, signals := ui.WatchSignals()
	defer signals.Stop()
	q, err := openFarm(ctx, o)
	if err == nil {
		defer q.Close()
		bound, release := farm.Bind(ctx, q)
		defer release()
		err = do(bound, q)
		if q.Life().Err() != nil {
			return queueFault(context.Cause(q.Life()))
		}
		err = queueFault(err)
	}
	if err != nil && ctx.Err() != nil {
		return signals.Fault("interrupted")
	}
	return err
}
