package main

import (
	"context"

	"github.com/impasto/impasto/internal/ui"
)

// watchSignals is what ends the work of a session: signals, or for a step of a
// job whoever runs the job.
func (s *session) watchSignals() (context.Context, *ui.Signals) {
	if s.job != nil {
		return s.job, &ui.Signals{}
	}
	return ui.WatchSignals()
}
