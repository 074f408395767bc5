//go:build noserver

package farm

import (
	"context"
	"errors"
)

// serve refuses: see server.go.
func serve(_ context.Context, _ Options, lock *folderLock) (Queue, error) {
	lock.close()
	return nil, errors.New("this build has no queue server (it was made with -tags noserver); --queue nats://HOST:PORT uses one of another build")
}
