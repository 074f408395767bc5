package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/ui"
)

// MoneyText writes an amount with two decimals, or below 0.01 with its first two
// digits that are not 0.
func MoneyText(amount float64) string {
	if amount >= 0.01 {
		return fmt.Sprintf("%.2f", amount)
	}
	two, _ := strconv.ParseFloat(fmt.Sprintf("%.2g", amount), 64)
	return strconv.FormatFloat(two, 'f', -1, 64)
}

// CheckBudget refuses a budget if no prices are known or if nobody watches the
// batch. path is that of the manifest.
func (b *Batch) CheckBudget(path string, watched bool) error {
	if b.Terms.Budget == 0 {
		return nil
	}
	var bad ui.Faults
	if i := slices.IndexFunc(b.Jobs, func(j farm.Job) bool { return j.Price == 0 }); i >= 0 {
		bad.Add(ui.UsageFault("a budget needs the price of an hour of a worker of class "+b.Jobs[i].Class, "--price 1.20/h", "price: 1.20/h   (in the manifest)"))
	}
	if !watched {
		bad.Add(ui.UsageFault("a budget is watched by the command that waits for the jobs", "impasto batch submit "+ui.ShellQuote(path)+" --wait"))
	}
	return bad.Err()
}

// spent returns what the jobs have cost so far, including the running ones.
func (f *Follower) spent() float64 {
	sum := 0.0
	for _, st := range f.Jobs {
		sum += st.Cost
		if st.State == farm.Running && !st.Started.IsZero() {
			price := cmp.Or(st.Price, st.Job.Price) // the worker's price, once it is known
			sum += max(0, time.Since(st.Started).Hours()) * price
		}
	}
	return sum
}

// checkBudget cancels the waiting jobs once the budget is spent, and says so. Running
// jobs continue, because most of their time is paid already.
func (f *Follower) checkBudget(ctx context.Context, q farm.Queue) error {
	if f.Budget == 0 || f.spent() < f.Budget {
		return nil
	}
	n := 0
	for id, st := range f.Jobs {
		if st.State != farm.Queued {
			continue
		}
		var ended *farm.EndedError
		if err := q.Cancel(ctx, id); err != nil && !errors.As(err, &ended) && !errors.Is(err, farm.ErrUnknown) {
			return err
		}
		st.State = farm.Cancelled // until the queue confirms it or reports that a worker took the job first
		f.Jobs[id] = st
		n++
	}
	if n > 0 {
		f.unstarted += n
		f.Reporter.Event("warning", fmt.Sprintf("the budget of %s is spent: %s will not be started", MoneyText(f.Budget), ui.Count(n, "job")), map[string]any{"budget": f.Budget, "jobs": n})
	}
	return nil
}
