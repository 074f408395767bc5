package farm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A store needs free disk space, because the server library stops answering once it
// could not write. So the free space is checked before the store is opened and
// while it is served.
var (
	roomToOpen  = adjustable(1 << 20)
	roomToServe = adjustable(128 << 10)
)

// guardEvery is the interval between two checks of a served store.
const guardEvery = 250 * time.Millisecond

// adjustable is a number that a test may change while a server reads it.
func adjustable(n int64) *atomic.Int64 {
	var v atomic.Int64
	v.Store(n)
	return &v
}

// FullError says that the disk of a store has no space for what the queue writes.
type FullError struct {
	Store string
	Free  int64 // bytes that this user may write; -1: unknown
	Need  int64 // bytes
}

func (e *FullError) Error() string {
	free := "nothing"
	if e.Free >= 0 {
		free = fmt.Sprintf("%d kB", e.Free>>10)
	}
	return fmt.Sprintf("the disk is full: %s is free for the queue %q, which needs %d kB at least", free, e.Store, e.Need>>10)
}

// TakenError says that the lock file of a store was deleted or replaced while this
// process served the store. Another process may then serve it too.
type TakenError struct{ Store string }

func (e *TakenError) Error() string {
	return fmt.Sprintf("the lock file of the queue %q was deleted or replaced while this process served it", e.Store)
}

// isFull reports whether an error says that a disk or quota is full, on this
// machine or on the server.
func isFull(err error) bool {
	const diskFull, handleDiskFull = syscall.Errno(112), syscall.Errno(39) // of Windows
	var number syscall.Errno
	if errors.As(err, &number) {
		return number == syscall.ENOSPC || isQuota(number) || onWindows && (number == diskFull || number == handleDiskFull)
	}
	var api *jetstream.APIError
	return errors.As(err, &api) && strings.Contains(api.Description, syscall.ENOSPC.Error())
}

// fullStore returns the error of a store whose disk had no space for a write.
func fullStore(store string, err error) error {
	var full *FullError
	if errors.As(err, &full) {
		return err
	}
	free, ok := freeBytes(store)
	if !ok {
		free = -1
	}
	return &FullError{store, free, roomToOpen.Load()}
}

// hasRoom returns a *FullError if a store's disk has less than need bytes free.
func hasRoom(store string, need int64) error {
	if free, ok := freeBytes(store); ok && free < need {
		return &FullError{store, free, roomToOpen.Load()}
	}
	return nil
}

// guard checks a served store until ctx ends: whether its disk has space, and
// whether it still belongs to this process. full is closed when a write failed for
// lack of space. fail is called at most once.
func guard(ctx context.Context, store string, lock *folderLock, full <-chan struct{}, fail func(error)) {
	tick := time.NewTicker(guardEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-full:
			fail(fullStore(store, nil))
			return
		case <-tick.C:
		}
		if !lock.kept() {
			fail(&TakenError{store})
			return
		}
		if err := hasRoom(store, roomToServe.Load()); err != nil {
			fail(err)
			return
		}
	}
}

// Bind returns a context that ends when ctx ends or the queue cannot continue. Its
// cause is the reason.
func Bind(ctx context.Context, q Queue) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	unbind := context.AfterFunc(q.Life(), func() { cancel(context.Cause(q.Life())) })
	return ctx, func() { unbind(); cancel(nil) }
}
