package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/impasto/impasto/internal/config"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/ui"
)

// StoreFolder returns the folder of a queue on this machine; "" is the user's queue.
func StoreFolder(where string) (string, error) {
	if where != "" {
		return filepath.Abs(ui.Home(where))
	}
	dir, err := config.StateFolder()
	return filepath.Join(dir, "queue"), err
}

// Open opens a queue. Its errors are faults that say what to try.
func Open(ctx context.Context, o farm.Options) (farm.Queue, error) {
	q, err := farm.Open(ctx, o)
	var file *fs.PathError
	var full *farm.FullError
	var certificates *farm.CertificateError
	if errors.As(err, &full) || errors.As(err, &certificates) {
		return nil, QueueFault(err)
	}
	if o.Store != "" && errors.As(err, &file) {
		return nil, ui.NewFault(ui.ExitQueue, "queue_store", fmt.Sprintf("the queue %q cannot be opened: %s: %v", o.Store, file.Path, file.Err), "--queue queue   (another queue, in this directory)", "export IMPASTO_STATE=$HOME/impasto-state   (another place for it)")
	}
	return q, QueueFault(err)
}

// QueueFault turns an error of the queue into a fault with its exit code and what to try.
// It returns nil and any other error unchanged.
func QueueFault(err error) error {
	var busy *farm.BusyError
	var away *farm.UnreachableError
	var ended *farm.EndedError
	var full *farm.FullError
	var taken *farm.TakenError
	var certificates *farm.CertificateError
	switch {
	case errors.As(err, &full):
		return ui.NewFault(ui.ExitOutput, "disk_full", full.Error(), "export IMPASTO_STATE=$HOME/impasto-state   (on another disk)")
	case errors.As(err, &certificates):
		return ui.NewFault(ui.ExitInput, "tls", certificates.Error()+"; --tls takes a folder with ca.pem, cert.pem and key.pem")
	case errors.As(err, &taken):
		return ui.NewFault(ui.ExitQueue, "queue_taken", taken.Error(), "the same command again, once no other process uses the queue")
	case errors.As(err, &busy):
		return ui.NewFault(ui.ExitQueue, "queue_busy", busy.Error(), "--queue queue   (another queue, in this directory)")
	case errors.As(err, &away):
		return ui.NewFault(ui.ExitQueue, "queue_unreachable", away.Error(), "impasto queue serve --help   (on that machine)")
	case errors.As(err, &ended):
		return ui.NewFault(ui.ExitUsage, "job_state", ended.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return ui.NewFault(ui.ExitQueue, "queue_unreachable", "the queue does not answer", "impasto doctor")
	}
	return err
}
