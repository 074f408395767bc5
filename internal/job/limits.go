package job

import (
	"context"
	"fmt"
	"time"

	"github.com/impasto/impasto/internal/farm"
)

// Limits are the conditions under which the workers of a machine end.
type Limits struct {
	Notice string        // the cloud's metadata address; "": none
	Idle   time.Duration // without a job; 0: never
	Price  float64       // of an hour of the machine
	Most   float64       // money spent since the start; 0: no limit
}

// Bind returns a context that ends when ctx ends, at the cloud's notice, or when
// the machine has cost too much. It calls explain with the reason.
func (l Limits) Bind(ctx context.Context, explain func(string)) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if l.Notice != "" {
		go func() {
			silent := func(err error) { explain(fmt.Sprintf("no notice can be had: %v; asking on", err)) }
			if farm.Notice(ctx, l.Notice, silent) == nil {
				explain("this machine will be taken away")
				cancel()
			}
		}()
	}
	if l.Most > 0 {
		spent := time.AfterFunc(time.Duration(l.Most/l.Price*float64(time.Hour)), func() {
			explain(fmt.Sprintf("the machine has cost %.2f", l.Most))
			cancel()
		})
		context.AfterFunc(ctx, func() { spent.Stop() })
	}
	return ctx, cancel
}
