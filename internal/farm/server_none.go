//go:build noserver

package farm

import "context"

// serve returns an error (see server.go).
func serve(_ context.Context, _ Options, lock *folderLock) (Queue, error) {
	lock.close()
	return nil, noServer{}
}

// noServer says that a queue on this machine needs another build.
type noServer struct{}

func (noServer) Error() string {
	return "this build of impasto has no queue server of its own (it was made with -tags noserver)"
}

// Try returns things to try.
func (noServer) Try() []string {
	return []string{"go build ./cmd/impasto   (with the server)", "--queue nats://HOST:PORT   (a queue that is served elsewhere)"}
}
