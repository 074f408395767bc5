package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func queueServeCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "serve the queue to workers on other machines, until Ctrl-C",
		Description: "--queue is the folder of the queue to serve. The token that lets in workers is written to\n" +
			"--token-file; without it, the token is in the folder of the queue.",
		// The queue flags name the place of the queue and the credentials that
		// others need.
		Flags: withOwn(queueFlags(textFlag("listen", "", settings.GroupQueue, "HOST:PORT", "address to listen on for workers (default: 127.0.0.1:4222)")),
			textFlag("queue", "", settings.GroupQueue, "FOLDER", "folder of the queue to serve (default: ~/.local/state/impasto/queue)"),
			textFlag("token-file", "", settings.GroupQueue, "FILE", "file to write the token to, to be copied to the workers"),
			textFlag("tls", "", settings.GroupQueue, "FOLDER", "encrypt connections, with cert.pem and key.pem of this folder; with ca.pem, let in only its certificates")),
		Action: func(c *cli.Context) error { return queueServe(s, c) },
	}
}

func queueServe(s *session, c *cli.Context) error {
	if c.NArg() > 0 {
		return ui.UsageFault(fmt.Sprintf("queue serve takes no argument, got %q", c.Args().First()), "impasto queue serve --help   (--listen says where)")
	}
	listen := cmp.Or(flagText(c, "listen"), "127.0.0.1:4222")
	host, port, err := net.SplitHostPort(listen)
	if err != nil || port == "" {
		return settings.BadValue("listen", listen, "HOST:PORT, such as 0.0.0.0:4222")
	}
	choice := queueChoice(c)
	o, err := choice.Served()
	if err != nil {
		return err
	}
	o.Listen, o.MustServe = net.JoinHostPort(host, port), true
	if l, err := net.Listen("tcp", o.Listen); err != nil { // the server would only report that it does not start
		return ui.NewFault(ui.ExitQueue, "listen", fmt.Sprintf("%s cannot be listened on: %s", o.Listen, ui.ListenReason(err)), "--listen "+net.JoinHostPort(host, "0"))
	} else {
		l.Close()
	}
	ctx, signals := ui.WatchSignals()
	defer signals.Stop()
	q, err := batch.Open(ctx, o)
	if err != nil {
		return err
	}
	defer q.Close()
	at, err := farm.Reach(o.Store)
	if err != nil {
		return err
	}
	u, err := url.Parse(at)
	if err != nil {
		return err
	}
	secret := u.User.Username()
	u.User = nil
	file := choice.TokenFile
	if file != "" {
		if err := choice.WriteToken(secret); err != nil {
			return err
		}
	}
	if err := s.facts(map[string]any{"type": "start", "url": u.String(), "store": o.Store, "token_file": file}); err != nil {
		return err
	}
	s.note("serving %s on %s", o.Store, u)
	file = cmp.Or(file, o.Store+string(os.PathSeparator)+"token")
	s.note("workers: impasto worker --queue nats://%s --token-file FILE%s   (FILE: a copy of %s)", seenFrom(host, u.Port()), tlsHint(o.TLS), file)
	select {
	case <-ctx.Done():
	case <-q.Life().Done():
		return batch.QueueFault(context.Cause(q.Life()))
	}
	s.note("closing the queue; jobs wait for the next server")
	return nil
}

// tlsHint returns what users type to start workers for a server with certificates.
func tlsHint(folder string) string {
	if folder == "" {
		return ""
	}
	return " --tls FOLDER"
}

// seenFrom returns the address in the form that another machine uses.
func seenFrom(host, port string) string {
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "HOST"
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	return net.JoinHostPort(host, port)
}
