package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/progress"
	"github.com/impasto/impasto/internal/ui"
)

func batchSubmitCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "submit",
		Usage:     "put the jobs of a manifest into a queue, for workers to do",
		ArgsUsage: "MANIFEST",
		Flags: queueFlags(
			&cli.BoolFlag{Name: "wait", Usage: "wait until all have ended, and write their results", Category: groupQueue},
			textFlag("progress", "", groupQueue, "KIND", "auto, bar, plain, json, none"),
			textFlag("class", "", groupQueue, "CLASS", "of workers that are to do them: cpu or gpu (default: this machine's)"),
			textFlag("report", "", groupOutput, "FILE", "with --wait: the report (default: report.json beside the results)"),
			&cli.BoolFlag{Name: "y", Usage: "replace results that exist and are something else", Category: groupOutput},
		),
		Action: func(c *cli.Context) error { return batchSubmit(s, c) },
	}
}

func batchSubmit(s *session, c *cli.Context) error {
	b, err := s.readBatch(c)
	if err != nil {
		return err
	}
	var bad ui.Faults
	bad.Add(checkProgress(c))
	bad.Add(checkClass(c))
	o, err := queuePlace(c)
	bad.Add(err)
	if len(bad) > 0 {
		return bad
	}
	return s.withQueue(c, func(ctx context.Context, q farm.Queue) error {
		if o.URL != "" { // its workers may not see these files
			if _, err := farm.Upload(ctx, q, b.jobs); err != nil {
				return err
			}
		}
		e, err := enlist(ctx, q, b.jobs, c.Bool("y"))
		if err != nil {
			return err
		}
		if !c.Bool("wait") {
			if s.json {
				return writeJSON(s.stdout, map[string]any{"type": "result", "batch": b.name, "jobs": e.ids(),
					"submitted": e.submitted, "again": e.again, "waiting": e.waiting, "done": e.done})
			}
			if !s.quiet {
				fmt.Fprintf(s.stderr, "%s: %s\n", b.name, e)
			}
			return nil
		}
		r := s.newBatchReporter(flagText(c, "progress"))
		defer r.Close()
		return s.followBatch(ctx, c, q, b, e, r)
	})
}

// followBatch waits for the jobs of a batch, writes their results as they come
// and tells how it ended.
func (s *session) followBatch(ctx context.Context, c *cli.Context, q farm.Queue, b *batch, e *enlisted, r progress.BatchReporter) error {
	r.Start(fmt.Sprintf("%s: %s", b.name, e), map[string]any{"batch": b.name, "jobs": len(e.list)})
	f := newFollow(r, e.list)
	f.weights = b.seconds
	f.collect = func(ctx context.Context, st farm.Status) error {
		_, err := collect(ctx, q, st, c.Bool("y") || replaces(st.Job))
		return err
	}
	if err := f.run(ctx, q); err != nil {
		return err
	}
	return s.endBatch(c, b, e, f, r)
}

// enlisted says what became of the jobs of a manifest in the queue.
type enlisted struct {
	list                            []farm.Status // all that are followed
	submitted, again, waiting, done int
	skipped                         []farm.Status // not followed: their outputs are there, and are to be left alone
}

// skipped is the state of a job in reports that was left alone.
const skipped farm.State = "skipped"

func (e *enlisted) skip(j farm.Job) {
	e.skipped = append(e.skipped, farm.Status{Job: j, State: skipped})
}

func (e *enlisted) ids() []string {
	ids := make([]string, len(e.list))
	for i, st := range e.list {
		ids[i] = st.Job.ID
	}
	return ids
}

func (e *enlisted) String() string {
	parts := []string{}
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(e.submitted, "new")
	add(e.again, "again")
	add(e.waiting, "in the queue already")
	add(e.done, "done before")
	add(len(e.skipped), "left alone, for their outputs exist")
	return ui.Count(len(e.list)+len(e.skipped), "job") + ": " + strings.Join(parts, ", ")
}

// enlist brings jobs into the queue: those that are not there, and anew those
// that failed, were cancelled, or whose results are gone. Outputs that exist
// and are something else are faults, told together before anything starts.
func enlist(ctx context.Context, q farm.Queue, jobs []farm.Job, replace bool) (*enlisted, error) {
	known, err := knownOf(ctx, q, jobs)
	if err != nil {
		return nil, err
	}
	removeHalves(jobs)
	e := &enlisted{}
	var bad ui.Faults
	var fresh, waiting []farm.Job
	var again []string
	for _, j := range jobs {
		st, there := known[j.ID]
		exist := existing(j)
		leave := len(exist) == len(j.Outputs) && len(exist) > 0 && overwriteRule(j) == "skip"
		if !there || st.State.Ended() && st.State != farm.Done {
			switch {
			case leave:
				e.skip(j)
				continue
			case len(exist) > 0 && !replace && !replaces(j):
				bad.Add(ui.NewFault(ui.ExitOutput, "exists", fmt.Sprintf("%q exists", exist[0]), "-y   (replaces it)", "overwrite: skip   (in the manifest, to leave it alone)"))
				continue
			}
		}
		switch {
		case !there:
			fresh = append(fresh, j)
			st = farm.Status{Job: j, State: farm.Queued}
			e.submitted++
		case st.State == farm.Done:
			_, err := farm.Collect(ctx, q, st, replace || replaces(j))
			switch {
			case errors.Is(err, fs.ErrNotExist): // its result was thrown away
				again = append(again, j.ID)
				st.State = farm.Queued
				e.again++
			case err != nil && leave: // they are something else
				e.skip(j)
				continue
			case err != nil:
				bad.Add(collectFault(err, st))
			default:
				e.done++
			}
		case st.State.Ended():
			again = append(again, j.ID)
			st.State = farm.Queued
			e.again++
		default:
			waiting = append(waiting, j)
			e.waiting++
		}
		e.list = append(e.list, st)
	}
	if len(bad) > 0 {
		return nil, bad
	}
	for _, id := range again {
		if err := q.Retry(ctx, id); err != nil {
			return nil, err
		}
	}
	if _, err = q.Submit(ctx, waiting...); err != nil { // whose messages may have been lost
		return nil, err
	}
	_, err = q.Submit(ctx, neighbours(fresh)...)
	return e, err
}

// knownOf is how those of the jobs stand that the queue knows. A few are asked
// for one by one, as the shots of a film come: the queue may hold thousands.
func knownOf(ctx context.Context, q farm.Queue, jobs []farm.Job) (map[string]farm.Status, error) {
	known := map[string]farm.Status{}
	if len(jobs) > 8 {
		list, err := q.List(ctx, farm.Filter{})
		for _, st := range list {
			known[st.Job.ID] = st
		}
		return known, err
	}
	for _, j := range jobs {
		switch st, err := q.Status(ctx, j.ID); {
		case err == nil:
			known[j.ID] = st
		case !errors.Is(err, farm.ErrUnknown):
			return nil, err
		}
	}
	return known, nil
}

// removeHalves removes what a collector that was killed left beside outputs.
func removeHalves(jobs []farm.Job) {
	for _, j := range jobs {
		for _, path := range j.Outputs {
			left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp-*"))
			for _, name := range left {
				_ = os.Remove(name)
			}
		}
	}
}

// existing are the outputs of a job that are there.
func existing(j farm.Job) (paths []string) {
	for _, path := range j.Outputs {
		if _, err := os.Lstat(path); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

// overwriteRule is what the job's last step says of outputs that exist.
func overwriteRule(j farm.Job) string {
	rule := ""
	for _, w := range j.Steps[len(j.Steps)-1] {
		if v, ok := strings.CutPrefix(w, "--overwrite="); ok {
			rule = v
		}
	}
	return rule
}

func replaces(j farm.Job) bool { return overwriteRule(j) == "replace" }
