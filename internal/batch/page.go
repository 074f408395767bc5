package batch

import (
	"context"

	"github.com/impasto/impasto/internal/farm"
)

// Page returns the first jobs that a filter chooses and that changed after a
// mark (0: all), at most limit of them (0: all), the mark of the last, and whether
// there are more. It reads no more of the queue than it needs for that.
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

// Unfinished returns how many jobs of classes wait or run; no classes: of all.
func Unfinished(ctx context.Context, q farm.Queue, classes ...string) (int, error) {
	load, err := q.Load(ctx)
	n := 0
	for class, l := range load {
		wanted := len(classes) == 0
		for _, c := range classes {
			wanted = wanted || c == class
		}
		if wanted {
			n += l.Waiting + l.Running
		}
	}
	return n, err
}
