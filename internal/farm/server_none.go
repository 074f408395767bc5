//go:build noserver

package farm

import (
	"context"
	"errors"
	"os"
)

// serve refuses: see server.go.
func serve(_ context.Context, _ Options, lock *os.File) (Queue, error) {
	lock.Close()
	return nil, errors.New("this build has no queue server (it was made with -tags noserver)")
}
