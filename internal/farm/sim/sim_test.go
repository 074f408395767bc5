//go:build !noserver

package main

import (
	"os"
	"testing"
	"time"
)

// TestMain lets this binary be the server of a simulation.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == serveWord {
		serve(os.Args[2:])
		return
	}
	os.Exit(m.Run())
}

// TestSimulation: machines come and go all the time, and each job is done once.
func TestSimulation(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: it takes some seconds")
	}
	err := run(t.Context(), settings{
		jobs: 120, workers: 12, speed: 1000, shortest: 5 * time.Second, longest: 20 * time.Minute, noticed: 3, unnoticed: 0.5,
		notice: 2 * time.Minute, boot: time.Minute, checkpoint: 2 * time.Minute, lease: 3 * time.Second, beat: 500 * time.Millisecond,
		sync: false, dir: t.TempDir(),
	})
	if err != nil {
		t.Error(err)
	}
}
