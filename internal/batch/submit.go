package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/ui"
)

// A Submission says what Submit did with each job of a batch.
type Submission struct {
	Jobs       []farm.Status // all but Skipped
	New        int           // were not in the queue
	Again      int           // had ended in another state than done, or their results were gone
	Waiting    int           // were already in the queue
	DoneBefore int
	Skipped    []farm.Status // their outputs exist and stay as they are
}

// Skipped is the state, in reports, of a job whose outputs existed and stayed as
// they were.
const Skipped farm.State = "skipped"

func (e *Submission) skip(j farm.Job) {
	e.Skipped = append(e.Skipped, farm.Status{Job: j, State: Skipped})
}

// IDs lists the jobs except the skipped ones.
func (e *Submission) IDs() []string {
	ids := make([]string, len(e.Jobs))
	for i, st := range e.Jobs {
		ids[i] = st.Job.ID
	}
	return ids
}

// Others counts the unfinished jobs of the queue that do not belong to this batch.
func (e *Submission) Others(ctx context.Context, q farm.Queue) (int, error) {
	n, err := Unfinished(ctx, q)
	for _, st := range e.Jobs {
		if !st.State.Ended() {
			n--
		}
	}
	return n, err
}

// Interrupted says how many of the jobs are done, and how many have a checkpoint.
func (e *Submission) Interrupted(q farm.Queue) string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	done, saved := 0, 0
	for _, st := range e.Jobs {
		if now, err := q.Status(ctx, st.Job.ID); err == nil {
			if now.State.Ended() {
				done++
			} else if len(now.Checkpoints) > 0 {
				saved++
			}
		}
	}
	message := fmt.Sprintf("interrupted: %d of %s ended", done, ui.Count(len(e.Jobs), "job"))
	if saved > 0 {
		message += fmt.Sprintf(", %d more have a checkpoint", saved)
	}
	return message
}

func (e *Submission) String() string {
	parts := []string{}
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(e.New, "new")
	add(e.Again, "again")
	add(e.Waiting, "in the queue already")
	add(e.DoneBefore, "done before")
	add(len(e.Skipped), "left alone, for their outputs exist")
	return ui.Count(len(e.Jobs)+len(e.Skipped), "job") + ": " + strings.Join(parts, ", ")
}

// Submit queues the jobs that the queue does not have. It queues again those that
// failed, were cancelled, or whose results are gone. It collects the results of
// jobs that are done. An output that exists with other content is a fault unless
// replace is set. All such faults are returned together, before any job is queued.
func Submit(ctx context.Context, q farm.Queue, jobs []farm.Job, replace bool) (*Submission, error) {
	ids := make([]string, len(jobs))
	for i, j := range jobs {
		ids[i] = j.ID
	}
	known, err := farm.Statuses(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	removeHalves(jobs)
	e := &Submission{}
	var bad ui.Faults
	how := map[string]queueing{} // by ID
	for _, j := range jobs {
		st, there := known[j.ID]
		there = there && !st.Damaged // its record is replaced
		exist := existing(j)
		leave := len(exist) == len(j.Outputs) && len(exist) > 0 && overwriteRule(j) == "skip"
		if !there || st.State.Ended() && st.State != farm.Done {
			switch {
			case leave:
				e.skip(j)
				continue
			case len(exist) > 0 && !replace && !Replaces(j):
				bad.Add(ui.NewFault(ui.ExitOutput, "exists", fmt.Sprintf("%q exists", exist[0]), "-y   (replaces it)", "overwrite: skip   (in the manifest, to leave it alone)"))
				continue
			}
		}
		switch {
		case !there:
			how[j.ID] = submitted
			st = farm.Status{Job: j, State: farm.Queued}
			e.New++
		case st.State == farm.Done:
			_, err := farm.Collect(ctx, q, st, replace || Replaces(j))
			switch {
			case errors.Is(err, fs.ErrNotExist): // its result was deleted
				how[j.ID] = retried
				st.State = farm.Queued
				e.Again++
			case err != nil && leave: // the existing files are something else
				e.skip(j)
				continue
			case err != nil:
				bad.Add(collectFault(err, st))
			default:
				e.DoneBefore++
			}
		case st.State.Ended():
			how[j.ID] = retried
			st.State = farm.Queued
			e.Again++
		default:
			how[j.ID] = reminded
			e.Waiting++
		}
		e.Jobs = append(e.Jobs, st)
	}
	if len(bad) > 0 {
		return nil, bad
	}
	return e, queueAll(ctx, q, jobs, how)
}

// queueing is what queueAll does with a job.
type queueing int

const (
	retried   queueing = iota + 1 // is queued again
	reminded                      // waits; its message, which may have been lost, is sent
	submitted                     // is new
)

// queueAll queues jobs, each after the jobs that it needs.
func queueAll(ctx context.Context, q farm.Queue, jobs []farm.Job, how map[string]queueing) error {
	for _, level := range farm.Levels(jobs) {
		var old, anew []farm.Job
		for _, j := range level {
			switch how[j.ID] {
			case retried:
				if err := q.Retry(ctx, j.ID); err != nil {
					return err
				}
			case reminded:
				old = append(old, j)
			case submitted:
				anew = append(anew, j)
			}
		}
		if _, err := q.Submit(ctx, old...); err != nil {
			return err
		}
		if _, err := q.Submit(ctx, GroupByPainting(anew)...); err != nil {
			return err
		}
	}
	return nil
}

// removeHalves removes the temporary files that a killed Collect left.
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

// existing returns the outputs of a job that exist.
func existing(j farm.Job) (paths []string) {
	for _, path := range j.Outputs {
		if _, err := os.Lstat(path); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

// overwriteRule returns the --overwrite of the job's last step.
func overwriteRule(j farm.Job) string {
	rule := ""
	for _, w := range j.Steps[len(j.Steps)-1] {
		if v, ok := strings.CutPrefix(w, "--overwrite="); ok {
			rule = v
		}
	}
	return rule
}

// Replaces reports whether a job may replace existing outputs.
func Replaces(j farm.Job) bool { return overwriteRule(j) == "replace" }
