package farm

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// TestBill: what a job cost, what was done again, and what a lost worker took, by
// a clock of the test's own.
func TestBill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, q := t.Context(), Memory(time.Second)
		j := job(t, "a")
		j.Retries = 1
		submit(t, q, j)
		first := next(t, q)
		time.Sleep(400 * time.Millisecond)
		if _, err := first.Extend(ctx); err != nil {
			t.Fatal(err)
		}
		if err := first.Update(ctx, func(s *Status) { s.Saved, s.Price = time.Now(), 3600 }); err != nil {
			t.Fatal(err)
		}
		second := next(t, q) // a second later: the first fell silent
		if err := second.Finish(ctx, Queued, nothing); err != nil {
			t.Fatal(err)
		}
		tries := 0
		w := worker(t, q, func(_ context.Context, task *Task) error {
			tries++
			time.Sleep(3 * time.Second)
			if tries == 1 {
				return errors.New("not now")
			}
			return paints(ctx, task)
		})
		w.Price, w.Beat = 7200, 100*time.Millisecond
		run(t, w)
		s := state(t, q, j, Done)
		for what, got := range map[string][2]float64{
			"seconds": {s.Seconds, 6}, "lost": {s.Lost, 1.4}, "wasted": {s.Wasted, 1 + 3}, "cost": {s.Cost, 1.4*1 + 6*2},
		} {
			if math.Abs(got[0]-got[1]) > 1e-3 {
				t.Errorf("%s: %g, want %g", what, got[0], got[1])
			}
		}
		if err := q.Retry(ctx, j.ID); err != nil {
			t.Fatal(err)
		}
		if again := state(t, q, j, Queued); again.Bill != s.Bill {
			t.Errorf("queued anew it has cost %+v", again.Bill)
		}
	})
}
