package farm

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// Forget removes jobs that have ended, and those of the given files that no other
// job names. Unlike Sweep, it does not wait for an hour. files has the time at
// which the caller last saw each file stored. A file that was stored or touched
// since then stays, because a job that needs it may be about to be submitted.
func Forget(ctx context.Context, q Queue, ids []string, files map[string]time.Time) error {
	for _, id := range ids {
		var ended *EndedError // it was queued again in the meantime
		if err := q.Remove(ctx, id); err != nil && !errors.As(err, &ended) && !errors.Is(err, ErrUnknown) {
			return err
		}
	}
	if len(files) == 0 {
		return nil
	}
	used, err := usedBlobs(ctx, q)
	if err != nil {
		return err
	}
	for sum, stored := range files {
		now, err := q.Blobs().Stored(ctx, sum)
		switch {
		case errors.Is(err, fs.ErrNotExist) || used[digest(sum)]:
			continue
		case err == nil && now.Equal(stored):
			err = q.Blobs().Delete(ctx, sum)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
