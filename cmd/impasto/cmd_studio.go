package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/job"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/studio"
	"github.com/impasto/impasto/internal/ui"
)

func studioCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "studio",
		Category:  categoryPaint,
		Usage:     "paint maps and pictures in a web page",
		ArgsUsage: "[FOLDER]",
		Description: "Serves a page on this machine and opens it in the browser: draw maps of regions,\n" +
			"paint, and compare the results. Pictures are read from FOLDER (default: the current\n" +
			"one) and written there. Nothing is sent elsewhere or fetched from elsewhere.\n" +
			"Jobs wait in a queue in FOLDER/.impasto, so that closing the page or the program\n" +
			"loses nothing; --queue names another, whose workers then paint.",
		Flags: slices.Concat([]cli.Flag{
			textFlag("port", "", settings.GroupOutput, "N", "port of the page (default: one for each folder)"),
			textFlag("listen", "", settings.GroupOutput, "HOST:PORT", "serve other machines as well, at this address; needs --allow-host"),
			&cli.GenericFlag{Name: "allow-host", Category: settings.GroupOutput, Value: &words{repeats: true}, Usage: "`NAME` also answer requests to this host name, of a proxy or for --listen; may be given several times"},
			&cli.BoolFlag{Name: "no-browser", Category: settings.GroupOutput, Usage: "print the address and open no browser"},
			textFlag("device", "", settings.GroupDevice, "NAME", "device to paint on: auto, cpu or cuda:N (default: auto)"),
			textFlag("class", "", settings.GroupQueue, "CLASS", "with --queue: class of the workers that paint, cpu or gpu (default: that of --device)"),
			textFlag("threads", "", settings.GroupDevice, "N", "number of processor threads (default: all)"),
		}, withOwn(placeFlags(), textFlag("queue", "", settings.GroupQueue, "WHERE", "queue to use: nats://HOST:PORT[,...] or a folder (default: FOLDER/.impasto/queue)"))),
		Action: func(c *cli.Context) error { return openStudio(s, c) },
	})
}

func openStudio(s *session, c *cli.Context) error {
	folder, places, at, err := studioPlace(c)
	if err != nil {
		return err
	}
	dir, leave, err := farm.Claim(filepath.Join(folder, ".impasto", "work"))
	if err != nil {
		return folderFault(folder, err)
	}
	defer leave()
	listener, err := studio.Listen(folder, flagText(c, "listen"), flagText(c, "port"))
	if err != nil {
		return err
	}
	defer listener.Close()
	ctx, signals := ui.WatchSignals()
	defer signals.Stop()
	q, err := batch.Open(ctx, at)
	if err != nil {
		if busy, ok := errors.AsType[*ui.Fault](err); ok && busy.Code == "queue_busy" {
			busy.Message, busy.Try = fmt.Sprintf("%q is open in another studio; go on in its page", folder), nil
		}
		return err
	}
	defer q.Close()
	bound, release := farm.Bind(ctx, q)
	defer release()
	place := places[0]
	painter := studio.NewPainter(s.jobs, place)
	defer painter.Release()
	painter.Elsewhere = at.URL != ""
	page, err := studio.New(studio.Options{Folder: folder, Hosts: flagTexts(c, "allow-host"), Queue: q, Engine: painter, Program: software(), Log: s.workLog(),
		Link: func(token string) {
			fmt.Fprintf(s.stderr, "a used address was opened; for one more browser: %s\n", studio.Address(listener.Addr(), token))
		}})
	if err != nil {
		return folderFault(folder, err)
	}
	defer page.Close()
	address := studio.Address(listener.Addr(), page.Token())
	if err := s.tellAddress(listener.Addr(), address); err != nil {
		return err
	}
	if !c.Bool("no-browser") {
		studio.OpenBrowser(address)
	}
	serving := make(chan error, 1)
	go func() { serving <- page.Serve(bound, listener) }()
	var workers []*farm.Worker
	if at.URL == "" {
		workers = append(workers, &farm.Worker{Queue: q, Class: place.Class, Name: fmt.Sprintf("studio:%d", os.Getpid()), Dir: dir, Beat: 500 * time.Millisecond, Log: s.workLog()})
	}
	page.Run(bound, workers...)
	if q.Life().Err() != nil {
		return batch.QueueFault(context.Cause(q.Life()))
	}
	return <-serving
}

func folderFault(folder string, err error) error {
	return ui.NewFault(ui.ExitInput, "folder", fmt.Sprintf("the studio cannot use %q: %s", folder, ui.Reason(err)), "impasto studio --help")
}

// tellAddress prints the address of the page.
func (s *session) tellAddress(at net.Addr, address string) error {
	if tcp, ok := at.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		fmt.Fprintf(s.stderr, "impasto: warning: %s is open to other machines, and not encrypted\n", at)
	}
	if err := s.show(map[string]string{"type": "studio", "address": address}, address); err != nil {
		return err
	}
	s.note("the studio is open at this address, for one browser, until Ctrl-C")
	return nil
}

// studioPlace reads the folder, device and queue of a command line.
func studioPlace(c *cli.Context) (folder string, places []job.Place, at farm.Options, err error) {
	var bad ui.Faults
	folder = "."
	if c.NArg() > 0 {
		folder = ui.Home(c.Args().First())
	}
	if c.NArg() > 1 {
		bad.Add(ui.UsageFault(fmt.Sprintf("studio takes one folder, got %d", c.NArg()), "impasto studio "+ui.ShellQuote(folder)))
	}
	if folder, err = filepath.Abs(folder); err == nil {
		if st, e := os.Stat(folder); e != nil {
			bad.Add(ui.NewFault(ui.ExitInput, "not_found", fmt.Sprintf("folder %q cannot be opened: %s", folder, ui.Reason(e)), "mkdir "+ui.ShellQuote(folder)))
		} else if !st.IsDir() {
			bad.Add(ui.NewFault(ui.ExitInput, "not_found", fmt.Sprintf("%q is not a folder", folder), "impasto studio "+ui.ShellQuote(filepath.Dir(folder))))
		}
	}
	bad.Add(err)
	places, err = workplaces(c)
	bad.Add(err)
	at, err = queuePlace(c)
	bad.Add(err)
	if flagText(c, "queue") == "" && os.Getenv(batch.QueueVariable) == "" {
		at.Store, at.MustServe = filepath.Join(folder, ".impasto", "queue"), true
	}
	if at.URL == "" && at.Wait == 0 { // a worker that had a job before a crash ran on this machine, so it is gone
		at.Wait = 5 * time.Second
	}
	if text := flagText(c, "port"); text != "" {
		if n, err := strconv.Atoi(text); err != nil || n < 1 || n > 65535 {
			bad.Add(settings.BadValue("port", text, "a number from 1 to 65535"))
		}
	}
	if err := bad.Err(); err != nil {
		return "", nil, at, err
	}
	return folder, places[:1], at, nil
}
