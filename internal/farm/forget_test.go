package farm

import (
	"testing"
	"time"
)

// TestForget: the files of jobs that are done go with them, but for those that
// another job names, that were touched since, or that the caller does not name.
func TestForget(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx, b := soon(t), q.Blobs()
		sums, files := map[string]string{}, map[string]time.Time{}
		for _, name := range []string{"own", "shared", "touched", "unnamed"} {
			path := write(t, t.TempDir()+"/f", name)
			sum, isNew, err := PutNew(ctx, b, path)
			if err != nil || !isNew {
				t.Fatal(isNew, err)
			}
			sums[name] = sum
			if name == "unnamed" {
				continue
			}
			if files[sum], err = b.Stored(ctx, sum); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond)
			if name == "touched" {
				if _, isNew, err := PutNew(ctx, b, path); err != nil || isNew {
					t.Fatal(isNew, err)
				}
			}
		}
		done, waits := job(t, "done"), job(t, "waits")
		done.Inputs = map[string]string{"/o": sums["own"], "/s": sums["shared"], "/t": sums["touched"], "/u": sums["unnamed"]}
		submit(t, q, done)
		if err := next(t, q).Finish(ctx, Done, nothing); err != nil {
			t.Fatal(err)
		}
		waits.Inputs = map[string]string{"/s": sums["shared"]}
		submit(t, q, waits)
		files[sumOfNothing] = time.Now() // is not there any more
		if err := Forget(ctx, q, []string{done.ID, waits.ID, "0123456789abcdef"}, files); err != nil {
			t.Fatal(err)
		}
		if _, err := q.Status(ctx, done.ID); err != ErrUnknown {
			t.Errorf("the job that is done: %v", err)
		}
		state(t, q, waits, Queued)
		for name, sum := range sums {
			if has, err := b.Has(ctx, sum); err != nil || has != (name != "own") {
				t.Errorf("%s: %v, %v", name, has, err)
			}
		}
	})
}

const sumOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
