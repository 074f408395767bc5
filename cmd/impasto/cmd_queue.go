package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// The queue that commands speak to: by default one in this user's state
// directory, whose server is whichever process opened it first; with --queue
// one elsewhere. docs/farm.md describes it for its users.

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
	return slices.Concat(more, placeFlags(), commonFlags())
}

// placeFlags say which queue.
func placeFlags() []cli.Flag {
	lease := textFlag("lease", "", settings.GroupQueue, "TIME", "time after which the job of a silent worker goes to another; the same for all processes at one queue (default: 30s, or 5s in batch run and studio)")
	lease.Hidden = true
	return []cli.Flag{lease,
		textFlag("queue", "", settings.GroupQueue, "WHERE", "queue to use: nats://HOST:PORT[,...] or a folder (default: ~/.local/state/impasto/queue)"),
		textFlag("token-file", "", settings.GroupQueue, "FILE", "token that queue serve wrote on the server, or NATS credentials"),
		textFlag("tls", "", settings.GroupQueue, "FOLDER", "encrypt the connection, with ca.pem, cert.pem and key.pem of this folder"),
	}
}

// readLease reads --lease, which every process at one queue must agree about.
func readLease(c *cli.Context, o *farm.Options) (err error) {
	text := flagText(c, "lease")
	if text == "" {
		return nil
	}
	if o.Wait, err = time.ParseDuration(text); err != nil || o.Wait < leastLease {
		return settings.BadValue("lease", text, "a time from 2s")
	}
	return nil
}

// leastLease leaves a worker two beats.
const leastLease = 2 * time.Second

// queueVariable names the queue where --queue does not.
const queueVariable = "IMPASTO_QUEUE"

// badQueue is the fault of a queue's name, with where it was said.
func badQueue(c *cli.Context, want string) error {
	if text := flagText(c, "queue"); text != "" {
		return settings.BadValue("queue", text, want)
	}
	return ui.UsageFault(fmt.Sprintf("%s takes %s, got %q", queueVariable, want, os.Getenv(queueVariable)), "unset "+queueVariable)
}

// hostAndPort is an address without its "nats://", which would be taken for a folder.
var hostAndPort = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*:[0-9]{2,5}$`)

// queuePlace is what --queue, IMPASTO_QUEUE and --token-file name.
func queuePlace(c *cli.Context) (farm.Options, error) {
	where := cmp.Or(flagText(c, "queue"), os.Getenv(queueVariable))
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
	if hostAndPort.MatchString(where) {
		if _, err := os.Stat(where); err != nil {
			f := ui.FaultsOf(badQueue(c, "nats://HOST:PORT or a folder"))[0]
			f.Try = []string{"--queue nats://" + where}
			return o, f
		}
	}
	if !strings.Contains(where, "://") {
		if file != "" {
			return o, ui.UsageFault("--token-file is of a server elsewhere; --queue does not name one", "impasto queue serve --help   (makes such a server)")
		}
		if flagText(c, "tls") != "" {
			return o, ui.UsageFault("--tls is for a server elsewhere; --queue does not name one", "impasto queue serve --help   (makes such a server)")
		}
		o.Store, err = batch.StoreFolder(where)
		return o, err
	}
	var servers []string
	for one := range strings.SplitSeq(where, ",") {
		u, err := url.Parse(one)
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
			return o, badQueue(c, "nats://HOST:PORT or a folder")
		}
		if u.Port() == "" {
			u.Host = net.JoinHostPort(u.Hostname(), "4222")
		}
		servers = append(servers, u.String())
	}
	o.URL, o.TLS = strings.Join(servers, ","), ui.Home(flagText(c, "tls"))
	if file != "" {
		o.Secret, err = readToken(c, file)
	}
	return o, err
}

// withQueue opens the queue a command line names, calls do and closes it. The
// queue is there already: what lists and changes jobs makes none.
func (s *session) withQueue(c *cli.Context, do func(context.Context, farm.Queue) error) error {
	o, err := queuePlace(c)
	if err == nil {
		err = noQueue(c, o)
	}
	if err != nil {
		return err
	}
	return atQueue(o, do)
}

// noQueue is the fault of naming a folder that holds no queue. This user's own
// queue, which no name stands for, is empty until the first batch.
func noQueue(c *cli.Context, o farm.Options) error {
	named := flagText(c, "queue")
	where := cmp.Or(named, os.Getenv(queueVariable))
	if o.Store == "" || where == "" || farm.IsStore(o.Store) {
		return nil
	}
	makes := "impasto batch submit --help   (makes a queue)"
	if named == "" {
		return ui.NewFault(ui.ExitQueue, "no_queue", fmt.Sprintf("there is no queue in the folder %q, which %s names", o.Store, queueVariable), "unset "+queueVariable, makes)
	}
	var hints []string
	if near := ui.Nearest(filepath.Base(o.Store), farm.StoresIn(filepath.Dir(o.Store))); near != "" {
		hints = append(hints, "--queue "+ui.ShellQuote(filepath.Join(filepath.Dir(where), near)))
	}
	return ui.NewFault(ui.ExitQueue, "no_queue", fmt.Sprintf("there is no queue in the folder %q", where), append(hints, "impasto queue ls   (this user's queue)", makes)...)
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
