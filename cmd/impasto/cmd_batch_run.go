package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/job"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func batchRunCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "paint all jobs of a manifest on this machine",
		ArgsUsage: "MANIFEST",
		Description: "The jobs wait in a queue on disk, so that after Ctrl-C, a crash or a power cut\n" +
			"the same command does only what is missing, each picture from its checkpoint.\n" +
			"Ends with 3 if some jobs failed; the others are painted all the same.",
		Flags: queueFlags(append(workFlags(),
			textFlag("progress", "", settings.GroupQueue, "KIND", "form of progress messages: auto, bar, plain, json or none (default: auto)"),
			priceFlag("price of an hour of this machine, shared by its workers: 1.20/h (default: the manifest's)"),
			budgetFlag("start no more jobs once they cost this much (default: the manifest's)"),
			textFlag("report", "", settings.GroupOutput, "FILE", "file for the report of the batch (default: report.json beside the results)"),
			&cli.BoolFlag{Name: "y", Usage: "replace files at the outputs that are not results of this batch", Category: settings.GroupOutput})...),
		Action: func(c *cli.Context) error { return batchRun(s, c) },
	}
}

func batchRun(s *session, c *cli.Context) error {
	var bad ui.Faults
	places, err := workplaces(c)
	bad.Add(err)
	bad.Add(checkProgress(c))
	o, err := queuePlace(c)
	bad.Add(err)
	if o.URL != "" {
		bad.Add(ui.UsageFault("batch run paints on this machine; --queue names another", "impasto batch submit "+ui.ShellQuote(c.Args().First())+" --wait --queue "+flagText(c, "queue")))
	}
	built, err := s.readBatch(c)
	bad.Add(err)
	if len(bad) > 0 {
		return bad
	}
	b := &built.Batch
	places, added := job.AddClasses(places, b.Jobs)
	job.SharePrice(places, b.Terms.Price)
	leave, err := job.Claim(places)
	if err != nil {
		return err
	}
	defer leave()
	// It runs its own server, because the server of another process would end with
	// that process.
	o.MustServe = true
	if o.Wait == 0 { // a worker that had a job before a crash ran on this machine, so it is gone
		o.Wait = 5 * time.Second
	}
	ctx, signals := ui.WatchSignals()
	defer signals.Stop()
	q, err := batch.Open(ctx, o)
	if err != nil {
		if busy, ok := errors.AsType[*ui.Fault](err); ok && busy.Code == "queue_busy" {
			busy.Try = []string{fmt.Sprintf("impasto batch submit %s --wait   (the workers there do it)", ui.ShellQuote(c.Args().First())), "--queue queue   (another queue, in this directory)"}
		}
		return err
	}
	defer q.Close()
	bound, release := farm.Bind(ctx, q)
	defer release()
	r := s.newBatchReporter(flagText(c, "progress"))
	defer r.Close()
	for _, class := range added {
		r.Event("warning", fmt.Sprintf("jobs of class %s are done here as well", class), nil)
	}
	e, err := batch.Submit(bound, q, b.Jobs, c.Bool("y"))
	if err != nil {
		return batch.QueueFault(err)
	}
	if n, err := e.Others(bound, q); err == nil && n > 0 {
		r.Event("warning", fmt.Sprintf("the queue also holds %s of other batches, which are done too", ui.Count(n, "unfinished job")), nil)
	}
	workers := job.Start(q, places, job.Options{Env: s.jobs, Log: s.workLog()})
	err = b.Follow(bound, q, e, r, s.followOptions(c))
	workers.Stop()
	workers.Wait()
	if q.Life().Err() != nil {
		r.Close()
		return batch.QueueFault(context.Cause(q.Life()))
	}
	if ctx.Err() == nil {
		return batch.QueueFault(err)
	}
	r.Close()
	f := signals.Fault(e.Interrupted(q))
	f.Try = []string{fmt.Sprintf("impasto batch run %s   (does what is missing)", ui.ShellQuote(c.Args().First()))}
	return f
}
