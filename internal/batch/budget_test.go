package batch

import (
	"math"
	"testing"
	"time"

	"github.com/impasto/impasto/internal/farm"
)

// TestSpentByTheWorkersPrice: a running job costs what its worker says, or what the
// batch says until then. The budget was once measured by the larger of the two.
func TestSpentByTheWorkersPrice(t *testing.T) {
	for _, c := range []struct{ worker, job, want float64 }{{1, 5, 2}, {5, 1, 10}, {0, 5, 10}} {
		st := stand("aaaa000000000001", "coast", farm.Running)
		st.Started, st.Price, st.Job.Price = time.Now().Add(-2*time.Hour), c.worker, c.job
		f := Follow(nil, []farm.Status{st})
		if got := f.spent(); math.Abs(got-c.want) > 0.01*c.want {
			t.Errorf("prices %g of the worker and %g of the batch: %g spent, want %g", c.worker, c.job, got, c.want)
		}
	}
}
