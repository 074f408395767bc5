package farm

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// TestStatuses: of many jobs those are found that the queue holds, and no others.
func TestStatuses(t *testing.T) {
	eachQueue(t, func(t *testing.T, q Queue) {
		ctx := soon(t)
		var ids []string
		for i := range 3 * askers {
			j := job(t, fmt.Sprint("j", i))
			if i%2 == 0 {
				submit(t, q, j)
			}
			ids = append(ids, j.ID)
		}
		other := job(t, "other")
		submit(t, q, other)
		found, err := Statuses(ctx, q, ids)
		if err != nil || len(found) != len(ids)/2 {
			t.Fatalf("%d found, %v", len(found), err)
		}
		for i, id := range ids {
			if s, ok := found[id]; ok != (i%2 == 0) || ok && s.Job.Name != fmt.Sprint("j", i) {
				t.Errorf("job %d: %v, %q", i, ok, s.Job.Name)
			}
		}
		if found, err := Statuses(ctx, q, nil); err != nil || len(found) != 0 {
			t.Errorf("of none: %v, %v", found, err)
		}
	})
}

// TestAtOnceEnds: the first error ends the calls, and so does the context.
func TestAtOnceEnds(t *testing.T) {
	t.Parallel()
	bad := errors.New("bad")
	list := make([]int, 1000)
	for i := range list {
		list[i] = i
	}
	err := atOnce(t.Context(), list, func(ctx context.Context, i int) error {
		if i == askers {
			return bad
		}
		if i > 2*askers {
			<-ctx.Done()
		}
		return nil
	})
	if !errors.Is(err, bad) {
		t.Errorf("ended with %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := atOnce(ctx, list, func(context.Context, int) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("given up, it ended with %v", err)
	}
}
