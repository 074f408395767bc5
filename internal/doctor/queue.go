package doctor

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/selftest"
	"github.com/impasto/impasto/internal/ui"
)

// checkQueue checks the queue of this user. It does not create one.
func checkQueue() []selftest.Finding {
	f := selftest.Finding{State: selftest.OK, What: "queue"}
	store, err := batch.StoreFolder(os.Getenv(batch.QueueVariable))
	o := farm.Options{Store: store, Who: "impasto doctor"}
	if where := os.Getenv(batch.QueueVariable); strings.Contains(where, "://") {
		o = farm.Options{URL: where}
		store = "the server of " + batch.QueueVariable
		if !strings.HasPrefix(where, "nats://") && !strings.HasPrefix(where, "tls://") {
			err = ui.UsageFault(fmt.Sprintf("%s takes nats://HOST:PORT or a folder, got %q", batch.QueueVariable, where), "unset "+batch.QueueVariable)
		}
	} else if err == nil {
		if !farm.IsStore(store) {
			f.State, f.Text = selftest.Note, "there is none yet; the first batch makes "+store
			return []selftest.Finding{f}
		}
	}
	if err == nil {
		var q farm.Queue
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if q, err = batch.Open(ctx, o); err == nil {
			defer q.Close()
			var counts batch.Tally
			if counts, err = q.Tally(ctx, farm.Filter{}); err == nil {
				f.Text = store + ", " + counts.String()
				return []selftest.Finding{f}
			}
		}
	}
	fault := ui.FaultsOf(err)[0]
	f.State, f.Text = selftest.Problem, fault.Message
	if len(fault.Try) > 0 {
		f.Fix = fault.Try[0]
	}
	return []selftest.Finding{f}
}
