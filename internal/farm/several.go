package farm

import (
	"context"
	"errors"
	"sync"
)

// askers is how many questions about several jobs are sent to the server at once.
// Each waits for the network, and for the disk if it writes.
const askers = 16

// atOnce calls f with each element of a list, askers at a time, until a call fails
// or ctx ends. It returns the error.
func atOnce[T any](ctx context.Context, list []T, f func(context.Context, T) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	work := make(chan T)
	for range min(askers, len(list)) {
		wg.Go(func() {
			for x := range work {
				if err := f(ctx, x); err != nil {
					stop(err)
				}
			}
		})
	}
	for _, x := range list {
		select {
		case work <- x:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
	}
	close(work)
	wg.Wait()
	return context.Cause(ctx)
}

// Statuses returns the jobs of a queue that have these IDs, by ID. It reads only
// these jobs, however many others the queue holds.
func Statuses(ctx context.Context, q Queue, ids []string) (map[string]Status, error) {
	found := make(map[string]Status, len(ids))
	var mu sync.Mutex
	err := atOnce(ctx, ids, func(ctx context.Context, id string) error {
		s, err := q.Status(ctx, id)
		if errors.Is(err, ErrUnknown) {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		found[id] = s
		return err
	})
	return found, err
}
