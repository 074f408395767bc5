package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"runtime"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/device"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/job"
	"github.com/impasto/impasto/internal/metrics"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

func workerCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "worker",
		Category: categoryFarm,
		Usage:    "take jobs from a queue and paint them, until Ctrl-C",
		Description: "A worker takes one job at a time on each device. On Ctrl-C or SIGTERM it takes no\n" +
			"more jobs, saves a checkpoint of its job and returns the job to the queue, where\n" +
			"another worker continues it. A second signal ends the worker at once; the job is\n" +
			"then continued from the checkpoint before.\n" +
			"--metrics serves Prometheus text on /metrics, and /healthz.",
		Flags: queueFlags(append(append(workFlags(), limitFlags()...),
			textFlag("metrics", "", settings.GroupQueue, "HOST:PORT", "address to serve /metrics and /healthz on"),
			&cli.BoolFlag{Name: "until-empty", Usage: "end when no job is queued or running", Category: settings.GroupQueue})...),
		Action: func(c *cli.Context) error { return runWorker(s, c) },
	})
}

// workFlags are the flags that choose the devices for jobs.
func workFlags() []cli.Flag {
	return []cli.Flag{
		textFlag("device", "", settings.GroupDevice, "NAME", "device to paint on: cpu, cuda:N or auto, all CUDA devices (default: auto)"),
		textFlag("class", "", settings.GroupQueue, "CLASS", "class of jobs to take: cpu or gpu (default: the device's)"),
		textFlag("workers", "", settings.GroupDevice, "N", "number of jobs painted at once on the CPU; a CUDA device paints one (default: 1)"),
		textFlag("threads", "", settings.GroupDevice, "N", "CPU threads, shared by all workers (default: all)"),
	}
}

// workplaces returns the places for --device, --class, --workers and --threads.
func workplaces(c *cli.Context) ([]job.Place, error) {
	var bad ui.Faults
	number := func(name string, fallback int) int {
		text := flagText(c, name)
		if text == "" {
			return fallback
		}
		n := 0
		if _, err := fmt.Sscanf(text, "%d", &n); err != nil || n < 1 || fmt.Sprint(n) != text {
			bad.Add(settings.BadValue(name, text, "a whole number from 1"))
			return fallback
		}
		return n
	}
	workers, threads := number("workers", 1), number("threads", runtime.GOMAXPROCS(0))
	class := flagText(c, "class")
	bad.Add(checkClass(c))
	name := flagText(c, "device")
	bad.Add(device.Check(name))
	if len(bad) > 0 {
		return nil, bad
	}
	return job.Places(name, class, workers, threads), nil
}

// checkClass checks --class.
func checkClass(c *cli.Context) error {
	switch class := flagText(c, "class"); class {
	case "", farm.ClassCPU, farm.ClassGPU:
		return nil
	default:
		return ui.UsageFault(fmt.Sprintf("--class %q is neither cpu nor gpu", class))
	}
}

// workLog returns the log of workers. With -v it shows what they do, otherwise only
// what goes wrong.
func (s *session) workLog() *slog.Logger {
	level := slog.LevelWarn
	switch {
	case s.json || s.quiet:
		return nil
	case s.verbose > 0:
		level = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(s.stderr, &slog.HandlerOptions{Level: level}))
}

// emptyFor is how long a worker with --until-empty waits before it checks whether
// others still have jobs, because those may return to the queue.
const emptyFor = 2 * time.Second

func runWorker(s *session, c *cli.Context) error {
	var bad ui.Faults
	if c.NArg() > 0 {
		bad.Add(ui.UsageFault(fmt.Sprintf("worker takes no argument, got %q", c.Args().First()), "impasto batch submit "+c.Args().First()))
	}
	places, err := workplaces(c)
	bad.Add(err)
	at, err := queuePlace(c)
	bad.Add(err)
	limits := readLimits(c, &bad)
	if len(bad) > 0 {
		return bad
	}
	job.SharePrice(places, func(string) float64 { return limits.Price })
	leave, err := job.Claim(places)
	if err != nil {
		return err
	}
	defer leave()
	m, err := metrics.New(flagText(c, "metrics"))
	if err != nil {
		return err
	}
	defer m.Close()
	at.Patience = farm.LongPatience // machines of a farm may start in any order
	at.Waiting = func(err error) {
		s.note("%v; asking again for %s, or until Ctrl-C", err, progress.Span(at.Patience))
	}
	err = atQueue(at, func(ctx context.Context, q farm.Queue) error {
		counted := m.Found(q)
		s.note("working on %s%s", job.Describe(places), m.Address())
		o := job.Options{Env: s.jobs, Log: s.workLog(), Ended: func(st farm.Status) {
			m.Ended(st)
			s.printAttempt(st)
		}}
		o.IdleLimit = limits.Idle
		if c.Bool("until-empty") {
			o.IdleLimit = emptyFor
		}
		ctx, release := limits.Bind(ctx, func(text string) { s.note("%s", text) })
		defer release()
		for {
			w := job.Start(counted, places, o)
			finished := make(chan struct{})
			go func() { w.Wait(); close(finished) }()
			select {
			case <-ctx.Done():
				if q.Life().Err() == nil {
					s.note("stopping: what is being painted is saved and given back; again to end at once")
				}
				w.Stop()
				<-finished
				return nil
			case <-finished: // no job has come for a while
			}
			if !c.Bool("until-empty") {
				return nil // it was idle for the longest time allowed
			}
			if left, err := batch.Unfinished(ctx, q, job.Classes(places)...); err != nil || left == 0 {
				return err
			}
		}
	})
	if f, ok := errors.AsType[*ui.Fault](err); ok && (f.Exit == ui.ExitInterrupted || f.Exit == ui.ExitTerminated) {
		return nil // it was stopped before it found the queue, or while it had no job
	}
	return err
}

func limitFlags() []cli.Flag {
	return []cli.Flag{
		textFlag("notice", "", settings.GroupQueue, "URL", "cloud's metadata address: stop when it says that this machine will go"),
		textFlag("max-idle", "", settings.GroupQueue, "TIME", "end after this long without a job: 10m"),
		textFlag("price", "", settings.GroupQueue, "MONEY/h", "price of an hour of this machine, shared by its workers: 1.20/h"),
		textFlag("max-cost", "", settings.GroupQueue, "MONEY", "stop once this has been spent since the start, by --price"),
	}
}

// readLimits reads limitFlags.
func readLimits(c *cli.Context, bad *ui.Faults) (l job.Limits) {
	l.Notice = flagText(c, "notice")
	if u, err := url.Parse(l.Notice); l.Notice != "" && (err != nil || u.Scheme != "http" || u.Host == "") {
		bad.Add(settings.BadValue("notice", l.Notice, "an address http://HOST/PATH"))
	}
	if text := flagText(c, "max-idle"); text != "" {
		var err error
		if l.Idle, err = time.ParseDuration(text); err != nil || l.Idle < time.Second {
			bad.Add(settings.BadValue("max-idle", text, "a time from 1s"))
		}
	}
	l.Price, l.Most = money(c, "price", "/h", "1.20/h", bad), money(c, "max-cost", "", "1.20", bad)
	if l.Most > 0 && flagText(c, "price") == "" {
		bad.Add(ui.UsageFault("--max-cost needs the price of an hour", "--price 1.20/h --max-cost "+flagText(c, "max-cost")))
	}
	return l
}

// printAttempt prints how an attempt ended.
func (s *session) printAttempt(st farm.Status) {
	switch {
	case s.json:
		_ = writeJSON(s.stdout, struct {
			Type string `json:"type"`
			batch.View
		}{"job", batch.ViewOf(st)})
	case !s.quiet || st.State == farm.Failed:
		text := fmt.Sprintf("%s %q %s", st.Job.ID, st.Job.Name, st.State)
		switch {
		case st.State == farm.Done:
			text += " in " + progress.Seconds(st.Seconds)
		case st.State == farm.Queued && st.Error == "":
			text += ": given back"
		case st.Error != "":
			text += ": " + batch.FirstLine(st.Error)
		}
		fmt.Fprintf(s.stderr, "%s %s\n", time.Now().Format(time.TimeOnly), text)
	}
}
