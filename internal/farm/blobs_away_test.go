package farm

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/nats-io/nats.go"
)

// halfSent are blobs of which the server sends the beginning and then nothing.
type halfSent struct{ Blobs }

func (halfSent) Get(ctx context.Context, _ string) (io.ReadCloser, error) {
	s := &natsStore{at: "server:4222", life: context.Background()}
	r := io.MultiReader(strings.NewReader("half of it"), iotest.ErrReader(nats.ErrTimeout))
	return &answered{io.NopCloser(r), func() {}, func(err error) error { return s.gone(ctx, err) }}, nil
}

// TestServerGoneWhileABlobIsRead: the server is at fault, not the file, and nothing
// of it is left.
func TestServerGoneWhileABlobIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.png")
	err := GetFile(t.Context(), halfSent{}, strings.Repeat("0", 64), path)
	var away *UnreachableError
	if !errors.As(err, &away) || strings.Contains(err.Error(), "written") {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}
