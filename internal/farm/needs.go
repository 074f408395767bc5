package farm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A job may need others: it runs once they are done, and fails if one of them fails or is
// cancelled. Its message is sent when it is submitted and whenever a job that it needs
// has ended. A delivery that comes too early is dropped. So only the record waits, and if
// a process dies in between, a message is delivered again.

// Need is a job that another one waits for.
type Need struct {
	ID   string `json:"id"`
	Name string `json:"name"` // for people
}

// errWaits says that a job that is needed has not ended.
var errWaits = errors.New("a job that this one needs has not ended")

// NeedError says that a job cannot run, because a job that it needs is not done.
type NeedError struct {
	Name  string
	State State // "": it is not in the queue any more
}

func (e *NeedError) Error() string {
	switch e.State {
	case "":
		return fmt.Sprintf("needs %q, which is not in the queue any more", e.Name)
	case Cancelled:
		return fmt.Sprintf("needs %q, which was cancelled", e.Name)
	}
	return fmt.Sprintf("needs %q, which %s", e.Name, e.State)
}

// findNeeds records the checksums of the files that the needed jobs of a job have
// written. It returns errWaits or *NeedError.
func (q *queue) findNeeds(ctx context.Context, s *Status) error {
	if len(s.Job.Needs) == 0 {
		return nil
	}
	found := map[string]string{}
	for _, n := range s.Job.Needs {
		other, _, err := q.get(ctx, n.ID)
		switch {
		case errors.Is(err, ErrUnknown):
			return &NeedError{n.Name, ""}
		case err != nil:
			return err
		case !other.State.Ended():
			return errWaits
		case other.State != Done:
			return &NeedError{n.Name, other.State}
		}
		for path, by := range s.Job.Awaits {
			if by == n.ID {
				found[path] = other.Results[path]
			}
		}
	}
	s.Found = found
	return nil
}

// order returns the job, with the files of the needed jobs as inputs.
func (s Status) order() Job {
	j := s.Job
	if len(s.Found) > 0 {
		j.Inputs = maps.Clone(j.Inputs)
		if j.Inputs == nil {
			j.Inputs = map[string]string{}
		}
		maps.Copy(j.Inputs, s.Found)
	}
	return j
}

// awaitNeeds records, in the records of needed jobs, the jobs that wait for them.
// It runs before the messages of the jobs are sent.
func (q *queue) awaitNeeds(ctx context.Context, jobs []Job) error {
	waiting := map[string][]string{}
	for _, j := range jobs {
		for _, n := range j.Needs {
			waiting[n.ID] = append(waiting[n.ID], j.ID)
		}
	}
	for id, dependents := range waiting {
		_, err := q.change(ctx, id, func(s *Status) error {
			all := slices.Clone(s.Dependents)
			for _, d := range dependents {
				if !slices.Contains(all, d) {
					all = append(all, d)
				}
			}
			if len(all) == len(s.Dependents) || s.Damaged {
				return errReported
			}
			s.Dependents = all
			return nil
		})
		if err != nil && !errors.Is(err, errReported) && !errors.Is(err, ErrUnknown) { // a job whose need is gone fails later
			return err
		}
	}
	return nil
}

// release sends the messages of the jobs that wait for one that has ended.
func (q *queue) release(ctx context.Context, s Status) error {
	for _, id := range s.Dependents {
		d, _, err := q.get(ctx, id)
		switch {
		case errors.Is(err, ErrUnknown):
			continue
		case err != nil:
			return err
		case d.State != Queued:
			continue
		}
		d.Ticket += "-" + s.Ticket // distinguishes it from the message that came too early
		if err := q.publish(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// Levels divides jobs so that each job comes after the jobs among them that it needs.
func Levels(jobs []Job) [][]Job {
	at := make(map[string]int, len(jobs))
	for i, j := range jobs {
		at[j.ID] = i
	}
	levels := make([]int, len(jobs)) // from 1; 0: not known
	var level func(i int) int
	level = func(i int) int {
		if levels[i] == 0 {
			levels[i] = 1 // also for a cycle, which IDs make impossible
			most := 1
			for _, n := range jobs[i].Needs {
				if k, here := at[n.ID]; here && k != i {
					most = max(most, level(k)+1)
				}
			}
			levels[i] = most
		}
		return levels[i]
	}
	var all [][]Job
	for i, j := range jobs {
		for n := level(i); len(all) < n; {
			all = append(all, nil)
		}
		all[levels[i]-1] = append(all[levels[i]-1], j)
	}
	return all
}
