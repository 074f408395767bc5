package batch

import (
	"context"
	"errors"
	"slices"

	"github.com/impasto/impasto/internal/farm"
)

// Page returns at most limit of the jobs that a filter chooses and that changed
// after a mark, the mark of the last one, and whether there are more. A mark or
// limit of 0 means all. Page reads no more of the queue than it needs.
func Page(ctx context.Context, q farm.Queue, f farm.Filter, after uint64, limit int) (list []farm.Status, mark uint64, more bool, err error) {
	at := map[string]int{} // those that changed meanwhile come again
	err = q.Scan(ctx, f, after, func(st farm.Status, revision uint64) bool {
		i, again := at[st.Job.ID]
		switch {
		case again:
			list[i] = st
		case limit > 0 && len(list) == limit:
			more = true
			return false
		default:
			at[st.Job.ID] = len(list)
			list = append(list, st)
		}
		mark = revision
		return true
	})
	return list, mark, more, err
}

// Unfinished returns how many jobs of the given classes wait or run. Without
// classes it counts all.
func Unfinished(ctx context.Context, q farm.Queue, classes ...string) (int, error) {
	load, err := q.Load(ctx)
	n := 0
	for class, l := range load {
		if len(classes) == 0 || slices.Contains(classes, class) {
			n += l.Waiting + l.Running
		}
	}
	return n, err
}

// Named returns the jobs that arguments name by an ID, the beginning of an ID, or a
// name. It looks up whole IDs directly. For other arguments it reads all jobs, but
// keeps only their IDs, names and states.
func Named(ctx context.Context, q farm.Queue, args []string) (found []farm.Status, err error) {
	var known []farm.Status
	for _, id := range args {
		st, err := q.Status(ctx, id)
		if errors.Is(err, farm.ErrUnknown) || err == nil && st.Job.ID != id {
			known = nil
			break
		}
		if err != nil {
			return nil, err
		}
		known = append(known, st)
	}
	if known != nil {
		return Find(known, args)
	}
	at := map[string]int{} // those that change meanwhile come again
	err = q.Scan(ctx, farm.Filter{}, 0, func(st farm.Status, _ uint64) bool {
		slim := farm.Status{Job: farm.Job{ID: st.Job.ID, Name: st.Job.Name, Batch: st.Job.Batch}, State: st.State}
		if i, again := at[st.Job.ID]; again {
			known[i] = slim
			return true
		}
		at[st.Job.ID] = len(known)
		known = append(known, slim)
		return true
	})
	if err != nil {
		return nil, err
	}
	if found, err = Find(known, args); err != nil {
		return nil, err
	}
	for i := range found {
		st, err := q.Status(ctx, found[i].Job.ID)
		switch {
		case err == nil:
			found[i] = st
		case !errors.Is(err, farm.ErrUnknown): // it was removed meanwhile, so its last status is used
			return nil, err
		}
	}
	return found, nil
}
